_base_ = [
    '../_base_/datasets/seal_tubes.py',
    '../_base_/schedules/faster_tad.py',
    '../_base_/default_runtime.py',
]

# Atomic actions and complex activities of a tubelet from one set of features, TSP-T and Slowfast-T. The paper finds
# each alone; its gain of 0.76 by atomic features (SEAL, Table 4) is that of the two streams.
tsp, slowfast = 512, 2304
model = dict(
    type='JointLocalizer',
    stem=dict(dims=[tsp, slowfast]),
    atomic=dict(type='FasterTAD', num_classes=172, multi_label=True),
    complex=dict(type='FasterTAD', num_classes=200),
    window_rows=512,
    max_per_sequence=300,
)
features = [
    dict(folder='features/tsp_t', stream='tsp_t', fps=15, window=16, stride=2, dim=tsp),
    dict(folder='features/slowfast_t', stream='slowfast_t', fps=30, window=32, stride=4, dim=slowfast),
]
label_maps = ['annotations/label_map_atomic.json', 'annotations/label_map_complex.json']
pipeline = [dict(type='LoadTubeletFeatures'), dict(type='PackTubelet')]
train_dataloader = dict(dataset=dict(task='joint', label_map=label_maps, features=features))
val_dataloader = dict(
    dataset=dict(task='joint', label_map=label_maps, features=features, window_rows=None, pipeline=pipeline)
)
test_dataloader = val_dataloader
ann_file = _base_.data_root + 'annotations/val.json'
val_evaluator = [
    dict(type='TubeletMAP', task='atomic', ann_file=ann_file, label_range=(0, 172), prefix='atomic'),
    dict(type='TubeletMAP', task='complex', ann_file=ann_file, label_range=(172, 372), prefix='complex'),
]
test_evaluator = val_evaluator
