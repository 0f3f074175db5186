# AVA as AlphAction reads it. Training is on annotated boxes, testing on those of a person detector.
_base_ = ['./ava_style.py', '../pipelines/alphaction.py']

train_dataloader = dict(
    batch_size=2,
    num_workers=4,
    batch_sampler=dict(type='mmdet.AspectRatioBatchSampler'),
    dataset=dict(pipeline={{_base_.alphaction_train}}),
)
# Boxes that Facebook published for SlowFast; MMAction2's page on AVA says where they are. AlphAction has its own.
val_dataloader = dict(
    batch_size=2,
    num_workers=4,
    dataset=dict(
        proposal_file='annotations/ava_dense_proposals_val.FAIR.recall_93.9.pkl',
        min_score=0.8,
        pipeline={{_base_.alphaction_test}},
    ),
)
test_dataloader = val_dataloader
