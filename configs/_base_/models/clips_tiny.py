# A small network over 16 frames for SEAL-mini: the first layer looks at five frames at once and halves their number,
# the later stages mix time again. 18 times fewer channels than SlowFast's 2304.
model = dict(
    type='ClipActionDetector',
    data_preprocessor=dict(type='ClipPreprocessor'),
    backbone=dict(
        type='mmaction.ResNet3d',
        depth=18,
        pretrained=None,
        pretrained2d=False,
        base_channels=16,
        conv1_kernel=(5, 7, 7),
        conv1_stride_t=2,
        pool1_stride_t=1,
        spatial_strides=(1, 2, 2, 1),
        temporal_strides=(1, 1, 1, 1),
        inflate=(0, 0, 1, 1),
        zero_init_residual=False,
    ),
    roi_head=dict(
        type='TubeRoIHead',
        roi_extractor=dict(type='RoIOverTime', spatial_stride=16),
        head=dict(
            type='ClipActionHead',
            in_channels=128,
            channels=256,
            num_classes=35,
            num_hidden=1,
            loss=dict(type='GroupedFocalLoss', groups=(15, 6, 14)),  # pose, person-person, person-object
        ),
    ),
)
