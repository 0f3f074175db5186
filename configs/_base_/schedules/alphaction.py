# AlphAction's training (its config_files and solver): SGD, 4e-4 for 16 clips a step, hardly any weight decay, biases at
# twice the rate without decay, interaction blocks at ten times the rate, their biases at twenty times.
# On AVA it takes 110,000 steps, about 10 passes, with decays at 70,000 and 90,000; here an epoch stands for 10,000.
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=11, val_interval=1)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

# MMEngine takes the longest key that is part of a name, and then no other rule: each bias needs a key of its own.
interaction_biases = [
    f'blocks.{block}.{layer}' for block in range(6) for layer in ('query', 'key', 'value', 'out', 'shortcut')
]
interaction_biases += ['reduce_query', 'reduce.P', 'reduce.O', 'reduce.M']
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=4e-4, momentum=0.9, weight_decay=1e-7),
    paramwise_cfg=dict(
        bias_lr_mult=2,
        bias_decay_mult=0,
        norm_decay_mult=0,
        custom_keys={
            'roi_head.interaction.': dict(lr_mult=10),
            **{f'roi_head.interaction.{name}.bias': dict(lr_mult=20, decay_mult=0) for name in interaction_biases},
        },
    ),
)
del interaction_biases
auto_scale_lr = dict(enable=True, base_batch_size=16)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.25, by_epoch=False, begin=0, end=2000),
    dict(type='MultiStepLR', milestones=[7, 9], gamma=0.1, by_epoch=True, begin=0, end=11),
]
