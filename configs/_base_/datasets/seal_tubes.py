# SEAL Tubes: actions over time on features of tubelets (SEAL, Sec. 4). A leaf changes data_root, task and streams.
dataset_type = 'SEALTubes'
data_root = 'data/seal/'
task = 'atomic'
label_map = f'annotations/label_map_{task}.json'
# What the feature files must say of themselves; another extractor is refused.
features = [dict(folder='features/slowfast_t', stream='slowfast_t', fps=30, window=32, stride=4, dim=2304)]
hint = (
    "SEAL's data are not public. Below data_root are expected annotations/{train,val}.json, label_map_{task}.json and "
    'class_rank_{task}.json there, and the folders of features that the config names (docs/features.md); '
    'configs/seal_mini/atomic_tubes.py and complex_tubes.py run without them'
)

# Native rows (7.5 per second) in windows of 512; for complex activities dict(type='TubeletRescale', rows=128) instead.
train_pipeline = [
    dict(type='LoadTubeletFeatures'),
    dict(type='TubeletWindow', rows=512),
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
        ann_file='annotations/train.json',
        task=task,
        label_map=label_map,
        features=features,
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
        ann_file='annotations/val.json',
        task=task,
        label_map=label_map,
        features=features,
        hint=hint,
        window_rows=512,
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader
# The numbers of tools/evaluate.py tubelet; the class rank beside the annotations gives top60 and the like.
val_evaluator = dict(
    type='TubeletMAP', task=task, label_map=data_root + label_map, ann_file=data_root + 'annotations/val.json'
)
test_evaluator = val_evaluator
