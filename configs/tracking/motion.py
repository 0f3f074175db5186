# Boxes in, tubelets out, by motion and overlap alone: for `tools/track.py` without a film. One configuration for every
# sequence, chosen on the validation films of SEAL-mini and on generated streets of pedestrians (README.md).
default_scope = 'mmtube'
tracker = dict(
    type='DeepSORTTracker',
    min_score=0.3,
    high_score=0.6,  # ByteTrack's, for detectors whose scores are probabilities
    # The cascade by age is for appearance: by overlap alone it takes boxes from whom they fit best.
    age_cascade=False,
    max_gating_distance=18.467,  # the 99.9 % quantile: 95 % cuts off people who turn or bend
    max_age=30,
)
gap_filler = dict(type='GapFiller', max_gap=30)
# What is seen in fewer than six frames, or was mostly filled in, is rather a detector's slip than a person.
tube_filter = dict(
    type='TubeFilter', min_boxes=6, min_duration_s=0, min_mean_score=0, still_mean_score=0, min_density=0.4
)
