# For SEAL-mini: the backbone of its person detector looks at 8 frames, as it is, and two 3D blocks learn motion on its
# maps of 8 pixels a cell.
model = dict(
    type='ClipActionDetector',
    data_preprocessor=dict(type='ClipPreprocessor', mean=(123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375)),
    backbone=dict(
        type='FramesThenTime',
        frames=dict(type='PPLCNet', scale=0.75, out_stages=(4,)),
        in_channels=96,
        channels=(64, 96),
        temporal_strides=(2, 1),
        frozen=True,
        pretrained='mmtube://picodet_s_seal_mini.pth',
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
