_base_ = [
    '../_base_/models/video_reid_tiny.py',
    '../_base_/datasets/mars.py',
    '../_base_/schedules/reid_120e.py',
    '../_base_/default_runtime.py',
]

# The people of SEAL-mini, cut by tools/data/seal/crop_people.py. A SEAL-mini number is no claim about real people.
default_scope = 'mmtube'
data_root = 'data/seal_mini_reid/'
size = (64, 32)
model = dict(num_identities=291)

train_pipeline = [
    dict(type='SampleSequence', length=6),
    dict(type='LoadSequence', size=size),
    dict(type='mmaction.Flip', flip_ratio=0.5),
    dict(type='PadCropSequence', padding=3),
    dict(type='EraseSequence'),
    dict(type='PackSequence'),
]
test_pipeline = [
    dict(type='SampleSequence', length=64, test_mode=True),
    dict(type='LoadSequence', size=size),
    dict(type='PackSequence'),
]
train_dataloader = dict(num_workers=1, dataset=dict(data_root=data_root, pipeline=train_pipeline))
val_dataloader = dict(
    num_workers=1,
    dataset=dict(
        datasets=[
            dict(type='MARSSequences', data_root=data_root, split=split, test_mode=True, pipeline=test_pipeline)
            for split in ('query', 'gallery')
        ]
    ),
)
test_dataloader = val_dataloader

# From scratch and short: a higher rate that warms up within an epoch and falls smoothly.
max_epochs = 10
train_cfg = dict(max_epochs=max_epochs, val_interval=max_epochs)
optim_wrapper = dict(optimizer=dict(lr=2e-3))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=40),
    dict(
        type='CosineAnnealingLR',
        eta_min_ratio=0.01,
        T_max=max_epochs,
        by_epoch=True,
        begin=0,
        end=max_epochs,
        convert_to_iter_based=True,
    ),
]
default_hooks = dict(checkpoint=dict(max_keep_ckpts=1), logger=dict(interval=10))
custom_hooks = [dict(type='ChannelsLastHook')]
