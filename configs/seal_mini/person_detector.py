_base_ = [
    '../_base_/models/picodet_s.py',
    '../_base_/datasets/seal_mini_people.py',
    '../_base_/schedules/adamw_12e.py',
    '../_base_/default_runtime.py',
]

# The person detector that ships with the package, fine-tuned on the rendered people of SEAL-mini.
# People who cover one another stay apart: of the validation films' frames 0.6 and 0.65 find most, 0.5 loses some.
model = dict(bbox_head=dict(num_classes=1), test_cfg=dict(nms=dict(iou_threshold=0.6)))
max_epochs = 2
train_cfg = dict(max_epochs=max_epochs)
optim_wrapper = dict(optimizer=dict(lr=5e-4))
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-2, by_epoch=False, begin=0, end=50),
    dict(
        type='CosineAnnealingLR',
        eta_min_ratio=0.01,
        T_max=max_epochs,
        by_epoch=True,
        begin=0,
        end=max_epochs,
        convert_to_iter_based=True,
    ),
]
load_from = 'mmtube://picodet_s_person_fp16.pth'
custom_hooks = [dict(type='ChannelsLastHook')]
