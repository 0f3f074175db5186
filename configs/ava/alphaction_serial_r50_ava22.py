_base_ = ['./slowfast_r50_ava22.py']

# Published: frame mAP 29.8 as released, 29.6 in the paper (github.com/MVIG-SJTU/AlphAction, MODEL_ZOO.md).
model = dict(
    roi_head=dict(
        interaction=dict(type='InteractionAggregation', structure='serial', blocks='POMPOM'),
        memory=dict(past_s=30, future_s=30, per_second=5),
    )
)
train_dataloader = dict(dataset=dict(objects='annotations/objects_train.json', max_objects=5))
val_dataloader = dict(dataset=dict(objects='annotations/objects_val.json', max_objects=5))
test_dataloader = val_dataloader
custom_hooks = [dict(type='MemoryPoolHook')]
val_cfg = dict(type='TwoPassValLoop')
test_cfg = dict(type='TwoPassTestLoop')

train_cfg = dict(max_iters=110000)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.25, by_epoch=False, begin=0, end=2000),
    dict(type='MultiStepLR', milestones=[70000, 90000], gamma=0.1, by_epoch=False, begin=0, end=110000),
]
