# MARS, sequences of images of persons: 8 identities x 4 sequences x 6 images in a batch (SEAL, Sec. 3.2).
dataset_type = 'MARSSequences'
data_root = 'data/mars/'

train_pipeline = [
    dict(type='SampleSequence', length=6),
    dict(type='LoadSequence', size=(256, 128)),
    # Flip and shift are one for the sequence, what is erased differs from image to image.
    dict(type='mmaction.Flip', flip_ratio=0.5),
    dict(type='PadCropSequence', padding=10),
    dict(type='EraseSequence', prob=0.5, area=(0.02, 0.4), min_aspect=0.3),
    dict(type='PackSequence'),
]
test_pipeline = [
    dict(type='SampleSequence', length=64, test_mode=True),
    dict(type='LoadSequence', size=(256, 128)),
    dict(type='PackSequence'),
]

train_dataloader = dict(
    batch_size=32,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='PKSequenceSampler', num_identities=8, num_sequences=4),
    dataset=dict(type=dataset_type, data_root=data_root, split='train', pipeline=train_pipeline),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='ConcatDataset',
        datasets=[
            dict(type=dataset_type, data_root=data_root, split=split, test_mode=True, pipeline=test_pipeline)
            for split in ('query', 'gallery')
        ],
    ),
)
test_dataloader = val_dataloader

# CMC and mAP by cosine distance; a tracklet's own person in its own camera is taken out of the gallery.
val_evaluator = dict(type='ReIDMetric')
test_evaluator = val_evaluator
