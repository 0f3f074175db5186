# THUMOS14 as whole videos: native rows in windows, trained on its validation set, tested on its test set.
dataset_type = 'VideoFeatures'
data_root = 'data/thumos14/'
ann_file = 'annotations/thumos14.json'
train_subset, test_subset = 'validation', 'test'  # as the file names them, upper or lower case
# I3D of RGB and flow: windows of 16 frames every 4 at the video's own rate, which the annotations tell as "fps".
features = [dict(folder='features/i3d', file='{vid}.npy', window=16, stride=4, dim=2048)]
rows = 512  # 68 s at 30 frames per second
hint = (
    'Below data_root are expected annotations/thumos14.json and the folders of features that the config names '
    '(configs/thumos14/README.md); configs/seal_mini/atomic_tubes.py runs without them'
)

train_pipeline = [
    dict(type='LoadVideoFeatures'),
    dict(type='TubeletWindow', rows=rows),
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
        subset=train_subset,
        features=features,
        aside='Ambiguous',
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
        subset=test_subset,
        features=features,
        aside='Ambiguous',
        broken='skip',
        window_rows=rows,
        hint=hint,
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader
# The numbers of tools/evaluate.py thumos, temporal IoU 0.3 to 0.7; predictions on ambiguous segments do not count.
val_evaluator = dict(type='TemporalMAP', protocol='thumos', dedup=True)
test_evaluator = val_evaluator
