# AlphAction's baseline (arXiv 2004.07485): SlowFast R50 4x16, people pooled over time, a head of two hidden layers.
model = dict(
    type='ClipActionDetector',
    data_preprocessor=dict(
        type='ClipPreprocessor',
        mean=[122.7717, 115.9465, 102.9801],
        std=[57.375, 57.375, 57.375],
        pad_size_divisor=16,
    ),
    backbone=dict(
        type='AlphActionSlowFast',
        depth=50,
        resample_rate=16,
        speed_ratio=8,
        # tools/model_converters/alphaction_to_mmtube.py makes it of the released Kinetics-700 weights.
        pretrained='checkpoints/alphaction_slowfast_r50_4x16_k700.pth',
    ),
    roi_head=dict(
        type='TubeRoIHead',
        roi_extractor=dict(type='RoIOverTime', output_size=7, spatial_stride=16, aligned=False, spatial_pool='max'),
        head=dict(
            type='ClipActionHead',
            in_channels=2304,
            channels=1024,
            num_classes=172,
            num_hidden=2,
            dropout=0.2,
            loss=dict(type='GroupedFocalLoss', groups=(61, 15, 96), gamma=2.0),
        ),
        test_enlarge=(0.1, 0.05),
    ),
)
