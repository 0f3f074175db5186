# The strong baseline's (arXiv 1903.07071, Sec. 3.1): Adam, 10 epochs of warm-up from a hundredth, a tenth at 40 and 70.
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=120, val_interval=10)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=3.5e-4, weight_decay=5e-4))
param_scheduler = [
    # The last value of a LinearLR is that of the epoch before its end: ten epochs below the full rate end at 11.
    dict(type='LinearLR', start_factor=0.01, by_epoch=True, begin=0, end=11),
    dict(type='MultiStepLR', milestones=[40, 70], gamma=0.1, by_epoch=True, begin=0, end=120),
]
