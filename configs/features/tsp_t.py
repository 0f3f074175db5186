default_scope = 'mmtube'

# TSP-T (SEAL, Sec. 4): 16 frames at 15 per second every 2, 2 boxes per second, on the rows of Slowfast-T. The weights
# are those that TSP (arXiv 2011.11479) publishes for ActivityNet, converted by tools/model_converters/tsp_to_mmtube.py.
# Mean and deviation, for pixels from 0 to 255, and the choice of frames are TSP's.
model = dict(
    type='TubeletExtractor',
    stream='tsp_t',
    fps=15,
    window=16,
    stride=2,
    box_fps=2,
    dim=512,
    short_side=128,
    pick='before',
    network=dict(
        data_preprocessor=dict(
            type='ClipPreprocessor',
            mean=(110.2008, 100.63983, 95.99475),
            std=(58.14765, 56.46975, 55.332195),
            pad_size_divisor=1,
        ),
        backbone=dict(type='R2Plus1D34TSP'),
    ),
    # TSP learns with the mean over the map, so a person is the mean over the bins; a box for each of two time cells.
    roi=dict(output_size=7, spatial_stride=16, spatial_pool='avg'),
)
