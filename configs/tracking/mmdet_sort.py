_base_ = ['./mmdet_bytetrack.py']

# mmdet's SORT with the values of its own configs, for comparison.
tracker = dict(
    tracker=dict(
        type='mmdet.SORTTracker',
        motion=dict(type='KalmanFilter', center_only=False),
        obj_score_thr=0.5,
        match_iou_thr=0.5,
        num_tentatives=2,
        num_frames_retain=100,
    )
)
