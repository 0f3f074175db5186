_base_ = ['./alphaction_dense_r50_ava21.py', '../_base_/models/alphaction_r101.py']

# The same on AVA 2.1, for which AlphAction releases no model and no number.
model = dict(backbone=_base_.alphaction_r101)
