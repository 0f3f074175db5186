_base_ = ['./clips_slowfast_r50_k400.py']

# VideoMAE ViT-B (arXiv 2203.12602) of MMAction2 in the place of SlowFast, as MMAction2 trains it on AVA-Kinetics: 16
# frames, every fourth one of 64; one map of stride 16 and 768 channels. Not a setting of SEAL.
weights = 'https://download.openmmlab.com/mmaction/v1.0/recognition/videomae/'
model = dict(
    backbone=dict(
        _delete_=True,
        type='mmaction.VisionTransformer',
        img_size=224,
        patch_size=16,
        embed_dims=768,
        depth=12,
        num_heads=12,
        mlp_ratio=4,
        qkv_bias=True,
        num_frames=16,
        norm_cfg=dict(type='LN', eps=1e-6),
        drop_path_rate=0.2,
        use_mean_pooling=False,
        return_feat_map=True,
    ),
    roi_head=dict(head=dict(in_channels=768)),
    init_cfg=dict(
        type='Pretrained',
        checkpoint=weights + 'vit-base-p16_videomae-k400-pre_16x4x1_kinetics-400_20221013-860a3cd3.pth',
    ),
)
sample = dict(type='SampleSEALClip', clip_len=16, frame_interval=4)
train_dataloader = dict(dataset=dict(pipeline=[dict(random_shift=True, **sample), *_base_.alphaction_train[1:]]))
val_dataloader = dict(dataset=dict(pipeline=[sample, *_base_.alphaction_test[1:]]))
test_dataloader = val_dataloader

# MMAction2's recipe: the rate falls by a quarter from layer to layer, towards the pixels.
optim_wrapper = dict(
    _delete_=True,
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=1.25e-4, weight_decay=0.05),
    constructor='mmaction.LearningRateDecayOptimizerConstructor',
    paramwise_cfg=dict(decay_rate=0.75, decay_type='layer_wise', num_layers=12),
    clip_grad=dict(max_norm=40, norm_type=2),
)
auto_scale_lr = dict(base_batch_size=64)
