# SEAL-mini's tubelets with features of its own networks, made by tools/run_seal_mini.py in data/seal_mini/features/.
_base_ = ['./seal_tubes.py']
data_root = 'data/seal_mini/'
clips = dict(folder='features/clips', stream='clips', fps=25, window=8, stride=8, dim=96)
activities = dict(folder='features/activities', stream='activities', fps=25, window=8, stride=8, dim=96)
features = [clips]
hint = (
    '.venv/bin/python tools/data/seal_mini/render.py makes annotations and films, tools/extract_features.py with '
    'seal_mini/features_clips and seal_mini/features_activities the features'
)

# 3.125 rows per second of films of at most a minute: no windows.
pipeline = [dict(type='LoadTubeletFeatures'), dict(type='PackTubelet')]
here = dict(data_root=data_root, features=features, hint=hint, pipeline=pipeline)
train_dataloader = dict(num_workers=0, persistent_workers=False, dataset=here)
val_dataloader = dict(num_workers=0, persistent_workers=False, dataset=dict(window_rows=None, **here))
test_dataloader = dict(
    num_workers=0,
    persistent_workers=False,
    dataset=dict(window_rows=None, ann_file='annotations/test.json', **here),
)
val_evaluator = dict(
    label_map=data_root + 'annotations/label_map_atomic.json', ann_file=data_root + 'annotations/val.json'
)
test_evaluator = dict(
    label_map=data_root + 'annotations/label_map_atomic.json', ann_file=data_root + 'annotations/test.json'
)
