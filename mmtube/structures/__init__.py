from .detections import FrameDetections
from .link_proposal import LinkProposal
from .linking import apply_links, split_tubelets, without_link
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
    'VideoInfo',
    'VideoResult',
    'apply_links',
    'split_tubelets',
    'without_link',
]
