"""Temporal detection as THUMOS14 is scored: mAP at temporal IoU 0.3, 0.4, 0.5, 0.6, 0.7 and their mean.

Reads the files of the protocol activitynet (see its --help), with the 20 classes of THUMOS14 as labels; matching and AP
are those of that protocol.

Ground truth with the label "Ambiguous" is of no class. As in the official devkit (TH14evalDet), a prediction that
shares any time with such a segment and finds no ground truth is not counted at all; --ambiguous drop leaves these
segments out instead, so that predictions on them are wrong, as programs that come from ActivityNet's code do.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from mmtube.evaluation.functional.segments import THUMOS_THRESHOLDS
from mmtube.evaluation.readers.segments import clean_truth, set_aside
from mmtube.evaluation.result import EvaluationResult
from mmtube.evaluation.scoring.segments import score_segments
from mmtube.evaluation.tables import SegmentTable

from . import activitynet

AMBIGUOUS = 'Ambiguous'
CONVENTION = 'temporal mAP of whole videos'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    activitynet.add_arguments(parser, THUMOS_THRESHOLDS)
    parser.add_argument(
        '--ambiguous',
        choices=('ignore', 'drop'),
        default='ignore',
        help='what happens to predictions on segments labelled Ambiguous (default: ignore, they do not count)',
    )


def evaluate(args: argparse.Namespace) -> EvaluationResult:
    """Read and score."""
    truth, found, classes, notes = activitynet.read_tables(args, aside=AMBIGUOUS)
    return score_tables(truth, found, classes, args.thresholds, ambiguous=args.ambiguous, dedup=args.dedup, notes=notes)


def score_tables(
    truth: SegmentTable,
    found: SegmentTable,
    classes: Sequence[str],
    thresholds: Sequence[float] = THUMOS_THRESHOLDS,
    *,
    ambiguous: str = 'ignore',
    dedup: bool = False,
    notes: Sequence[str] = (),
) -> EvaluationResult:
    """Score detections of THUMOS14.

    Args:
        truth (SegmentTable): Ground truth, not yet checked; rows of class -1 are ambiguous.
        found (SegmentTable): Checked detections.
        classes (Sequence[str]): Class names.
        thresholds (Sequence[float]): Temporal IoU. Defaults to 0.3:0.1:0.7.
        ambiguous (str): ``'ignore'`` or ``'drop'``. Defaults to 'ignore'.
        dedup (bool): As for :func:`~mmtube.evaluation.readers.segments.clean_truth`. Defaults to False.
        notes (Sequence[str]): Put before the others. Defaults to none.

    Raises:
        InputError: If the tables cannot be scored.
    """
    activitynet.check_thresholds(thresholds)
    truth, aside = set_aside(truth, AMBIGUOUS, dedup=dedup)
    truth, told = clean_truth(truth, len(classes), dedup=dedup)
    every = [*notes, *told]
    if ambiguous == 'drop' and len(aside):
        every.append(f'{len(aside)} ambiguous segments left out, predictions on them count as wrong')
    return score_segments(
        truth,
        found,
        classes,
        thresholds,
        protocol='thumos',
        convention=f'{CONVENTION}, ambiguous segments: {ambiguous}',
        aside=aside if ambiguous == 'ignore' else None,
        notes=every,
    )
