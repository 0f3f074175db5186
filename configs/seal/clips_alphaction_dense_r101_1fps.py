_base_ = ['./clips_alphaction_dense_r50_1fps.py']

# The backbone of _base_/models/alphaction_slowfast_r101.py.
# SEAL, Table 3, 1 box per second, variant not named: frame mAP top50 81.02, top50-100 69.75, top150 67.49.
model = dict(
    backbone=dict(
        depth=101,
        resample_rate=8,
        speed_ratio=4,
        pretrained='checkpoints/alphaction_slowfast_r101_8x8_k700.pth',
    )
)
