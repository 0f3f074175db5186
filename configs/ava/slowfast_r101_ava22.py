_base_ = ['./slowfast_r50_ava22.py']

# AlphAction's baseline, AVA 2.2, published: frame mAP 29.3 as released and in the paper (MODEL_ZOO.md), and 29.3 where
# SEAL begins (Table 5, pre-trained on Kinetics-700; on SEAL Clips 30.4, with semi-supervised transfer 30.8).
model = dict(
    backbone=dict(
        depth=101,
        resample_rate=8,
        speed_ratio=4,
        pretrained='checkpoints/alphaction_slowfast_r101_8x8_k700.pth',
    )
)
