# SEAL Clips: windows of 2 s every 1 s with the people in them (SEAL, Sec. 3.2). A leaf changes data_root:
# SEAL itself, SEAL-mini, or anything that tools/data/convert.py brought into the SEAL schema.
dataset_type = 'SEALClips'
data_root = 'data/seal/'
label_map = 'annotations/label_map_atomic.json'
boxes_per_s = 1  # or 4 (SEAL, Table 3)
hint = (
    "SEAL's data are not public. Below data_root are expected annotations/{train,val}.json, label_map_atomic.json and "
    'class_rank_atomic.json, and videos/; configs/seal_mini/clips_baseline.py runs without them'
)

# 32 frames, every second one of 64 at 25 fps around the key time; the short side at most 256.
train_pipeline = [
    dict(type='SampleSEALClip', clip_len=32, frame_interval=2, random_shift=True),
    dict(type='DecodeWindow', short_side=320),
    dict(type='mmaction.RandomRescale', scale_range=(256, 320)),
    dict(type='mmaction.RandomCrop', size=256),
    dict(type='mmaction.Flip', flip_ratio=0.5),
    dict(type='mmaction.FormatShape', input_format='NCTHW', collapse=True),
    dict(type='PackSEALClip'),
]
test_pipeline = [
    dict(type='SampleSEALClip', clip_len=32, frame_interval=2),
    dict(type='DecodeWindow', short_side=256),
    dict(type='mmaction.FormatShape', input_format='NCTHW', collapse=True),
    dict(type='PackSEALClip'),
]

train_dataloader = dict(
    batch_size=8,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),  # or dict(type='ClassBalancedSampler')
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file='annotations/train.json',
        label_map=label_map,
        boxes_per_s=boxes_per_s,
        hint=hint,
        data_prefix=dict(video='videos/'),
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file='annotations/val.json',
        label_map=label_map,
        boxes_per_s=boxes_per_s,
        hint=hint,
        data_prefix=dict(video='videos/'),
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader

# Frame mAP at IoU 0.5 over all classes and over the most frequent ones (SEAL, Table 3), by the frozen order of classes
# that tools/data/seal/build_clips.py writes.
val_evaluator = dict(
    type='FrameMAP',
    class_rank=data_root + 'annotations/class_rank_atomic.json',
    subset=['top50', 'top50-100', 'top150'],
)
test_evaluator = val_evaluator
