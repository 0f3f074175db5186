_base_ = ['../_base_/deepsort.py']

# SEAL's way from a film to tubes (Sec. 3.1 and 3.2): detector, central subjects, DeepSORT, linking over long gaps.
default_scope = 'mmtube'
batch_size = 1  # frames per forward pass of the detector

frame_source = dict(type='FrameSource', look_ahead=8)
# Another detector is one line: dict(type='PersonDetector', model='mmdet::rtmdet/rtmdet_tiny_8xb32-300e_coco.py').
detector = dict(
    type='PersonDetector',
    model='mmtube::person/picodet_s_coco_person.py',
    checkpoint='mmtube://picodet_s_person_fp16.pth',
    score_thr=0.2,
)
shot_detector = dict(type='ShotDetector')
selector = dict(type='SubjectSelector', top_k=8, central=(0.95, 0.95))
appearance = dict(type='ColorHistogram')
describer = dict(type='TubeletDescriber')
# A weak box extends a track but starts none, and neither does a second box on somebody who has a track.
tracker = dict(min_score=0.2, high_score=0.5, max_birth_overlap=0.7)
splitter = dict(type='TubeletSplitter')
# Costs are in cosine distance of the appearance above; tools/analysis/calibrate_linking.py sets max_cost for another.
linker = dict(
    type='TubeLinker',
    max_cost=0.2,
    max_gap_s=60,
    scale_cost=0.2,  # a person half as high after the gap costs 0.14
    weak_cost=0.05,
    near_bonus=0.15,  # going on where the motion led is worth as much as looking the same
    min_margin=0.02,
)
tube_filter = dict(type='TubeFilter')
switch_corrector = None  # dict(type='IDSwitchCorrector')
subject_chooser = None  # dict(type='SubjectChooser'): at most three people at a time

# Actions. A stage that is None is not run, and the result says so.
# RowClipClassifier scores clips from the rows of tubelet_features, where both are one network: one pass for both.
clip_classifier = None  # dict(type='ClipClassifier', model='mmaction::detection/...', checkpoint=...)
# A network with O blocks (AlphAction) also takes the five best objects of each key frame. In its dict():
#     object_detector=dict(type='ObjectDetector', model='mmdet::rtmdet/rtmdet_tiny_8xb32-300e_coco.py')
# Without it, or without its weights, the network sees no objects, and the result says so.
tubelet_features = None
tubelet_detector = None
