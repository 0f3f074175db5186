_base_ = ['./slowfast_r101_ava22.py', '../_base_/ava21.py']

# The same on AVA 2.1, for which AlphAction releases no model and no number.
train_dataloader = dict(dataset=_base_.ava21_train)
val_dataloader = dict(dataset=_base_.ava21_val)
test_dataloader = val_dataloader
val_evaluator = _base_.ava21_evaluator
test_evaluator = val_evaluator
