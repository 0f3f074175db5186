_base_ = [
    '../_base_/models/clips_frames_then_time.py',
    '../_base_/datasets/seal_mini_clips.py',
    '../_base_/default_runtime.py',
]

# The plain baseline: pooled people and a head. What people look like is known from the person detector.
default_scope = 'mmtube'
sample = dict(type='SampleSEALClip', clip_len=8, frame_interval=8)
pack = [dict(type='mmaction.FormatShape', input_format='NCTHW', collapse=True), dict(type='PackSEALClip')]
train_pipeline = [
    dict(type='SampleSEALClip', clip_len=8, frame_interval=8, random_shift=True),
    dict(type='JitterBoxes'),
    dict(type='DecodeWindow', short_side=240),
    # Reading a film costs as much as looking at a square of it: it is read once for two of them.
    dict(
        type='RepeatTransforms',
        times=2,
        transforms=[dict(type='CropAroundPerson', size=144), dict(type='mmaction.Flip', flip_ratio=0.5), *pack],
    ),
]
test_pipeline = [sample, dict(type='DecodeWindow', short_side=240), *pack]
# Who does nothing is known in SEAL-mini, and teaches what nothing looks like.
train_dataloader = dict(
    batch_size=4,
    num_workers=1,
    collate_fn=dict(type='mmtube.repeat_collate'),
    sampler=dict(_delete_=True, type='ClassBalancedSampler', threshold=0.05),
    dataset=dict(min_labels=0, pipeline=train_pipeline),
)
val_dataloader = dict(batch_size=8, num_workers=1, dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(
    batch_size=8, num_workers=1, dataset=dict(ann_file='annotations/test.json', pipeline=test_pipeline)
)

# Groups of classes are scored too.
val_evaluator = dict(label_file='data/seal_mini/annotations/label_map_atomic.json')
test_evaluator = val_evaluator

max_epochs = 3
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=max_epochs, val_interval=max_epochs)
val_cfg = dict(type='TwoPassValLoop')
test_cfg = dict(type='TwoPassTestLoop')
optim_wrapper = dict(
    type='BFloat16OptimWrapper',  # half the time where the processor has instructions for it
    optimizer=dict(type='AdamW', lr=2e-3, weight_decay=0.05),
    clip_grad=dict(max_norm=5),
    paramwise_cfg=dict(norm_decay_mult=0, bias_decay_mult=0),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.05, by_epoch=False, begin=0, end=100),
    dict(type='CosineAnnealingLR', eta_min_ratio=0.01, T_max=max_epochs, by_epoch=True, convert_to_iter_based=True),
]
default_hooks = dict(checkpoint=dict(max_keep_ckpts=1))
custom_hooks = [dict(type='ChannelsLastHook')]
