_base_ = './complex_tubes.py'

# SEAL, Table 4: complex activities on TSP-T and Slowfast-T, average mAP top50 83.85, top120 66.93, top200 50.47.
model = dict(stem=dict(dims=[512, 2304]))
features = [
    dict(folder='features/tsp_t', stream='tsp_t', fps=15, window=16, stride=2, dim=512),
    dict(folder='features/slowfast_t', stream='slowfast_t', fps=30, window=32, stride=4, dim=2304),
]
train_dataloader = dict(dataset=dict(features=features))
val_dataloader = dict(dataset=dict(features=features))
test_dataloader = val_dataloader
