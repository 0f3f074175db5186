_base_ = ['./motion.py']

# mmdet's ByteTrack, for comparison.
tracker = dict(
    _delete_=True,
    type='MMDetTracker',
    tracker=dict(type='mmdet.ByteTracker', motion=dict(type='KalmanFilter')),
    min_boxes=3,
)
