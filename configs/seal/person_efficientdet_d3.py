_base_ = ['./person_efficientdet_d0.py']

# EfficientDet-D3 on all of COCO: 47.2 AP on test-dev, 46.8 on val (paper, version 7, Table 2); 47.2 on val by mmdet's
# own training, whose weights are published. Not measured here.
image_size = 896
model = dict(
    backbone=dict(
        arch='b3',
        drop_path_rate=0.3,
        init_cfg=dict(
            checkpoint='https://download.openmmlab.com/mmclassification/v0/efficientnet/'
            'efficientnet-b3_3rdparty_8xb32-aa-advprop_in1k_20220119-53b41118.pth'
        ),
    ),
    neck=dict(in_channels=[48, 136, 384], out_channels=160, num_layers=6),
    bbox_head=dict(in_channels=160, stacked_convs=4),
)

train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='mmdet.LoadAnnotations', with_bbox=True),
    dict(
        type='mmdet.RandomResize',
        scale=(image_size, image_size),
        ratio_range=(0.1, 2.0),
        resize_type='mmdet.Resize',
        keep_ratio=True,
    ),
    dict(type='mmdet.RandomCrop', crop_size=(image_size, image_size)),
    dict(type='mmdet.RandomFlip', prob=0.5),
    dict(type='mmdet.PackDetInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='mmdet.Resize', scale=(image_size, image_size), keep_ratio=True),
    dict(type='mmdet.LoadAnnotations', with_bbox=True),
    dict(type='mmdet.PackDetInputs', meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor')),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
