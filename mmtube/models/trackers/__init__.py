from .appearance import ColorHistogram
from .camera_motion import CameraMotion
from .deepsort import DeepSORTTracker
from .gap_filler import GapFiller
from .gaussian_smoother import GaussianSmoother
from .id_switches import IDChange, IDSwitchCorrector
from .kalman import KalmanState
from .mmdet_tracker import MMDetTracker
from .shot_detector import ShotDetector
from .subject_chooser import SubjectChooser, guess_heads, longest_tubes
from .subject_selector import SubjectSelector
from .tube_filter import TubeFilter
from .tube_linker import TubeLinker
from .tubelet_describer import TubeletDescriber
from .tubelet_splitter import TubeletSplitter

__all__ = [
    'CameraMotion',
    'ColorHistogram',
    'DeepSORTTracker',
    'GapFiller',
    'GaussianSmoother',
    'IDChange',
    'IDSwitchCorrector',
    'KalmanState',
    'MMDetTracker',
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
