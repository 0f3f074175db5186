# DeepSORT with the values of its authors' code (Wojke et al.), and the holes filled that it bridges.
tracker = dict(
    type='DeepSORTTracker',
    min_score=0.3,  # the value of the paper
    max_cosine_distance=0.2,
    nn_budget=100,
    max_iou_distance=0.7,
    max_age=30,
    n_init=3,
)
gap_filler = dict(type='GapFiller', max_gap=30)
