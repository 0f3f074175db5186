# THUMOS14 as whole videos: native rows in windows, trained on its validation set, tested on its test set.
_base_ = ['./activitynet_features.py']
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

_dataset = dict(
    data_root=data_root,
    ann_file=ann_file,
    features=features,
    missing='refuse',
    aside='Ambiguous',
    hint=hint,
    pipeline=train_pipeline,
)
train_dataloader = dict(dataset=dict(subset=train_subset, **_dataset))
val_dataloader = dict(dataset=dict(subset=test_subset, window_rows=rows, **_dataset))
test_dataloader = val_dataloader
del _dataset

# The numbers of tools/evaluate.py thumos, temporal IoU 0.3 to 0.7; predictions on ambiguous segments do not count.
val_evaluator = dict(_delete_=True, type='TemporalMAP', protocol='thumos', dedup=True)
test_evaluator = val_evaluator
