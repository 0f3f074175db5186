_base_ = ['./alphaction_dense_r50_ava22.py']

# The same on AVA 2.1, for which AlphAction releases no model and no number.
train_dataloader = dict(
    dataset=dict(
        ann_file='annotations/ava_train_v2.1.csv',
        exclude_file='annotations/ava_train_excluded_timestamps_v2.1.csv',
        label_file='annotations/ava_action_list_v2.1.pbtxt',
    )
)
val_dataloader = dict(
    dataset=dict(
        ann_file='annotations/ava_val_v2.1.csv',
        exclude_file='annotations/ava_val_excluded_timestamps_v2.1.csv',
        label_file='annotations/ava_action_list_v2.1.pbtxt',
    )
)
test_dataloader = val_dataloader
val_evaluator = dict(
    ann_file=_base_.data_root + 'annotations/ava_val_v2.1.csv',
    exclude_file=_base_.data_root + 'annotations/ava_val_excluded_timestamps_v2.1.csv',
    label_file=_base_.data_root + 'annotations/ava_action_list_v2.1_for_activitynet_2018.pbtxt',
)
test_evaluator = val_evaluator
