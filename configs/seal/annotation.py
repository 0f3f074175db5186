_base_ = ['tube_pipeline.py']

# The four steps of SEAL's spatial annotation (Sec. 3.2) with tools/data/seal/annotate.py; see docs/annotation.md.
selector = dict(central=(0.8, 0.9))  # the subjects of a film are in its middle (Sec. 3.1)
switch_corrector = dict(_delete_=True, type='IDSwitchCorrector', max_run=6)
# Of an algorithm's tubelets only what is obviously no person goes: boxes of a few frames, or weak all along.
tube_filter = dict(min_boxes=3, min_duration_s=0, min_mean_score=0.4, still_mean_score=0.4, min_density=0)
subject_chooser = dict(_delete_=True, type='SubjectChooser', top_k=50, max_active=3, min_head=1 / 3)
