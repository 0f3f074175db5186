_base_ = ['./alphaction_dense_r50_ava22.py', '../_base_/models/alphaction_r101.py']

# Published: frame mAP 32.4 as released, 32.3 in the paper (github.com/MVIG-SJTU/AlphAction, MODEL_ZOO.md).
model = dict(backbone=_base_.alphaction_r101)
