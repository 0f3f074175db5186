from .anchor_free import AnchorFreeLocalizer
from .faster_tad import FasterTAD
from .stem import StreamStem
from .tubelet_detector import TubeletActionDetector

__all__ = ['AnchorFreeLocalizer', 'FasterTAD', 'StreamStem', 'TubeletActionDetector']
