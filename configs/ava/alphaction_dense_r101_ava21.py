_base_ = ['./alphaction_dense_r50_ava21.py']

# The same on AVA 2.1, for which AlphAction releases no model and no number.
model = dict(
    backbone=dict(
        depth=101,
        resample_rate=8,
        speed_ratio=4,
        pretrained='checkpoints/alphaction_slowfast_r101_8x8_k700.pth',
    )
)
