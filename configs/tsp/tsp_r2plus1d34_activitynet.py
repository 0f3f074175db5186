_base_ = ['../_base_/datasets/activitynet_clips.py', '../_base_/default_runtime.py']

# TSP (arXiv 2011.11479) of R(2+1)D-34 on ActivityNet, at the settings of the paper and its code.
model = dict(
    type='TSPRecognizer',
    num_classes=200,
    in_channels=512,
    global_channels=512,
    action_weight=1.0,
    region_weight=1.0,
    data_preprocessor=dict(
        type='ClipPreprocessor',
        mean=(110.2008, 100.63983, 95.99475),
        std=(58.14765, 56.46975, 55.332195),
        pad_size_divisor=1,
    ),
    backbone=dict(type='R2Plus1D34TSP'),
)
# Trained on IG-65M and Kinetics-400; tools/model_converters/tsp_to_mmtube.py makes it of the released weights.
load_from = 'checkpoints/r2plus1d34_ig65m_k400.pth'

train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=8, val_interval=1)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
# Classifiers at 2e-3, the backbone at 1e-4, its stem at 0; for each GPU with a batch of 32.
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=2e-3, momentum=0.9, weight_decay=0.005),
    paramwise_cfg=dict(custom_keys={'backbone.': dict(lr_mult=0.05), 'backbone.conv1.': dict(lr_mult=0.0)}),
)
auto_scale_lr = dict(enable=True, base_batch_size=32)
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-5, by_epoch=True, begin=0, end=2, convert_to_iter_based=True),
    dict(type='MultiStepLR', milestones=[4, 6], gamma=0.01, by_epoch=True, begin=0, end=8),
]
default_hooks = dict(checkpoint=dict(interval=1, max_keep_ckpts=3, save_best='region/mean_class_accuracy'))
