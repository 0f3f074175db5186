from .detections import FrameDetections
from .linking import apply_links, split_tubelets, without_link
from .tube import TASKS, Segment, Tube
from .tubelet_rows import TubeletRows
from .video_result import Link, StageReport, VideoInfo, VideoResult

__all__ = [
    'TASKS',
    'FrameDetections',
    'Link',
    'Segment',
    'StageReport',
    'Tube',
    'TubeletRows',
    'VideoInfo',
    'VideoResult',
    'apply_links',
    'split_tubelets',
    'without_link',
]
