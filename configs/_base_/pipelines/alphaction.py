# AlphAction's input (github.com/MVIG-SJTU/AlphAction): 64 frames at 25 per second, of which the backbone takes its own;
# the short side 256 and the long one at most 464, whole frames in training too.
alphaction_train = [
    dict(type='SampleSEALClip', clip_len=64, frame_interval=1),
    dict(type='JitterBoxes'),
    dict(type='DecodeWindow', short_side=256),
    dict(type='mmaction.Resize', scale=(464, 256)),
    dict(type='JitterClipColors', hue=20, saturation=0.1, value=0.1),
    dict(type='mmaction.Flip', flip_ratio=0.5),
    dict(type='mmaction.FormatShape', input_format='NCTHW', collapse=True),
    dict(type='PackSEALClip'),
]
alphaction_test = [
    dict(type='SampleSEALClip', clip_len=64, frame_interval=1),
    dict(type='DecodeWindow', short_side=256),
    dict(type='mmaction.Resize', scale=(464, 256)),
    dict(type='mmaction.FormatShape', input_format='NCTHW', collapse=True),
    dict(type='PackSEALClip'),
]
