default_scope = 'mmtube'

# Features of the network of clips_baseline.py: its 8 frames of 2.56 s around the middle of a window, 3.125 rows per
# second. They are to SEAL-mini what Slowfast-T is to SEAL.
model = dict(
    type='TubeletExtractor',
    stream='clips',
    fps=25,
    window=8,
    layout='span64',
    stride=8,
    box_fps=4,
    dim=96,
    short_side=240,
    pad_divisor=8,
    network='mmtube::seal_mini/clips_baseline.py',
    roi=dict(spatial_stride=8),
)
