# EfficientDet-D0 (https://arxiv.org/abs/1911.09070, Table 1): EfficientNet-B0, BiFPN of 3 layers and 64 channels, heads
# of 3 convolutions, 3.9 M parameters with 90 classes. D3 is B3, 6 layers, 160 channels, 4 convolutions, 12 M.
norm_cfg = dict(type='BN', eps=1e-3, momentum=0.01)
model = dict(
    type='mmdet.SingleStageDetector',
    data_preprocessor=dict(
        type='mmdet.DetDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        pad_size_divisor=128,  # the coarsest stride
    ),
    backbone=dict(
        type='mmdet.EfficientNet',
        arch='b0',
        drop_path_rate=0.2,
        out_indices=(3, 4, 5),
        norm_cfg=norm_cfg,  # its convolutions pad as TensorFlow's by default
    ),
    neck=dict(type='BiFPN', in_channels=[40, 112, 320], out_channels=64, num_layers=3, norm_cfg=norm_cfg),
    bbox_head=dict(
        type='EfficientDetHead',
        num_classes=80,
        in_channels=64,
        stacked_convs=3,
        norm_cfg=norm_cfg,
        anchor_generator=dict(
            type='mmdet.AnchorGenerator',
            octave_base_scale=4,
            scales_per_octave=3,
            ratios=[1.0, 0.5, 2.0],
            strides=[8, 16, 32, 64, 128],
            center_offset=0.5,
        ),
        bbox_coder=dict(
            type='mmdet.DeltaXYWHBBoxCoder', target_means=(0.0, 0.0, 0.0, 0.0), target_stds=(1.0, 1.0, 1.0, 1.0)
        ),
        loss_cls=dict(type='mmdet.FocalLoss', use_sigmoid=True, alpha=0.25, gamma=1.5),
        # The authors' Huber loss, delta 0.1, weight 50, mean over the 4 coordinates: Huber is delta times smooth L1.
        loss_bbox=dict(type='mmdet.SmoothL1Loss', beta=0.1, loss_weight=50 * 0.1 / 4),
    ),
    train_cfg=dict(
        assigner=dict(
            type='mmdet.MaxIoUAssigner',
            pos_iou_thr=0.5,
            neg_iou_thr=0.5,
            min_pos_iou=0,
            ignore_iof_thr=-1,
            iou_calculator=dict(type='mmdet.BboxOverlaps2D'),
        ),
        sampler=dict(type='mmdet.PseudoSampler'),
        allowed_border=-1,
        pos_weight=-1,
        debug=False,
    ),
    test_cfg=dict(
        nms_pre=1000, min_bbox_size=0, score_thr=0.05, nms=dict(type='nms', iou_threshold=0.5), max_per_img=100
    ),
)
