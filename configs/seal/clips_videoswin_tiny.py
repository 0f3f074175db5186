_base_ = ['./clips_slowfast_r50_k400.py']

# Video Swin-T (arXiv 2106.13230) of MMAction2 in the place of SlowFast: 32 frames, every second one of 64; one map of
# stride 32 and 768 channels. Not a setting of SEAL.
weights = 'https://download.openmmlab.com/mmaction/v1.0/recognition/swin/swin-tiny-p244-w877_in1k-pre_8xb8-amp-32x2x1-30e_kinetics400-rgb/'
model = dict(
    data_preprocessor=dict(pad_size_divisor=32),
    backbone=dict(
        _delete_=True,
        type='mmaction.SwinTransformer3D',
        arch='tiny',
        pretrained2d=False,
        patch_size=(2, 4, 4),
        window_size=(8, 7, 7),
        drop_path_rate=0.1,
    ),
    roi_head=dict(roi_extractor=dict(spatial_stride=32), head=dict(in_channels=768)),
    init_cfg=dict(
        type='Pretrained',
        checkpoint=weights + 'swin-tiny-p244-w877_in1k-pre_8xb8-amp-32x2x1-30e_kinetics400-rgb_20220930-241016b2.pth',
    ),
)
sample = dict(type='SampleSEALClip', clip_len=32, frame_interval=2)
train_dataloader = dict(dataset=dict(pipeline=[dict(random_shift=True, **sample), *_base_.alphaction_train[1:]]))
val_dataloader = dict(dataset=dict(pipeline=[sample, *_base_.alphaction_test[1:]]))
test_dataloader = val_dataloader

# MMAction2's recipe of Video Swin on Kinetics: the backbone learns at a tenth of the rate of the head.
optim_wrapper = dict(
    _delete_=True,
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=1e-3, betas=(0.9, 0.999), weight_decay=0.02),
    constructor='mmaction.SwinOptimWrapperConstructor',
    paramwise_cfg=dict(
        absolute_pos_embed=dict(decay_mult=0.0),
        relative_position_bias_table=dict(decay_mult=0.0),
        norm=dict(decay_mult=0.0),
        backbone=dict(lr_mult=0.1),
    ),
)
auto_scale_lr = dict(base_batch_size=64)
