from mmtube.datasets.film_folder import list_films

from .cli import pipeline_parser
from .gallery import describe_gallery
from .inferencer import TubeInferencer, count_people
from .pipeline_config import build_stage, load_pipeline
from .progress import ProgressLine
from .stages import StageClock, describe_tubelets, detect_people, links_within, refine_tubes, track_people

__all__ = [
    'ProgressLine',
    'StageClock',
    'TubeInferencer',
    'build_stage',
    'count_people',
    'describe_gallery',
    'describe_tubelets',
    'detect_people',
    'links_within',
    'list_films',
    'load_pipeline',
    'pipeline_parser',
    'refine_tubes',
    'track_people',
]
