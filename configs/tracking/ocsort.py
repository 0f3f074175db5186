_base_ = ['./motion.py']

# OC-SORT's observation-centric re-update and recovery (arXiv 2203.14360) on one round of strong boxes.
tracker = dict(min_score=0.6, high_score=0.6)
