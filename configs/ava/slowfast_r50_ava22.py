_base_ = [
    '../_base_/models/alphaction_slowfast_r50.py',
    '../_base_/datasets/ava_alphaction.py',
    '../_base_/schedules/alphaction.py',
    '../_base_/default_runtime.py',
]

# AlphAction's baseline, AVA 2.2, published: frame mAP 26.7 as released, 26.5 in the paper
# (github.com/MVIG-SJTU/AlphAction, MODEL_ZOO.md).

# AVA's columns are 14 poses, 49 actions with objects and 17 with people, of which 60 count. Everybody has one pose.
model = dict(
    roi_head=dict(
        head=dict(
            num_classes=80,
            loss=dict(
                groups=(14, 49, 17),
                names=('pose', 'object', 'person'),
                weights=(1.2, 1.0, 1.0),
                softmax_groups=(0,),
            ),
        )
    )
)

# 90,000 steps without interaction; an epoch has another length.
train_cfg = dict(_delete_=True, type='IterBasedTrainLoop', max_iters=90000, val_interval=10000)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.25, by_epoch=False, begin=0, end=2000),
    dict(type='MultiStepLR', milestones=[50000, 70000], gamma=0.1, by_epoch=False, begin=0, end=90000),
]
default_hooks = dict(checkpoint=dict(by_epoch=False, interval=10000))
log_processor = dict(by_epoch=False)
