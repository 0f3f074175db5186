# ActivityNet 1.3 as whole videos: features stretched to 128 rows. A leaf changes the streams.
dataset_type = 'VideoFeatures'
data_root = 'data/activitynet/'
ann_file = 'annotations/activity_net.v1-3.min.json'
# The released TSP features (arXiv 2011.11479): windows of 16 frames, one after the other, at 15 per second.
features = [dict(folder='features/tsp', file='v_{vid}.npy', fps=15, window=16, stride=16, dim=512)]
rows = 128
hint = (
    'Below data_root are expected annotations/activity_net.v1-3.min.json and the folders of features that the config '
    'names (configs/activitynet/README.md); configs/seal_mini/complex_tubes.py runs without them'
)

train_pipeline = [
    dict(type='LoadVideoFeatures'),
    dict(type='TubeletRescale', rows=rows),
    dict(type='PackTubelet'),
]
test_pipeline = train_pipeline

train_dataloader = dict(
    batch_size=16,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='mmtube.tubelet_collate'),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file=ann_file,
        subset='training',
        features=features,
        missing='skip',  # videos that are gone from the net are told in the log
        broken='skip',
        hint=hint,
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=16,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='mmtube.tubelet_collate'),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file=ann_file,
        subset='validation',
        features=features,
        missing='skip',
        broken='skip',
        hint=hint,
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader
# The numbers of tools/evaluate.py activitynet. Videos without features are missed, as in a challenge.
val_evaluator = dict(
    type='TemporalMAP', protocol='activitynet', ann_file=data_root + ann_file, subset='validation', dedup=True
)
test_evaluator = val_evaluator
