_base_ = ['./clips_alphaction_dense_r50_1fps.py', '../_base_/models/alphaction_r101.py']

# SEAL, Table 3, 1 box per second, variant not named: frame mAP top50 81.02, top50-100 69.75, top150 67.49.
model = dict(backbone=_base_.alphaction_r101)
