from .merging import merge_annotations
from .report import report_text
from .summary import Statistics, annotation_statistics, class_names
from .synergy import PUBLISHED_COVERAGE, PUBLISHED_OTHERS, PUBLISHED_SAME
from .tables import PUBLISHED, table_text

__all__ = [
    'PUBLISHED',
    'PUBLISHED_COVERAGE',
    'PUBLISHED_OTHERS',
    'PUBLISHED_SAME',
    'Statistics',
    'annotation_statistics',
    'class_names',
    'merge_annotations',
    'report_text',
    'table_text',
]
