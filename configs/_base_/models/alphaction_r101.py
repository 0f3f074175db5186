# R101 8x8: 8 slow frames of 64, and as many fast ones as 4x16.
alphaction_r101 = dict(
    depth=101,
    resample_rate=8,
    speed_ratio=4,
    pretrained='checkpoints/alphaction_slowfast_r101_8x8_k700.pth',
)
