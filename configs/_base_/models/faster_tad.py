# Faster-TAD (arXiv 2204.02674) by our design, for actions that may be at one place together, on native rows in windows.
# A leaf sets stem.dims and num_classes; multi_label=False for one class at a place, window_rows=None for whole ones.
model = dict(
    type='FasterTAD',
    stem=dict(dims=[2304], channels=256, stream_dropout=0.1),
    num_classes=172,
    multi_label=True,
    window_rows=512,
    nms=dict(sigma=0.5),
    max_per_sequence=200,
)
