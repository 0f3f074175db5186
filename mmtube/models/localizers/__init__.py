from .anchor_free import AnchorFreeLocalizer
from .faster_tad import FasterTAD
from .joint import JointLocalizer, SharedStem
from .stem import StreamStem
from .tubelet_detector import TubeletActionDetector

__all__ = [
    'AnchorFreeLocalizer',
    'FasterTAD',
    'JointLocalizer',
    'SharedStem',
    'StreamStem',
    'TubeletActionDetector',
]
