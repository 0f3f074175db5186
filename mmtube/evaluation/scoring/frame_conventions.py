"""The conventions by which frame mAP is computed; they give different numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mmtube.errors import InputError
from mmtube.evaluation.functional.video_tubes import MULTISPORTS_SKIPS


@dataclass(frozen=True)
class FrameConvention:
    """How a frame mAP is computed.

    Args:
        text (str): What is particular, for a person to read.
        rule (str): As for ``match``. Defaults to 'best'.
        inclusive (bool): Whether the sides of boxes count one pixel more. Defaults to False.
        integration (str): As for ``average_precision``. Defaults to 'envelope'.
        lenient (bool): Whether frames without ground truth are not scored and classes without a detection are left out
            of the mean, and the IoU is that of float32 boxes. Defaults to False.
        min_score (float | None): Detections of this score or a lower one are dropped. Defaults to None.
        drop_flat (bool): Whether detections without area are dropped instead of being false positives. Defaults to
            False.
        skip (tuple[str, ...]): Classes that are not scored. Defaults to none.
    """

    text: str
    rule: str = 'best'
    inclusive: bool = False
    integration: str = 'envelope'
    lenient: bool = False
    min_score: float | None = None
    drop_flat: bool = False
    skip: tuple[str, ...] = ()


MIN_SCORE = 0.002  # of MMAction2's AVAMetric
CONVENTIONS = {
    'ava': FrameConvention(
        'every detection counts, classes with ground truth but no detection are 0; a detection finds the box it '
        'overlaps most or none; IoU of half-open boxes; area under the precision envelope',
        drop_flat=True,
    ),
    'mmaction2': FrameConvention(
        'as MMAction2: only frames with ground truth, only classes with a detection there, scores above 0.002, float32 '
        'boxes; a detection finds the box it overlaps most or none; area under the precision envelope',
        lenient=True,
        min_score=MIN_SCORE,
    ),
    'act': FrameConvention(
        'the ACT scripts: sides of boxes count both end pixels; a detection finds the box it overlaps most of those '
        'not found yet; trapezoids under precision and recall from (1, 0)',
        rule='next_best',
        inclusive=True,
        integration='trapezoid',
    ),
    'multisports': FrameConvention(
        'MultiSports: half-open boxes; a detection finds the box it overlaps most or none; area under the precision '
        'envelope',
        skip=MULTISPORTS_SKIPS,
    ),
}


def with_skips(convention: FrameConvention, skip: Sequence[str] | None, classes: Sequence[str]) -> FrameConvention:
    """Return a convention that skips other classes.

    Args:
        convention (FrameConvention): The convention.
        skip (Sequence[str] | None): Classes that are not scored; None for those of the convention.
        classes (Sequence[str]): All class names.

    Raises:
        InputError: If a class to skip is none.
    """
    if skip is None:
        return convention
    unknown = [name for name in skip if name not in classes]
    if unknown:
        raise InputError(f'--skip: there is no class {unknown[0]!r}')
    return replace(convention, skip=tuple(skip))
