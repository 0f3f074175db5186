_base_ = [
    '../_base_/models/faster_tad.py',
    '../_base_/datasets/seal_mini_tubes.py',
    '../_base_/schedules/faster_tad.py',
    '../_base_/default_runtime.py',
]

# Atomic actions on SEAL-mini's tubelets, from features of the network that knows the actions.
model = dict(stem=dict(dims=[96], channels=128), num_classes=35, window_rows=None)
max_epochs = 20
train_cfg = dict(max_epochs=max_epochs, val_interval=max_epochs)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-2, by_epoch=False, begin=0, end=20),
    dict(
        type='CosineAnnealingLR',
        eta_min_ratio=0.01,
        T_max=max_epochs,
        by_epoch=True,
        convert_to_iter_based=True,
    ),
]
default_hooks = dict(checkpoint=dict(interval=max_epochs), logger=dict(interval=10))
