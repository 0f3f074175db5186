# SEAL-mini as clips: tools/data/seal_mini/render.py makes data/seal_mini/. Smaller than SEAL's: 16 frames of 112 pixels
# over the same 2.56 s, for a network that trains on two cores.
_base_ = ['./seal_clips.py']
data_root = 'data/seal_mini/'
hint = 'tools/data/seal_mini/render.py --out data/seal_mini makes them'

train_pipeline = [
    dict(type='SampleSEALClip', clip_len=16, frame_interval=4, random_shift=True),
    dict(type='DecodeWindow', short_side=128),
    dict(type='mmaction.RandomRescale', scale_range=(112, 128)),
    dict(type='mmaction.RandomCrop', size=112),
    dict(type='mmaction.Flip', flip_ratio=0.5),
    dict(type='mmaction.FormatShape', input_format='NCTHW', collapse=True),
    dict(type='PackSEALClip'),
]
test_pipeline = [
    dict(type='SampleSEALClip', clip_len=16, frame_interval=4),
    dict(type='DecodeWindow', short_side=112),
    dict(type='mmaction.FormatShape', input_format='NCTHW', collapse=True),
    dict(type='PackSEALClip'),
]
train_dataloader = dict(dataset=dict(data_root=data_root, hint=hint, pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(data_root=data_root, hint=hint, pipeline=test_pipeline))
test_dataloader = val_dataloader

val_evaluator = dict(_delete_=True, type='FrameMAP')  # it has too few classes for SEAL's subsets
test_evaluator = val_evaluator
