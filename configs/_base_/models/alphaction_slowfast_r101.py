_base_ = ['./alphaction_slowfast_r50.py', './alphaction_r101.py']

# R101 8x8: 8 slow frames of 64, and as many fast ones as 4x16.
model = dict(backbone=_base_.alphaction_r101)
