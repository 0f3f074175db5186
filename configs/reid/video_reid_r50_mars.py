_base_ = [
    '../_base_/models/video_reid_r50.py',
    '../_base_/datasets/mars.py',
    '../_base_/schedules/reid_120e.py',
    '../_base_/default_runtime.py',
]

# SEAL's re-ID (Sec. 3.2): batches of 8 identities x 4 sequences x 6 images of MARS. SEAL publishes no score of it.
# For orientation, a ResNet-50 without BNNeck, mean over clips of 4 frames: mAP 75.8, rank-1 83.1
# (github.com/jiyanggao/Video-Person-ReID). Not measured here.
model = dict(num_identities=625)
default_hooks = dict(checkpoint=dict(interval=10))
