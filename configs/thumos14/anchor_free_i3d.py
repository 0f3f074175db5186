_base_ = [
    '../_base_/models/anchor_free.py',
    '../_base_/datasets/thumos14_features.py',
    '../_base_/schedules/anchor_free.py',
    '../_base_/default_runtime.py',
]

# ActionFormer (arXiv 2202.07925), at twice this width, has a mAP of 71.0 at temporal IoU 0.5 (its abstract).
model = dict(stem=dict(dims=[2048]), num_classes=20)
# The detector looks at a whole video in windows itself.
pipeline = [dict(type='LoadVideoFeatures'), dict(type='PackTubelet')]
val_dataloader = dict(dataset=dict(window_rows=None, pipeline=pipeline))
test_dataloader = val_dataloader
