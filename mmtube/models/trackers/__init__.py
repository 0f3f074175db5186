from .appearance import ColorHistogram
from .deepsort import DeepSORTTracker
from .gap_filler import GapFiller
from .id_switches import IDChange, IDSwitchCorrector
from .kalman import KalmanState
from .shot_detector import ShotDetector
from .subject_chooser import SubjectChooser, guess_heads, longest_tubes
from .subject_selector import SubjectSelector
from .tube_filter import TubeFilter
from .tube_linker import TubeLinker
from .tubelet_describer import TubeletDescriber
from .tubelet_splitter import TubeletSplitter

__all__ = [
    'ColorHistogram',
    'DeepSORTTracker',
    'GapFiller',
    'IDChange',
    'IDSwitchCorrector',
    'KalmanState',
    'ShotDetector',
    'SubjectChooser',
    'SubjectSelector',
    'TubeFilter',
    'TubeLinker',
    'TubeletDescriber',
    'TubeletSplitter',
    'guess_heads',
    'longest_tubes',
]
