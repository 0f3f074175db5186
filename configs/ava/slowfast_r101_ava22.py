_base_ = ['./slowfast_r50_ava22.py', '../_base_/models/alphaction_r101.py']

# AlphAction's baseline, AVA 2.2, published: frame mAP 29.3 as released and in the paper (MODEL_ZOO.md), and 29.3 where
# SEAL begins (Table 5, pre-trained on Kinetics-700; on SEAL Clips 30.4, with semi-supervised transfer 30.8).
model = dict(backbone=_base_.alphaction_r101)
