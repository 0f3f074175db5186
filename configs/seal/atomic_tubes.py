_base_ = [
    '../_base_/models/faster_tad.py',
    '../_base_/datasets/seal_tubes.py',
    '../_base_/schedules/faster_tad.py',
    '../_base_/default_runtime.py',
]

# SEAL, Table 4: atomic actions on Slowfast-T, average mAP (tIoU 0.5 to 0.95) of the 60 most frequent classes 40.82.
model = dict(stem=dict(dims=[2304]), num_classes=172)
# The detector looks at a whole tubelet in windows itself, and suppresses what two of them found.
pipeline = [dict(type='LoadTubeletFeatures'), dict(type='PackTubelet')]
val_dataloader = dict(dataset=dict(window_rows=None, pipeline=pipeline))
test_dataloader = val_dataloader
