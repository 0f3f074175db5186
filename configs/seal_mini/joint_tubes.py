_base_ = ['atomic_tubes.py']

# Atomic actions and complex activities together, from both streams; what atomic actions go on in a row is told to the
# detector of complex activities.
model = dict(
    _delete_=True,
    type='JointLocalizer',
    stem=dict(dims=[96, 96], channels=128),
    atomic=dict(type='FasterTAD', num_classes=35, multi_label=True),
    complex=dict(type='FasterTAD', num_classes=21),
    max_per_sequence=300,
)
here = dict(
    task='joint',
    label_map=['annotations/label_map_atomic.json', 'annotations/label_map_complex.json'],
    features=[_base_.activities, _base_.clips],
)
train_dataloader = dict(dataset=here)
val_dataloader = dict(dataset=here)
test_dataloader = dict(dataset=here)
ranges = dict(atomic=(0, 35), complex=(35, 56))
val_evaluator = [
    dict(
        type='TubeletMAP',
        task=task,
        ann_file=_base_.data_root + 'annotations/val.json',
        label_range=labels,
        prefix=task,
    )
    for task, labels in ranges.items()
]
test_evaluator = [
    dict(
        type='TubeletMAP',
        task=task,
        ann_file=_base_.data_root + 'annotations/test.json',
        label_range=labels,
        prefix=task,
    )
    for task, labels in ranges.items()
]
