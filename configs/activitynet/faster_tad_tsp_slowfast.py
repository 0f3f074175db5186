_base_ = './faster_tad_tsp.py'

# With features of the whole frame by SEAL's SlowFast beside TSP: average mAP 35.98 published (SEAL, Table 6).
model = dict(stem=dict(dims=[512, 2304]))
features = [
    *_base_.features,
    dict(folder='features/slowfast_frame', file='{vid}.npz', stream='slowfast_r50_frame', dim=2304),
]
train_dataloader = dict(dataset=dict(features=features))
val_dataloader = dict(dataset=dict(features=features))
test_dataloader = val_dataloader
