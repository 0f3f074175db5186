_base_ = [
    '../_base_/models/efficientdet.py',
    '../_base_/datasets/coco_person.py',
    '../_base_/schedules/efficientdet_300e.py',
    '../_base_/default_runtime.py',
]

# The detector that SEAL names (Sec. 3.1) without its size. EfficientDet-D0 on all of COCO: 34.6 AP on test-dev, 34.3 on
# val (https://arxiv.org/abs/1911.09070, version 7, Table 2). Not measured here.
# Weights that mmdet publishes (its projects/EfficientDet) are brought to this form, for load_from or checkpoint=, by
# tools/model_converters/mmdet_efficientdet_to_mmtube.py.
image_size = 512
model = dict(
    backbone=dict(
        init_cfg=dict(  # fetched when training begins without load_from; None starts from nothing
            type='Pretrained',
            prefix='backbone',
            checkpoint='https://download.openmmlab.com/mmclassification/v0/efficientnet/'
            'efficientnet-b0_3rdparty_8xb32-aa-advprop_in1k_20220119-26434485.pth',
        )
    ),
    bbox_head=dict(num_classes=1),
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
