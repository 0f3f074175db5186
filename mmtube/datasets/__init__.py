from importlib import import_module
from typing import Any

from .clip_index import ClipIndex, clip_index
from .frame_source import Frame, FrameSource

# These need torch, which takes seconds to import and which reading a film does not need.
LAZY = {
    'AVAStyle': 'ava_style',
    'ActionTubes': 'action_tubes',
    'MARSSequences': 'mars',
    'SEALClips': 'seal_clips',
    'SEALFrames': 'seal_frames',
    'SEALTubes': 'seal_tubes',
    'UntrimmedClips': 'untrimmed_clips',
    'VideoFeatures': 'video_features',
    'tubelet_collate': 'collate',
}
__all__ = ['ClipIndex', 'Frame', 'FrameSource', 'clip_index', *LAZY]


def __getattr__(name: str) -> Any:
    if name not in LAZY:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    return getattr(import_module(f'.{LAZY[name]}', __name__), name)
