from .detections import FrameDetections
from .link_proposal import LinkProposal, TubeletSplit
from .linking import apply_links, apply_splits, split_tubelets, without_link
from .tube import TASKS, Segment, Tube
from .tubelet_look import TubeletLook
from .tubelet_rows import TubeletRows
from .video_result import Link, StageReport, VideoInfo, VideoResult

__all__ = [
    'TASKS',
    'FrameDetections',
    'Link',
    'LinkProposal',
    'Segment',
    'StageReport',
    'Tube',
    'TubeletLook',
    'TubeletRows',
    'TubeletSplit',
    'VideoInfo',
    'VideoResult',
    'apply_links',
    'apply_splits',
    'split_tubelets',
    'without_link',
]
