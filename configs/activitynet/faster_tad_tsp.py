_base_ = [
    '../_base_/models/faster_tad.py',
    '../_base_/datasets/activitynet_features.py',
    '../_base_/schedules/faster_tad.py',
    '../_base_/default_runtime.py',
]

# Faster-TAD on TSP: average mAP 35.32 published, without an external classifier (SEAL, Table 6).
model = dict(stem=dict(dims=[512]), num_classes=200, multi_label=False, window_rows=None, max_per_sequence=100)
