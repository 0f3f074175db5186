_base_ = ['complex_tubes.py']

# The same with what the network of atomic actions sees beside it.
model = dict(stem=dict(dims=[96, 96]))
here = dict(features=[_base_.activities, _base_.clips])
train_dataloader = dict(dataset=here)
val_dataloader = dict(dataset=here)
test_dataloader = dict(dataset=here)
