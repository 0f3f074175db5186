from .checker import COLUMN_RULES, FILM_RULES, HINTS, TRACE_RULES, Report, check_annotations, rule_text
from .columns import Columns
from .fixes import Change, fix_annotations
from .merging import merge_classes
from .relabel import Doubt, relabel_queue
from .split_rules import activitynet_findings, leak_findings

__all__ = [
    'COLUMN_RULES',
    'FILM_RULES',
    'HINTS',
    'TRACE_RULES',
    'Change',
    'Columns',
    'Doubt',
    'Report',
    'activitynet_findings',
    'check_annotations',
    'fix_annotations',
    'leak_findings',
    'merge_classes',
    'relabel_queue',
    'rule_text',
]
