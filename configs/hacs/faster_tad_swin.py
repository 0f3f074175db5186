_base_ = [
    '../_base_/models/faster_tad.py',
    '../_base_/datasets/hacs_features.py',
    '../_base_/schedules/faster_tad.py',
    '../_base_/default_runtime.py',
]

# Faster-TAD on Video Swin trained on HACS Clips: average mAP 36.92 published (SEAL, Table 6).
model = dict(stem=dict(dims=[1024]), num_classes=200, multi_label=False, window_rows=None, max_per_sequence=100)
