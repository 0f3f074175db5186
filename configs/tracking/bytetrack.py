_base_ = ['./motion.py']

# ByteTrack's association (arXiv 2110.06864): weak boxes down to 0.1, overlap of a fifth, no gate.
tracker = dict(min_score=0.1, max_iou_distance=0.8, max_gating_distance=float('inf'), n_init=2)
