_base_ = [
    '../_base_/models/anchor_free.py',
    '../_base_/datasets/seal_tubes.py',
    '../_base_/schedules/anchor_free.py',
    '../_base_/default_runtime.py',
]

# The rival of Faster-TAD on complex activities; SEAL, Table 4 has top50 82.92, top120 66.40, top200 49.71 with
# Faster-TAD on TSP-T.
model = dict(stem=dict(dims=[512]), num_classes=200, multi_label=False, window_rows=None, max_per_sequence=100)
task = 'complex'
label_map = f'annotations/label_map_{task}.json'
features = [dict(folder='features/tsp_t', stream='tsp_t', fps=15, window=16, stride=2, dim=512)]
# Whole tubelets, stretched to 128 rows.
pipeline = [dict(type='LoadTubeletFeatures'), dict(type='TubeletRescale', rows=128), dict(type='PackTubelet')]
train_dataloader = dict(dataset=dict(task=task, label_map=label_map, features=features, pipeline=pipeline))
val_dataloader = dict(
    dataset=dict(task=task, label_map=label_map, features=features, window_rows=None, pipeline=pipeline)
)
test_dataloader = val_dataloader
val_evaluator = dict(task=task, label_map=_base_.data_root + label_map)
test_evaluator = val_evaluator
