"""Temporal detection as ActivityNet scores it; HACS and FineAction are scored the same way.

Reads two JSON files. Times are seconds.

--gt    {"database": {"v_1": {"subset": "validation", "duration": 90.0,
                              "annotations": [{"segment": [2.5, 7.0], "label": "Surfing"}]}}}
        or the flat form of MMAction2, without "database"
--pred  {"results": {"v_1": [{"segment": [2.4, 7.1], "label": "Surfing", "score": 0.93}]}}

For each class and each temporal IoU of 0.50, 0.55, ..., 0.95 the predictions of all videos are gone through from the
most to the least confident. A prediction is right if its IoU with a ground truth of its video and class, not found
before, reaches the threshold; it takes the one it overlaps most. AP is the area under the precision that no later
point exceeds. Printed are the mean over the classes that have ground truth at each threshold, mAP@0.50 and so on, and
the mean of those, mAP.

Videos that only one file has are counted in the print: without predictions everything in them is missed, without
ground truth every prediction is wrong. Ground truth that stands twice or has no length is refused; --dedup removes it
(FineAction has such rows). A label that is no class is refused: give the full list with --labels where the ground
truth of the file does not have all classes.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np

from mmtube.errors import InputError
from mmtube.evaluation.functional.segments import ACTIVITYNET_THRESHOLDS
from mmtube.evaluation.readers.segments import (
    clean_truth,
    read_activitynet_predictions,
    read_activitynet_truth,
    read_class_names,
)
from mmtube.evaluation.readers.video_names import agree_on_names, read_video_names, without_videos
from mmtube.evaluation.result import EvaluationResult
from mmtube.evaluation.scoring.segments import score_segments
from mmtube.evaluation.tables import SegmentTable

CONVENTION = 'temporal mAP of whole videos'


def add_arguments(parser: argparse.ArgumentParser, thresholds: Sequence[float] = ACTIVITYNET_THRESHOLDS) -> None:
    """Add the options."""
    add_file_arguments(parser)
    parser.add_argument(
        '--thresholds',
        type=float,
        nargs='+',
        default=list(thresholds),
        metavar='IOU',
        help='temporal IoU, in (0, 1]; those of the protocol where it is not given',
    )


def add_file_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what is read, which proposals have too."""
    parser.add_argument('--subset', help='which videos of the ground truth, such as validation; all takes all of them')
    parser.add_argument('--labels', metavar='FILE', help='all classes: a name in each line, or a JSON list of names')
    parser.add_argument('--dedup', action='store_true', help='remove ground truth that stands twice or has no length')
    parser.add_argument(
        '--exclude-videos', metavar='FILE', help='videos to leave out: names, one in each line, or JSON'
    )


def evaluate(args: argparse.Namespace) -> EvaluationResult:
    """Read and score."""
    truth, found, classes, notes = read_tables(args)
    return score_tables(truth, found, classes, args.thresholds, dedup=args.dedup, notes=notes)


def read_tables(
    args: argparse.Namespace, *, aside: str | None = None, proposals: bool = False
) -> tuple[SegmentTable, SegmentTable, list[str], list[str]]:
    """Read both files and bring the names of their videos together.

    Args:
        args (argparse.Namespace): ``gt``, ``pred`` and the options of :func:`add_file_arguments`.
        aside (str | None): Label that is no class; its rows have class -1. Defaults to None.
        proposals (bool): Whether predictions have no labels. Defaults to False.

    Returns:
        tuple: Ground truth (not checked), predictions (checked), class names, notes.

    Raises:
        InputError: If a file cannot be used.
    """
    labels = read_class_names(args.labels) if args.labels else None
    truth, classes = read_activitynet_truth(args.gt, args.subset, labels, aside=aside)
    if not len(truth):
        raise InputError(f'{truth.name}: has no ground truth, there is nothing to score')
    found = read_activitynet_predictions(args.pred, None if proposals else classes)
    notes = []
    if args.exclude_videos:
        excluded = read_video_names(args.exclude_videos)
        before = [len(table.videos) for table in (truth, found)]
        truth, found = without_videos(truth, excluded), without_videos(found, excluded)
        gone = [number - len(table.videos) for number, table in zip(before, (truth, found))]
        notes.append(f'{gone[0]} videos of the ground truth and {gone[1]} of the predictions left out as excluded')
    truth, found, told = agree_on_names(truth, found)
    return truth, found, classes, notes + told


def score_tables(
    truth: SegmentTable,
    found: SegmentTable,
    classes: Sequence[str],
    thresholds: Sequence[float] = ACTIVITYNET_THRESHOLDS,
    *,
    dedup: bool = False,
    notes: Sequence[str] = (),
) -> EvaluationResult:
    """Score detections of whole videos.

    Args:
        truth (SegmentTable): Ground truth, not yet checked.
        found (SegmentTable): Checked detections.
        classes (Sequence[str]): Class names.
        thresholds (Sequence[float]): Temporal IoU. Defaults to 0.5:0.05:0.95.
        dedup (bool): As for :func:`~mmtube.evaluation.readers.segments.clean_truth`. Defaults to False.
        notes (Sequence[str]): Put before the others. Defaults to none.

    Raises:
        InputError: If the tables cannot be scored.
    """
    check_thresholds(thresholds)
    truth, told = clean_truth(truth, len(classes), dedup=dedup)
    every = [*notes, *told]
    return score_segments(truth, found, classes, thresholds, protocol='activitynet', convention=CONVENTION, notes=every)


def check_thresholds(thresholds: Sequence[float]) -> None:
    """See that thresholds of temporal IoU can be used: they increase within (0, 1].

    Raises:
        InputError: If not.
    """
    values = np.asarray(thresholds, np.float64)
    if not len(values) or not ((values > 0) & (values <= 1)).all() or not (np.diff(values) > 0).all():
        raise InputError(f'thresholds must increase within (0, 1], got {values.tolist()}')
