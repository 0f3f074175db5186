# Boxes in, tubelets out, by motion and overlap alone: for `tools/track.py` without a film. Chosen on the validation films
# of SEAL-mini and by reasoning; one configuration for every sequence.
default_scope = 'mmtube'
tracker = dict(
    type='DeepSORTTracker',
    min_score=0.3,
    high_score=0.6,  # ByteTrack's, for detectors whose scores are probabilities
    # Overlap with the prediction is a gate by itself, and the cascade serves appearance: both cost IDs here.
    age_cascade=False,
    max_gating_distance=float('inf'),
    reupdate=True,
    match_last_box=True,
    max_age=30,
)
gap_filler = dict(type='GapFiller', max_gap=30)
# What is seen in fewer than six frames, or was mostly filled in, is rather a detector's slip than a person.
tube_filter = dict(
    type='TubeFilter', min_boxes=6, min_duration_s=0, min_mean_score=0, still_mean_score=0, min_density=0.5
)
