from .crop_around_person import CropAroundPerson
from .decode_window import DecodeWindow
from .jitter_boxes import JitterBoxes
from .jitter_colors import JitterClipColors
from .load_film_frame import LoadFilmFrame
from .pack_clip import PackSEALClip
from .repeat import RepeatTransforms
from .sample_clip import SampleSEALClip
from .sequence import LoadSequence, PackSequence, SampleSequence
from .sequence_augment import EraseSequence, PadCropSequence
from .tubelet import LoadTubeletFeatures, PackTubelet, TubeletRescale, TubeletWindow
from .video_features import LoadVideoFeatures

__all__ = [
    'CropAroundPerson',
    'DecodeWindow',
    'EraseSequence',
    'JitterBoxes',
    'JitterClipColors',
    'LoadFilmFrame',
    'LoadSequence',
    'LoadTubeletFeatures',
    'LoadVideoFeatures',
    'PackSEALClip',
    'PackSequence',
    'PackTubelet',
    'PadCropSequence',
    'RepeatTransforms',
    'SampleSEALClip',
    'SampleSequence',
    'TubeletRescale',
    'TubeletWindow',
]
