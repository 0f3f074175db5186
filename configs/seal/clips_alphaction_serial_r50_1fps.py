_base_ = ['./clips_slowfast_r50.py']

# AlphAction with interaction blocks, one after another.
# SEAL, Table 3, 1 box per second, variant not named: frame mAP top50 81.02, top50-100 69.75, top150 67.49.
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
