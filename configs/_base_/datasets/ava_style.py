# AVA, or any set with AVA's csv: films of any rate and length. Boxes are fractions of the frame, labels count from 1.
dataset_type = 'AVAStyle'
data_root = 'data/ava/'
label_file = 'annotations/ava_action_list_v2.2.pbtxt'
time_offset_s = 0.0  # 900 where the films are AVA's minutes 15 to 30, cut out

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
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file='annotations/ava_train_v2.2.csv',
        label_file=label_file,
        exclude_file='annotations/ava_train_excluded_timestamps_v2.2.csv',
        time_offset_s=time_offset_s,
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
        ann_file='annotations/ava_val_v2.2.csv',
        label_file=label_file,
        exclude_file='annotations/ava_val_excluded_timestamps_v2.2.csv',
        time_offset_s=time_offset_s,
        data_prefix=dict(video='videos/'),
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader
