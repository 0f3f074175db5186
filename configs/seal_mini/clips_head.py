_base_ = ['./clips_baseline.py']

# The head of the baseline trained on, on features that were made once: what the interactions are measured against.
load_from = 'work_dirs/clips_baseline/epoch_3.pth'
objects = 'annotations/objects_{}.json'
# Who and what is near somebody is to be seen, so whole frames are looked at.
train_pipeline = [
    dict(type='SampleSEALClip', clip_len=8, frame_interval=8),
    dict(type='JitterBoxes'),
    dict(type='DecodeWindow', short_side=240),
    dict(type='mmaction.Flip', flip_ratio=0.5),
    dict(type='mmaction.FormatShape', input_format='NCTHW', collapse=True),
    dict(type='PackSEALClip'),
]
# An object of SEAL-mini has a true box, five a clip at most.
train_dataloader = dict(
    batch_size=8,
    collate_fn=dict(type='pseudo_collate', _delete_=True),
    dataset=dict(objects=objects.format('train'), pipeline=train_pipeline),
)
val_dataloader = dict(dataset=dict(objects=objects.format('val')))
test_dataloader = dict(dataset=dict(objects=objects.format('test')))

max_epochs = 15
train_cfg = dict(
    _delete_=True,
    type='StoredFeatureTrainLoop',
    max_epochs=max_epochs,
    batch_size=32,
    cache='work_dirs/clips_features/train.pth',
    val_interval=max_epochs,
)
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(lr=3e-3))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.05, by_epoch=False, begin=0, end=50),
    dict(type='CosineAnnealingLR', eta_min_ratio=0.01, T_max=max_epochs, by_epoch=True, convert_to_iter_based=True),
]
