_base_ = [
    '../_base_/models/anchor_free.py',
    '../_base_/datasets/activitynet_features.py',
    '../_base_/schedules/anchor_free.py',
    '../_base_/default_runtime.py',
]

# The rival of Faster-TAD on the same features.
model = dict(stem=dict(dims=[512]), num_classes=200, multi_label=False, window_rows=None, max_per_sequence=100)
