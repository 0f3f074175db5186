# AVA, or any set with AVA's csv: films of any rate and length. Boxes are fractions of the frame, labels count from 1.
# Sampling, decoding and scaling are those of SEAL Clips.
_base_ = ['./seal_clips.py']
data_root = 'data/ava/'
time_offset_s = 0.0  # 900 where the films are AVA's minutes 15 to 30, cut out

dataset = dict(
    _delete_=True,
    type='AVAStyle',
    data_root=data_root,
    label_file='annotations/ava_action_list_v2.2.pbtxt',
    time_offset_s=time_offset_s,
    data_prefix=dict(video='videos/'),
)
train_dataloader = dict(
    dataset=dict(
        ann_file='annotations/ava_train_v2.2.csv',
        exclude_file='annotations/ava_train_excluded_timestamps_v2.2.csv',
        pipeline={{_base_.train_pipeline}},
        **dataset,
    )
)
val_dataloader = dict(
    dataset=dict(
        ann_file='annotations/ava_val_v2.2.csv',
        exclude_file='annotations/ava_val_excluded_timestamps_v2.2.csv',
        test_mode=True,
        pipeline={{_base_.test_pipeline}},
        **dataset,
    )
)
test_dataloader = val_dataloader

# The official number. AVA scores 60 of its 80 classes: those of the label file of ActivityNet 2019.
val_evaluator = dict(
    _delete_=True,
    type='FrameMAP',
    ann_file=data_root + 'annotations/ava_val_v2.2.csv',
    exclude_file=data_root + 'annotations/ava_val_excluded_timestamps_v2.2.csv',
    label_file=data_root + 'annotations/ava_action_list_v2.2_for_activitynet_2019.pbtxt',
)
test_evaluator = val_evaluator
