from .appearance import ColorHistogram
from .deepsort import DeepSORTTracker
from .gap_filler import GapFiller
from .kalman import KalmanState
from .shot_detector import ShotDetector
from .subject_selector import SubjectSelector
from .tube_filter import TubeFilter
from .tube_linker import TubeLinker

__all__ = [
    'ColorHistogram',
    'DeepSORTTracker',
    'GapFiller',
    'KalmanState',
    'ShotDetector',
    'SubjectSelector',
    'TubeFilter',
    'TubeLinker',
]
