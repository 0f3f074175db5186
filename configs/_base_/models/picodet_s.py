# PP-PicoDet-S, the release of 2022: PP-LCNet x0.75, LC-PAN, PicoHeadV2. 1.16 M parameters with one class.
model = dict(
    type='mmdet.SingleStageDetector',
    data_preprocessor=dict(
        type='mmdet.DetDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        pad_size_divisor=32,
    ),
    backbone=dict(type='PPLCNet', scale=0.75),
    neck=dict(type='LCPAN', in_channels=[96, 192, 384], out_channels=96),
    bbox_head=dict(
        type='PicoHeadV2',
        num_classes=80,
        in_channels=96,
        anchor_generator=dict(
            type='mmdet.AnchorGenerator',
            ratios=[1.0],
            octave_base_scale=5,
            scales_per_octave=1,
            strides=[8, 16, 32, 64],
            center_offset=0.5,
        ),
        bbox_coder=dict(type='mmdet.DistancePointBBoxCoder'),
        loss_cls=dict(type='mmdet.QualityFocalLoss', use_sigmoid=True, beta=2.0, loss_weight=1.0),
        loss_dfl=dict(type='mmdet.DistributionFocalLoss', loss_weight=0.25),
        loss_bbox=dict(type='mmdet.GIoULoss', loss_weight=2.0),
    ),
    train_cfg=dict(
        assigner=dict(type='mmdet.ATSSAssigner', topk=9, iou_calculator=dict(type='mmdet.BboxOverlaps2D')),
        allowed_border=-1,
        pos_weight=-1,
        debug=False,
    ),
    test_cfg=dict(
        nms_pre=1000, min_bbox_size=0, score_thr=0.025, nms=dict(type='nms', iou_threshold=0.5), max_per_img=100
    ),
)
