_base_ = ['./clips_slowfast_r50.py']

# The same with weights that MMAction2 publishes, SlowFast R50 8x8 on Kinetics-400: they come by themselves. Not the
# setting of SEAL or AlphAction, which begin with Kinetics-700.
weights = (
    'https://download.openmmlab.com/mmaction/v1.0/recognition/slowfast/slowfast_r50_8xb8-8x8x1-256e_kinetics400-rgb/'
)
model = dict(
    data_preprocessor=dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375]),
    backbone=dict(
        resample_rate=8,
        speed_ratio=4,
        fusion_kernel=7,
        lateral_bias=False,
        pool_padding=1,
        pretrained=weights + 'slowfast_r50_8xb8-8x8x1-256e_kinetics400-rgb_20220818-1cb6dfc8.pth',
    ),
)
