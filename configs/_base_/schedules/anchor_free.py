# ActionFormer's (arXiv 2202.07925, Sec. 4.1 and its settings for THUMOS14): AdamW, 5 epochs of warm-up and 30 of a
# cosine, a running mean of the weights. Norms, biases and scales do not decay.
max_epochs = 35
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=max_epochs, val_interval=5)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=1e-4, weight_decay=0.05),
    paramwise_cfg=dict(norm_decay_mult=0, bias_decay_mult=0, custom_keys={'scales': dict(decay_mult=0)}),
    clip_grad=dict(max_norm=1),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-3, by_epoch=True, begin=0, end=5, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', T_max=30, by_epoch=True, begin=5, end=max_epochs, convert_to_iter_based=True),
]
custom_hooks = [dict(type='EMAHook', ema_type='ExponentialMovingAverage', momentum=0.001)]
