_base_ = ['atomic_tubes.py']

# Complex activities, of which a person has one at a time, from features of the network that knows them.
task = 'complex'
label_map = f'annotations/label_map_{task}.json'
model = dict(num_classes=21, multi_label=False, max_per_sequence=100)
here = dict(task=task, label_map=label_map, features=[_base_.activities])
train_dataloader = dict(dataset=here)
val_dataloader = dict(dataset=here)
test_dataloader = dict(dataset=here)
val_evaluator = dict(task=task, label_map=_base_.data_root + label_map)
test_evaluator = val_evaluator
