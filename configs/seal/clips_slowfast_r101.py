_base_ = [
    '../_base_/models/alphaction_slowfast_r101.py',
    '../_base_/datasets/seal_clips_alphaction.py',
    '../_base_/schedules/alphaction.py',
    '../_base_/default_runtime.py',
]

# "The basic framework" of AlphAction by our reading: on AVA this one has the 29.3 that SEAL begins with (Table 5).
# SEAL, Table 3, 1 box per second, variant not named: frame mAP top50 81.02, top50-100 69.75, top150 67.49.
