"""Predicted tubes with actions against SEAL Tubes: who does what, when and where, nothing given.

Ground truth (--gt): annotations in the SEAL schema. Predictions (--pred): result JSONs of the pipeline, a file or a
folder of them, one for each film, with scored action segments on the tubes; or annotations in the SEAL schema.

Two views of the same predictions:

mAP@...           Spatio-temporal. An action is the part of the person's tube that lies in its segment. It is found
                  by the most confident prediction of its film and class whose tube IoU reaches the threshold: frames
                  that both have over frames that either has, multiplied by the mean IoU of the boxes on the shared
                  frames. If the best ground truth is taken the next best counts.
segments/mAP@...  Decoupled. Predicted tubes are first matched to annotated people, one to one within a film (the
                  assignment of the largest sum of tube IoUs, each at least --tube-iou). Then only time counts: an
                  action of the matched person of the same class whose segment overlaps enough. Actions of tubes that
                  match nobody are false positives, those of people whom no tube matches are missed.

Both are means over 0.5:0.05:0.95 (--iou) and over the classes that have ground truth, with the area under the envelope.
Tubelets of one person are one person (--match-to tubelet: each alone). Repeated ground truth (same tubelet and class,
both times within 1 ms) and ground truth without length is removed and counted. Atomic actions are only annotated inside
complex activities: ground truth and predictions of a matched tube whose centre is outside those of the person are
dropped and counted (--no-restrict keeps them). --subset top60 gives means over the most frequent classes of a frozen
rank list.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from mmtube.errors import InputError
from mmtube.evaluation.functional.average_precision import mean_over_classes
from mmtube.evaluation.functional.people import (
    MATCH_TO,
    Key,
    Person,
    keys_of,
    labelled_tubes,
    match_people,
    some_actions,
    without_repeats,
)
from mmtube.evaluation.functional.segments import segment_average_precision
from mmtube.evaluation.functional.video_tubes import CONVENTIONS, HIGH
from mmtube.evaluation.readers.subsets import classes_of_subsets
from mmtube.evaluation.readers.tube_files import classes_beside, people_of_annotations, rates_of, read_people
from mmtube.evaluation.readers.tubelets import read_rank, read_tubelets
from mmtube.evaluation.result import EvaluationResult
from mmtube.evaluation.scoring.columns import optional
from mmtube.evaluation.scoring.tubes import score_tables
from mmtube.evaluation.tables import SegmentTable
from mmtube.structures import TASKS

from .video_map import far_note


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this protocol."""
    parser.add_argument('--task', choices=TASKS, default='atomic', help='actions that are scored')
    parser.add_argument('--label-map', metavar='FILE', help="default: the one beside --gt, else SEAL's")
    parser.add_argument('--rank', metavar='FILE', help='frozen class rank; default: the one beside --gt')
    parser.add_argument('--subset', nargs='+', default=[], metavar='topN', help='such as top60 or top50-120')
    parser.add_argument('--iou', type=float, nargs='+', default=list(HIGH), metavar='IOU', help='of tubes and segments')
    parser.add_argument('--tube-iou', type=float, default=0.5, help='of a predicted tube and its person')
    parser.add_argument('--match-to', choices=MATCH_TO, default='person', help='what tubes are matched to')
    parser.add_argument('--no-restrict', action='store_true', help='atomic: keep predictions outside activities')


def evaluate(args: argparse.Namespace) -> EvaluationResult:
    """Score files."""
    if not all(0 < value <= 1 for value in (*args.iou, args.tube_iou)):
        raise InputError('an IoU must be above 0 and at most 1')
    annotations = read_tubelets(args.gt)
    classes = classes_beside(args.gt, args.task, args.label_map)
    subsets = _subsets(args, len(classes))
    people = people_of_annotations(annotations, args.task)
    found = read_people(args.pred, args.task, annotations.videos, classes)
    activities = None
    if args.task == 'atomic' and not args.no_restrict and len(annotations.ca):
        activities = people_of_annotations(annotations, 'complex')
    return score_people(
        people,
        found,
        classes,
        thresholds=args.iou,
        tube_iou=args.tube_iou,
        match_to=args.match_to,
        activities=activities,
        subsets=subsets,
        fps=rates_of(annotations),
        names=(args.gt, args.pred),
    )


def _subsets(args: argparse.Namespace, num_classes: int) -> dict[str, tuple[int, ...]]:
    if not args.subset:
        return {}
    rank = read_rank(args.gt, args.task, args.rank)
    if rank is None:
        raise InputError(f'{args.gt}: has no class rank beside it, --subset needs --rank')
    return classes_of_subsets(rank, args.subset, args.rank or f'class rank ({rank.source})', num_classes)


def score_people(
    people: Sequence[Person],
    found: Sequence[Person],
    classes: Sequence[str],
    *,
    thresholds: Sequence[float] = HIGH,
    tube_iou: float = 0.5,
    match_to: str = 'person',
    activities: Sequence[Person] | None = None,
    subsets: Mapping[str, Sequence[int]] | None = None,
    fps: float | Mapping[str, float] = 25.0,
    names: tuple[str, str] = ('ground truth', 'predictions'),
) -> EvaluationResult:
    """Score predicted people and their actions in both views.

    Args:
        people (Sequence[Person]): Annotated tubelets with their actions.
        found (Sequence[Person]): Predicted tubes with theirs.
        classes (Sequence[str]): Class names.
        thresholds (Sequence[float]): IoUs, of tubes and of segments. Defaults to 0.5:0.05:0.95.
        tube_iou (float): Least IoU of a predicted tube and its person. Defaults to 0.5.
        match_to (str): ``'person'`` or ``'tubelet'``. Defaults to 'person'.
        activities (Sequence[Person] | None): ``people``, in this order, with the segments outside of which nothing is
            annotated. Defaults to None: all is annotated.
        subsets (Mapping[str, Sequence[int]] | None): Classes of named subsets. Defaults to None.
        fps (float | Mapping[str, float]): Frames per second, for times in tables. Defaults to 25.
        names (tuple[str, str]): Files, for messages.

    Returns:
        EvaluationResult: ``mAP@...`` of the first view, which has the evidence, ``segments/mAP@...`` of the second, and
        ``people_found``, the share of the people whom a tube matches.

    Raises:
        InputError: If something cannot be scored.
    """
    people, repeats, empties = without_repeats(people)
    told = (f'{repeats} repeated ground truths removed', f'{empties} ground truths without length removed')
    notes = [note for note, count in zip(told, (repeats, empties)) if count]
    matched = match_people(people, found, match_to=match_to, min_iou=tube_iou, names=names)
    keys, own = keys_of(people, match_to), keys_of(found, match_to)
    if activities is not None:
        before = [sum(len(person.labels) for person in some) for some in (found, people)]
        found = _inside(found, own, matched, activities, keys)
        people = _inside(people, keys, {key: key for key in keys}, activities, keys)
        after = [sum(len(person.labels) for person in some) for some in (found, people)]
        lost = [number - left for number, left in zip(before, after)]
        if any(lost):
            told = f'{lost[0]} predictions and {lost[1]} ground truths'
            notes.append(f'{told} outside the activities of their person are not scored')

    truth_tubes, _, far = labelled_tubes(people, names[0], truth=True)
    notes += far_note(far, 'the ground truth')
    found_tubes, _, far = labelled_tubes(found, names[1])
    notes += far_note(far, 'the predictions')
    thresholds = tuple(sorted(set(thresholds)))
    alone = thresholds if len(thresholds) == 1 else tuple(value for value in (0.5, 0.75) if value in thresholds)
    means = () if len(thresholds) == 1 else (thresholds,)
    convention = replace(CONVENTIONS['plain'], thresholds=alone, means=means)
    result = score_tables(
        truth_tubes, found_tubes, classes, convention, fps=fps, subsets=subsets, protocol='tubelet-predicted'
    )
    result.notes = notes + result.notes

    truth, segments = _segment_tables(people, keys, found, own, matched)
    ap = segment_average_precision(truth, segments, np.array(thresholds), len(classes))
    for name in [name for name in result.metrics if name.startswith('mAP@')]:
        rows = slice(None) if ':' in name else [thresholds.index(float(name[4:]))]
        result.metrics[f'segments/{name}'] = float(mean_over_classes(ap[rows]).mean())
        result.tables['classes'][f'segments/{name[1:]}'] = optional(ap[rows].mean(axis=0))
        for subset, members in (subsets or {}).items():
            some = mean_over_classes(ap[rows], np.asarray(members))
            result.metrics[f'{subset}/segments/{name}'] = float(some.mean())
    num_people = len({key for key, person in zip(keys, people) if len(person.frames)})
    result.metrics['people_found'] = len(matched) / num_people
    result.counts |= {'people': num_people, 'predicted_people': len(set(own)), 'matched_people': len(matched)}
    result.curves['segments: mAP by IoU'] = dict(
        x=list(thresholds), y=mean_over_classes(ap).tolist(), x_label='temporal IoU', y_label='mAP'
    )
    result.convention += (
        f'; segments/: by temporal IoU alone, on tubes matched one to one to a {match_to} with tube IoU >= {tube_iou:g}'
        + ('; atomic predictions outside annotated activities dropped' if activities is not None else '')
    )
    return result


def _inside(
    found: Sequence[Person],
    own: Sequence[Key],
    matched: Mapping[Key, Key],
    activities: Sequence[Person],
    keys: Sequence[Key],
) -> list[Person]:
    """Drop the actions of matched tubes whose centre is in no activity of their person, on whatever tubelet."""
    spans: dict[Key, list[np.ndarray]] = {}
    for person in activities:
        spans.setdefault((person.video, person.person), []).append(person.segments_s)
    person_of = {key: (person.video, person.person) for key, person in zip(keys, activities)}
    kept = []
    for key, person in zip(own, found):
        if key in matched:
            centre = person.segments_s.mean(axis=1)[:, None]
            start, end = np.concatenate(spans[person_of[matched[key]]]).T
            person = some_actions(person, ((start <= centre) & (centre <= end)).any(axis=1))
        kept.append(person)
    return kept


def _segment_tables(
    people: Sequence[Person],
    keys: Sequence[Key],
    found: Sequence[Person],
    own: Sequence[Key],
    matched: Mapping[Key, Key],
) -> tuple[SegmentTable, SegmentTable]:
    """Return the actions, scored apart for each person; a tube that matches nobody is somebody of its own."""
    # Of what is predicted and matches nobody the film and number may be those of someone annotated.
    theirs = [(0, key) for key in keys]
    mine = [(0, matched[key]) if key in matched else (1, key) for key in own]
    order = {place: number for number, place in enumerate(sorted({*theirs, *mine}))}
    names = [f'{video}#{number}' + (' (predicted)' if unknown else '') for unknown, (video, number) in order]
    tables = []
    for places, some in ((theirs, people), (mine, found)):
        counts = [len(person.labels) for person in some]
        tables.append(
            SegmentTable(
                names,
                np.repeat(np.array([order[place] for place in places], np.int64), counts),
                np.concatenate([np.zeros(0, np.int64), *(person.labels for person in some)]),
                np.concatenate([np.zeros(0), *(person.scores for person in some)]),
                segments_s=np.concatenate([np.zeros((0, 2)), *(person.segments_s for person in some)]),
            )
        )
    return tables[0], tables[1]
