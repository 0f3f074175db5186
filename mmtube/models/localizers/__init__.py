from .stem import StreamStem
from .tubelet_detector import TubeletActionDetector

__all__ = ['StreamStem', 'TubeletActionDetector']
