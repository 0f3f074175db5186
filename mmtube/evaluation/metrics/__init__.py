from .base import EvaluationMetric
from .frame_map import FrameMAP
from .linking import LinkingMetric
from .proposal_recall import ProposalRecall
from .recognition import RecognitionMetric
from .reid import ReIDMetric
from .temporal_map import TemporalMAP, TubeletMAP
from .tracking import TrackingMetric
from .video_map import VideoMAP

__all__ = [
    'EvaluationMetric',
    'FrameMAP',
    'LinkingMetric',
    'ProposalRecall',
    'ReIDMetric',
    'RecognitionMetric',
    'TemporalMAP',
    'TrackingMetric',
    'TubeletMAP',
    'VideoMAP',
]
