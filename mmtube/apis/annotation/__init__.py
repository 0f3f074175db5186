"""The four steps of SEAL's spatial annotation (Sec. 3.2): coarse, short refine, long merge, long refine."""

from .changes import Change, ChangeList, read_changes, write_changes
from .cli import annotation_parser
from .coarse import CoarseStep, split_at_cuts
from .corrected import adopt, import_corrected, read_corrected, with_corrected
from .films import BadFilms, FilmParts
from .long_merge import LongMergeStep, merge_persons
from .long_refine import choose_subjects, long_refine, review_merges
from .short_refine import refine_by_hand, short_refine
from .tables import read_stage, refuse_overwriting, write_stage

__all__ = [
    'BadFilms',
    'Change',
    'ChangeList',
    'CoarseStep',
    'FilmParts',
    'LongMergeStep',
    'adopt',
    'annotation_parser',
    'choose_subjects',
    'import_corrected',
    'long_refine',
    'merge_persons',
    'read_changes',
    'read_corrected',
    'read_stage',
    'refine_by_hand',
    'refuse_overwriting',
    'review_merges',
    'short_refine',
    'split_at_cuts',
    'with_corrected',
    'write_changes',
    'write_stage',
]
