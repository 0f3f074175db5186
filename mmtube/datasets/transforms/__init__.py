from .decode_window import DecodeWindow
from .jitter_boxes import JitterBoxes
from .pack_clip import PackSEALClip
from .sample_clip import SampleSEALClip
from .sequence import LoadSequence, PackSequence, SampleSequence
from .tubelet import LoadTubeletFeatures, PackTubelet, TubeletRescale, TubeletWindow

__all__ = [
    'DecodeWindow',
    'JitterBoxes',
    'LoadSequence',
    'LoadTubeletFeatures',
    'PackSEALClip',
    'PackSequence',
    'PackTubelet',
    'SampleSEALClip',
    'SampleSequence',
    'TubeletRescale',
    'TubeletWindow',
]
