# A quarter of the width of a ResNet-18, 0.7 M parameters: for the people of SEAL-mini, and for tests.
model = dict(
    type='VideoReID',
    data_preprocessor=dict(type='SequencePreprocessor', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375]),
    backbone=dict(
        type='mmdet.ResNet',
        depth=18,
        stem_channels=16,
        base_channels=16,
        strides=(1, 2, 2, 1),
        out_indices=(3,),
        norm_eval=False,
    ),
    in_channels=128,
    num_identities=291,
    label_smoothing=0.1,
    loss_triplet=dict(type='mmdet.TripletLoss', margin=0.3),
    loss_center=dict(loss_weight=0.0005, lr=0.5),
)
