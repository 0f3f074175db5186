"""Temporal detection on given tubelets: SEAL Tubes (SEAL, Table 4).

--gt    annotations in the SEAL schema: who is where in which film, atomic actions ("aa") and complex activities ("ca")
--pred  {"results": {"tubelet ID": [{"segment": [2.4, 7.1], "label": "walk", "score": 0.93}]}}

The tubelets are those of the ground truth, so nothing about boxes is scored. Each tubelet takes the place that a video
has in the protocol activitynet: mAP at temporal IoU 0.50, 0.55, ..., 0.95 and their mean. Times are seconds of the
film. A label is a name of the label map (--label-map, or label_map_atomic.json beside the ground truth), or a number.

A subset such as top60 averages over the 60 most frequent classes; predictions of other classes have no part in it. The
order of classes is a frozen file (--rank, or class_rank_atomic.json beside the ground truth). Without --subset these
are scored: atomic top60, complex top50, top120 and top200, as far as the rank has so many classes.

Atomic actions are annotated only while the person is in a complex activity. So for --task atomic all that has its
centre outside the complex activities of its tubelet is left out and counted; --no-restrict keeps it. Ground truth
that stands twice (one class, times within 1 ms) or has no length is removed and counted.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from functools import partial

from mmtube.errors import InputError
from mmtube.evaluation.functional.segments import ACTIVITYNET_THRESHOLDS, centre_inside
from mmtube.evaluation.readers.segments import clean_truth, read_activitynet_predictions
from mmtube.evaluation.readers.subsets import classes_of_subsets
from mmtube.evaluation.readers.tubelets import (
    by_tubelet,
    class_names,
    locate_in,
    read_rank,
    read_tubelets,
    tubelet_table,
)
from mmtube.evaluation.result import EvaluationResult
from mmtube.evaluation.scoring.columns import Locate
from mmtube.evaluation.scoring.segments import score_segments
from mmtube.evaluation.tables import SegmentTable, align
from mmtube.structures.seal import ClassRank
from mmtube.structures.tube import TASKS

SUBSETS = {'atomic': ('top60',), 'complex': ('top50', 'top120', 'top200')}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument('--task', choices=TASKS, required=True, help='which instances are scored')
    parser.add_argument('--subset', nargs='+', metavar='NAME', help='classes by frequency: top60, top50-100, ...')
    parser.add_argument('--rank', metavar='FILE', help='frozen class rank (default: the one beside the ground truth)')
    parser.add_argument('--label-map', metavar='FILE', help='class names (default: the one beside the ground truth)')
    parser.add_argument('--no-restrict', action='store_true', help='score atomic actions at all times of a tubelet')


def evaluate(args: argparse.Namespace) -> EvaluationResult:
    """Read and score."""
    annotations = read_tubelets(args.gt)
    truth = tubelet_table(annotations, args.task)
    classes = class_names(args.gt, args.task, args.label_map, truth.labels)
    rank = read_rank(args.gt, args.task, args.rank)
    subsets, notes = choose_subsets(args.task, rank, args.subset)
    found = read_activitynet_predictions(args.pred, classes, numbers=True, task=args.task)
    found, told = by_tubelet(found, annotations)
    restrict = args.task == 'atomic' and not args.no_restrict
    result = score_tables(
        truth,
        found,
        classes,
        args.task,
        subsets=subsets,
        activities=tubelet_table(annotations, 'complex') if restrict else None,
        notes=notes + told,
        locate=partial(locate_in, annotations),
    )
    result.inputs = {'class_rank': None if rank is None else rank.source}
    return result


def choose_subsets(
    task: str, rank: ClassRank | None, names: Sequence[str] | None
) -> tuple[dict[str, tuple[int, ...]], list[str]]:
    """Return the classes of each subset, and notes on those that cannot be had.

    Args:
        task (str): ``'atomic'`` or ``'complex'``.
        rank (ClassRank | None): Frozen order of the classes.
        names (Sequence[str] | None): Subsets that were asked for; None takes those of SEAL that the rank can give.

    Raises:
        InputError: If a subset is asked for without a rank, or is not there.
    """
    if names is not None:
        if rank is None:
            raise InputError(f'subset {names[0]!r}: there is no class rank beside the ground truth, give one')
        return classes_of_subsets(rank, names, f'class rank ({rank.source})'), []
    if rank is None:
        return {}, [f'no class rank, so no {" ".join(SUBSETS[task])}: all classes are averaged']
    there = [name for name in SUBSETS[task] if int(name.removeprefix('top')) <= len(rank.order)]
    notes = [f'no {name}: the class rank has {len(rank.order)} classes' for name in SUBSETS[task] if name not in there]
    return classes_of_subsets(rank, there, f'class rank ({rank.source})'), notes


def score_tables(
    truth: SegmentTable,
    found: SegmentTable,
    classes: Sequence[str],
    task: str,
    *,
    subsets: Mapping[str, Sequence[int]] | None = None,
    activities: SegmentTable | None = None,
    notes: Sequence[str] = (),
    locate: Locate | None = None,
) -> EvaluationResult:
    """Score detections on given tubelets.

    Args:
        truth (SegmentTable): Ground truth in which tubelets are videos, not yet checked.
        found (SegmentTable): Checked detections.
        classes (Sequence[str]): Class names.
        task (str): ``'atomic'`` or ``'complex'``.
        subsets (Mapping[str, Sequence[int]] | None): Classes of each subset, the headline first. Defaults to none.
        activities (SegmentTable | None): Complex activities of the tubelets; what has its centre outside them is left
            out. Defaults to None: nothing is.
        notes (Sequence[str]): Put before the others. Defaults to none.
        locate (Locate | None): As for :func:`~mmtube.evaluation.scoring.segments.score_segments`. Defaults to None.

    Raises:
        InputError: If the tables cannot be scored, or a subset has a class that is not there.
    """
    truth, told = clean_truth(truth, len(classes), dedup=True)
    every = [*notes, *told]
    for name, members in (subsets or {}).items():
        if max(members) >= len(classes):
            raise InputError(f'subset {name!r}: the class rank has class {max(members)}, there are {len(classes)}')
    truth, found = align(truth, found)  # before anything is left out: files that do not belong together are refused
    where = 'at all times of a tubelet'
    if activities is not None and not len(activities):
        every.append('no complex activities are annotated, so atomic actions are scored at all times')
    elif activities is not None:
        where = 'with the centre inside the complex activities of the tubelet'
        inside = [centre_inside(table, activities) for table in (truth, found)]
        lost = [int((~mask).sum()) for mask in inside]
        every.append(f'{lost[1]} predictions and {lost[0]} ground truths outside complex activities left out')
        truth, found = truth.rows(inside[0]), found.rows(inside[1])
    return score_segments(
        truth,
        found,
        classes,
        ACTIVITYNET_THRESHOLDS,
        protocol='tubelet',
        convention=f'{task} temporal mAP, tubelets given, {where}',
        subsets=subsets,
        notes=every,
        locate=locate,
        unit='tubelets',
    )
