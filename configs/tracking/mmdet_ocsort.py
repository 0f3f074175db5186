_base_ = ['./mmdet_bytetrack.py']

# mmdet's OC-SORT, for comparison.
tracker = dict(tracker=dict(type='mmdet.OCSORTTracker'))
