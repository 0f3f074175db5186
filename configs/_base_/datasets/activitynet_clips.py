# Clips of ActivityNet 1.3 inside actions and beside them, as TSP (arXiv 2011.11479) reads them: 16 frames at 15 per
# second, 5 clips of each action and of each gap.
dataset_type = 'UntrimmedClips'
data_root = 'data/activitynet/'
ann_file = 'annotations/activity_net.v1-3.min.json'
# Of whole frames, by the network that training begins with; tools/extract_features.py features/tsp_frame writes them.
features = dict(folder='features/tsp_frame', stream='tsp_frame')
sample = dict(type='SampleSEALClip', clip_len=16, frame_interval=1, fps=15)
pack = [
    dict(type='mmaction.FormatShape', input_format='NCTHW', collapse=True),
    dict(type='ToTensor', keys=['gt_region', 'video_feature']),
    dict(
        type='mmaction.PackActionInputs',
        algorithm_keys=('gt_region', 'video_feature'),
        meta_keys=('video_id', 'img_key', 'clip_start_s', 'clip_end_s', 'img_shape'),
    ),
]

# Frames are resized from their own size in one go, as those that features are made of.
train_pipeline = [
    sample,
    dict(type='DecodeWindow'),
    dict(type='mmaction.Resize', scale=(171, 128), keep_ratio=False),
    dict(type='mmaction.RandomCrop', size=112),
    dict(type='mmaction.Flip', flip_ratio=0.5),
    *pack,
]
test_pipeline = [
    sample,
    dict(type='DecodeWindow'),
    dict(type='mmaction.Resize', scale=(171, 128), keep_ratio=False),
    dict(type='mmaction.CenterCrop', crop_size=112),
    *pack,
]

train_dataloader = dict(
    batch_size=32,
    num_workers=8,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file=ann_file,
        split='train',
        features=features,
        clip_s=16 / 15,
        clips_per_segment=5,
        data_prefix=dict(video='videos/'),
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=32,
    num_workers=8,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file=ann_file,
        split='val',
        features=features,
        clip_s=16 / 15,
        clips_per_segment=5,
        data_prefix=dict(video='videos/'),
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader
del sample, pack

# Actions are scored on the clips that have one, regions on all.
val_evaluator = [
    dict(type='RecognitionMetric', prefix='action', task='single', ignore_label=-1),
    dict(
        type='RecognitionMetric',
        prefix='region',
        task='single',
        topk=1,
        score_field='pred_region',
        label_field='gt_region',
        class_names=['background', 'foreground'],
    ),
]
test_evaluator = val_evaluator
