_base_ = ['./video_reid_r50_mars.py']

# The strong baseline itself: a sequence is one image, a batch 16 identities x 4 images. Market-1501, published
# (arXiv 1903.07071): mAP 85.9, rank-1 94.5. Not measured here.
data_root = 'data/market1501/'
model = dict(num_identities=751)

one_image = dict(type='SampleSequence', length=1)
train_pipeline = [one_image, *_base_.train_pipeline[1:]]
train_dataloader = dict(
    batch_size=64,
    sampler=dict(num_identities=16),
    dataset=dict(data_root=data_root, layout='market', pipeline=train_pipeline),
)
val_dataloader = dict(
    batch_size=64,
    dataset=dict(
        datasets=[
            dict(
                type='MARSSequences',
                data_root=data_root,
                split=split,
                layout='market',
                test_mode=True,
                pipeline=_base_.test_pipeline,
            )
            for split in ('query', 'gallery')
        ]
    ),
)
test_dataloader = val_dataloader
