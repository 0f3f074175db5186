# The strong baseline (arXiv 1903.07071) on sequences (SEAL, Sec. 3.2): ResNet-50 whose last stage keeps its resolution.
model = dict(
    type='VideoReID',
    data_preprocessor=dict(type='SequencePreprocessor', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375]),
    backbone=dict(
        type='mmdet.ResNet',
        depth=50,
        strides=(1, 2, 2, 1),
        out_indices=(3,),
        norm_eval=False,
        # PyTorch's ImageNet weights, the ones that the baseline starts from.
        init_cfg=dict(type='Pretrained', checkpoint='https://download.pytorch.org/models/resnet50-0676ba61.pth'),
    ),
    in_channels=2048,
    num_identities=625,
    label_smoothing=0.1,
    loss_triplet=dict(type='mmdet.TripletLoss', margin=0.3),
    loss_center=dict(loss_weight=0.0005, lr=0.5),
)
