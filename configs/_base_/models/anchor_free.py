# ActionFormer (arXiv 2202.07925) at half its width, for actions that may be at one place together, on native rows in
# windows. A leaf sets stem.dims and num_classes; for one class at a place multi_label=False. TriDet's parts are
# pyramid=dict(mixer='sgp'), boundary='distribution'.
model = dict(
    type='AnchorFreeLocalizer',
    stem=dict(dims=[2304], channels=256, stream_dropout=0.1),
    num_classes=172,
    multi_label=True,
    pyramid=dict(channels=256, num_levels=6, mixer='attention'),
    window_rows=512,
    nms=dict(sigma=0.5),
    max_per_sequence=200,
)
