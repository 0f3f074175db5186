_base_ = [
    '../_base_/models/picodet_s.py',
    '../_base_/datasets/coco_person.py',
    '../_base_/schedules/adamw_12e.py',
    '../_base_/default_runtime.py',
]

# Fine-tuning of the person detector that ships with the package. Published for all 80 classes of COCO at 416x416:
# PicoDet-S, 32.5 mAP; not measured here for this class, size and recipe.
model = dict(bbox_head=dict(num_classes=1))
optim_wrapper = dict(optimizer=dict(lr=2e-4))
load_from = 'mmtube://picodet_s_person_fp16.pth'
