_base_ = ['./motion.py']

# OC-SORT's observation-centric re-update and recovery (arXiv 2203.14360) on strong boxes alone, no gate.
tracker = dict(min_score=0.6, max_gating_distance=float('inf'), reupdate=True, match_last_box=True)
