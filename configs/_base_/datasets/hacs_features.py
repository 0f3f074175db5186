# HACS Segments as whole videos: features stretched to 224 rows. A leaf changes the streams.
_base_ = ['./activitynet_features.py']
data_root = 'data/hacs/'
ann_file = 'annotations/HACS_segments_v1.1.1.json'
# Of a Video Swin-B trained on HACS Clips; its grid is not published, this is that of TSP: 16 frames at 15 per second.
features = [dict(folder='features/swin', file='{vid}.npy', fps=15, window=16, stride=16, dim=1024)]
rows = 224
hint = (
    'Below data_root are expected annotations/HACS_segments_v1.1.1.json and the folders of features that the config '
    'names (configs/hacs/README.md); configs/seal_mini/complex_tubes.py runs without them'
)

train_pipeline = [
    dict(type='LoadVideoFeatures'),
    dict(type='TubeletRescale', rows=rows),
    dict(type='PackTubelet'),
]
test_pipeline = train_pipeline

_dataset = dict(data_root=data_root, ann_file=ann_file, features=features, hint=hint, pipeline=train_pipeline)
train_dataloader = dict(dataset=_dataset)
val_dataloader = dict(dataset=_dataset)
test_dataloader = val_dataloader
del _dataset

val_evaluator = dict(ann_file=data_root + ann_file)
test_evaluator = val_evaluator
