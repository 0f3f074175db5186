from .decode_window import DecodeWindow
from .pack_clip import PackSEALClip
from .sample_clip import SampleSEALClip
from .sequence import LoadSequence, PackSequence, SampleSequence
from .tubelet import LoadTubeletFeatures, PackTubelet, TubeletRescale, TubeletWindow

__all__ = [
    'DecodeWindow',
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
