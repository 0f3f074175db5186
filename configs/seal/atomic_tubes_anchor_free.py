_base_ = [
    '../_base_/models/anchor_free.py',
    '../_base_/datasets/seal_tubes.py',
    '../_base_/schedules/anchor_free.py',
    '../_base_/default_runtime.py',
]

# The rival of Faster-TAD on atomic actions; SEAL, Table 4 has 40.82 for top60 with Faster-TAD on Slowfast-T.
model = dict(stem=dict(dims=[2304]), num_classes=172)
# The detector looks at a whole tubelet in windows itself, and suppresses what two of them found.
pipeline = [dict(type='LoadTubeletFeatures'), dict(type='PackTubelet')]
val_dataloader = dict(dataset=dict(window_rows=None, pipeline=pipeline))
test_dataloader = val_dataloader
