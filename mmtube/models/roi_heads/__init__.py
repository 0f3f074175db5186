from .clip_action_detector import ClipActionDetector
from .clip_classifier import ClipClassifier
from .clip_features import ClipFeatures, FeatureBank
from .clip_head import ClipActionHead
from .clip_preprocessor import ClipPreprocessor
from .interaction import InteractionAggregation, InteractionBlock
from .memory_pool import MemoryEntry, MemoryPool
from .roi_over_time import RoIOverTime, nearest_slots, slice_times
from .row_classifier import RowClipClassifier
from .tube_roi_head import TubeRoIHead

__all__ = [
    'ClipActionDetector',
    'ClipActionHead',
    'ClipClassifier',
    'ClipFeatures',
    'ClipPreprocessor',
    'FeatureBank',
    'InteractionAggregation',
    'InteractionBlock',
    'MemoryEntry',
    'MemoryPool',
    'RoIOverTime',
    'RowClipClassifier',
    'TubeRoIHead',
    'nearest_slots',
    'slice_times',
]
