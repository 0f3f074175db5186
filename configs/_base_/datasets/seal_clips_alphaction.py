# SEAL Clips as AlphAction reads AVA, 2 clips for each of 8 GPUs; upright and wide films are not mixed in a batch.
_base_ = ['./seal_clips.py', '../pipelines/alphaction.py']

train_dataloader = dict(
    batch_size=2,
    num_workers=4,
    batch_sampler=dict(type='mmdet.AspectRatioBatchSampler'),
    dataset=dict(pipeline={{_base_.alphaction_train}}),
)
val_dataloader = dict(batch_size=2, num_workers=4, dataset=dict(pipeline={{_base_.alphaction_test}}))
test_dataloader = val_dataloader
