_base_ = [
    '../_base_/models/alphaction_slowfast_r50.py',
    '../_base_/datasets/seal_clips_alphaction.py',
    '../_base_/schedules/alphaction.py',
    '../_base_/default_runtime.py',
]

# AlphAction's baseline without interaction, the smaller backbone, on SEAL Clips.
# SEAL, Table 3, 1 box per second, variant not named: frame mAP top50 81.02, top50-100 69.75, top150 67.49.
