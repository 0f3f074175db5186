# A small network over 16 frames for SEAL-mini: the first layer looks at three frames at once and halves their number,
# the later stages mix time again. People are small: the maps keep a cell for 8 pixels.
model = dict(
    type='ClipActionDetector',
    data_preprocessor=dict(type='ClipPreprocessor'),
    backbone=dict(
        type='mmaction.ResNet3d',
        depth=18,
        pretrained=None,
        pretrained2d=False,
        base_channels=24,
        conv1_kernel=(3, 7, 7),
        conv1_stride_t=2,
        pool1_stride_t=1,
        num_stages=3,
        out_indices=(2,),
        spatial_strides=(1, 2, 1),
        temporal_strides=(1, 1, 1),
        dilations=(1, 1, 1),
        inflate=(0, 1, 1),
        zero_init_residual=False,
    ),
    roi_head=dict(
        type='TubeRoIHead',
        roi_extractor=dict(type='RoIOverTime', spatial_stride=8),
        head=dict(
            type='ClipActionHead',
            in_channels=96,
            channels=256,
            num_classes=35,
            num_hidden=1,
            loss=dict(type='GroupedFocalLoss', groups=(15, 6, 14)),  # pose, person-person, person-object
        ),
    ),
)
