_base_ = ['./motion.py']

# ByteTrack's association (arXiv 2110.06864): two rounds by score, all confirmed tracks at once, no re-update.
tracker = dict(min_score=0.1, high_score=0.6, max_iou_distance=0.8, reupdate=False, match_last_box=False, n_init=2)
