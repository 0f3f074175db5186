_base_ = 'mmdet::rtmdet/rtmdet_tiny_8xb32-300e_coco.py'

# RTMDet-tiny of MMDetection for people alone, from its published weights (40.9 AP on all of COCO val, MMDetection's
# model zoo; not measured here). Training goes on with its recipe of 300 epochs; less are --cfg-options.
person = dict(metainfo=dict(classes=('person',), palette=[(220, 20, 60)]))
model = dict(backbone=dict(init_cfg=None), bbox_head=dict(num_classes=1))
train_dataloader = dict(dataset=person)
val_dataloader = dict(dataset=person)
test_dataloader = val_dataloader
load_from = (
    'https://download.openmmlab.com/mmdetection/v3.0/rtmdet/rtmdet_tiny_8xb32-300e_coco/'
    'rtmdet_tiny_8xb32-300e_coco_20220902_112414-78e30dcc.pth'
)
