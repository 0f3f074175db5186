_base_ = ['./alphaction_dense_r50_ava22.py']

# Published: frame mAP 32.4 as released, 32.3 in the paper (github.com/MVIG-SJTU/AlphAction, MODEL_ZOO.md).
model = dict(
    backbone=dict(
        depth=101,
        resample_rate=8,
        speed_ratio=4,
        pretrained='checkpoints/alphaction_slowfast_r101_8x8_k700.pth',
    )
)
