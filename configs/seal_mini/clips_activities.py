_base_ = ['clips_baseline.py']

# The baseline taught complex activities: whoever is in none has no label. Its features are to SEAL-mini what TSP-T is
# to SEAL, those of a network that knows the activities and when there is one.
task = 'complex'
label_map = f'annotations/label_map_{task}.json'
model = dict(roi_head=dict(head=dict(num_classes=21, loss=dict(groups=(21,)))))
train_dataloader = dict(dataset=dict(task=task, label_map=label_map))
val_dataloader = dict(dataset=dict(task=task, label_map=label_map))
test_dataloader = dict(dataset=dict(task=task, label_map=label_map))
val_evaluator = dict(label_file=f'data/seal_mini/{label_map}')
test_evaluator = val_evaluator
