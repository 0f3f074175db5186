_base_ = 'mmdet::faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py'

# Faster R-CNN, ResNet-50 with FPN, of MMDetection for people alone, from its published weights (37.4 AP on all of COCO
# val, MMDetection's model zoo; not measured here).
person = dict(metainfo=dict(classes=('person',), palette=[(220, 20, 60)]))
model = dict(backbone=dict(init_cfg=None), roi_head=dict(bbox_head=dict(num_classes=1)))
train_dataloader = dict(dataset=person)
val_dataloader = dict(dataset=person)
test_dataloader = val_dataloader
load_from = (
    'https://download.openmmlab.com/mmdetection/v2.0/faster_rcnn/faster_rcnn_r50_fpn_1x_coco/'
    'faster_rcnn_r50_fpn_1x_coco_20200130-047c8118.pth'
)
