_base_ = 'mmdet::yolox/yolox_tiny_8xb8-300e_coco.py'

# YOLOX-tiny of MMDetection for people alone, from its published weights (32.0 AP on all of COCO val, MMDetection's
# model zoo; not measured here).
person = dict(metainfo=dict(classes=('person',), palette=[(220, 20, 60)]))
model = dict(bbox_head=dict(num_classes=1))
train_dataloader = dict(dataset=dict(dataset=person))  # its mosaic is made of the data set within
val_dataloader = dict(dataset=person)
test_dataloader = val_dataloader
load_from = (
    'https://download.openmmlab.com/mmdetection/v2.0/yolox/yolox_tiny_8x8_300e_coco/'
    'yolox_tiny_8x8_300e_coco_20211124_171234-b4047906.pth'
)
