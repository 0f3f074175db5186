# Everybody in the frames of SEAL-mini, for person detectors; tools/data/seal_mini/render.py makes data/seal_mini/.
# Another data set in the SEAL schema, in which everybody is annotated, differs by data_root and perhaps ann_file.
dataset_type = 'SEALFrames'
data_root = 'data/seal_mini/'

train_pipeline = [
    dict(type='LoadFilmFrame'),
    dict(type='mmdet.LoadAnnotations', with_bbox=True),
    dict(type='mmdet.RandomResize', scale=[(272, 204), (320, 240)], resize_type='mmdet.Resize', keep_ratio=True),
    dict(type='mmdet.RandomFlip', prob=0.5),
    dict(type='mmdet.PhotoMetricDistortion'),
    dict(type='mmdet.PackDetInputs'),
]
test_pipeline = [
    dict(type='LoadFilmFrame'),
    dict(type='mmdet.Resize', scale=(416, 312), keep_ratio=True),  # finds more of the small than their own 320x240
    dict(type='mmdet.LoadAnnotations', with_bbox=True),
    dict(
        type='mmdet.PackDetInputs',
        meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor', 'instances'),
    ),
]

train_dataloader = dict(
    batch_size=16,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file='annotations/people_train.json',
        data_prefix=dict(video='videos'),
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file='annotations/people_val.json',
        data_prefix=dict(video='videos'),
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
test_dataloader = dict(
    batch_size=1,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file='annotations/people_test.json',
        data_prefix=dict(video='videos'),
        test_mode=True,
        pipeline=test_pipeline,
    ),
)

# The ground truth comes with the samples, no COCO file is needed.
val_evaluator = dict(type='mmdet.CocoMetric', metric='bbox')
test_evaluator = val_evaluator
