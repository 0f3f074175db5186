default_scope = 'mmtube'

# Slowfast-T (SEAL, Sec. 4): 32 frames at 30 per second every 4, 4 boxes per second, 7.5 rows per second of 2304 numbers
# each. The network sees all 32 frames, its slow pathway every 4th. The weights are those of a network trained on SEAL
# Clips with the same sampling: give them with --checkpoint.
model = dict(
    type='TubeletExtractor',
    stream='slowfast_t',
    fps=30,
    window=32,
    stride=4,
    box_fps=4,
    dim=2304,
    short_side=256,
    network=dict(
        data_preprocessor=dict(type='ClipPreprocessor', pad_size_divisor=1),
        backbone=dict(type='AlphActionSlowFast', depth=50, resample_rate=4, speed_ratio=4),
    ),
    roi=dict(output_size=7, spatial_stride=16, spatial_pool='max'),
)
