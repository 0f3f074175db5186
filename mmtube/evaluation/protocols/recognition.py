"""Recognition: one or several classes for each whole sample.

Ground truth (--gt)
  a list of MMAction2     a sample per line: "name class [class ...]"; of frame folders (--gt-columns rawframes)
                          "name frames class [class ...]"
  .csv                    name,class[,class ...]
  .json                   {"name": class} or {"name": [class, ...]}
Predictions (--pred, --fuse)
  .pkl                    what MMAction2's tools/test.py --dump writes; also {name: scores}
  .npz                    names (N texts) and scores (N x C)
  .csv                    name,score,score,...
  .json                   {"name": [score, ...]}

Classes count from 0. Samples are matched by name. A dump without names is taken in the order of the ground truth, if it
has as many samples and the labels in it are the same. A sample without a prediction is wrong and is counted; a
predicted sample that the ground truth does not have is refused, or left out with --ignore-extra.

--task single   top-k accuracy, and mean class accuracy: the share of right samples of each class, averaged over the
                classes that occur in the ground truth. MMAction2 averages over predicted classes too: lower numbers.
--task multi    mAP: mean over classes of average precision as in scikit-learn (no interpolation, equal scores are one
                step); mAP_micro over all pairs of sample and class.

Several streams are fused late with --fuse FILE[:WEIGHT]: the weighted sum of probabilities (--task single) or of the
scores as they are (--task multi, or --fuse-on score). --attributes finegym reads turns, direction, position and
apparatus from the names of the classes and says in which of them the confused classes differ.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mmtube.errors import InputError
from mmtube.evaluation.functional.attributes import FINEGYM, ClassAttributes, tag_classes
from mmtube.evaluation.functional.recognition import are_probabilities, fuse_scores, softmax
from mmtube.evaluation.readers.sample_labels import COLUMNS, SampleLabels, load_json, read_class_names, read_labels
from mmtube.evaluation.readers.scores import SampleScores, by_stem, read_scores
from mmtube.evaluation.readers.subsets import classes_of_subsets
from mmtube.evaluation.result import EvaluationResult
from mmtube.evaluation.scoring.samples import TASKS, Samples, score_samples
from mmtube.fileio import read_text
from mmtube.structures.seal import read_class_rank

MAX_CLASSES = 100_000  # of ground truth that nothing else bounds


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this protocol."""
    parser.add_argument('--task', choices=TASKS, default='single', help='classes of a sample (default: single)')
    parser.add_argument('--topk', type=int, nargs='+', default=[1, 5], metavar='K', help='default: 1 5')
    parser.add_argument('--labels', metavar='FILE', help='class names: a name per line, or a category file of FineGym')
    parser.add_argument('--gt-columns', choices=COLUMNS, default='video', help='what a line of a list has')
    parser.add_argument('--names', choices=('whole', 'stem'), default='whole', help='stem: without folder and suffix')
    parser.add_argument('--ignore-extra', action='store_true', help='leave out samples that the ground truth lacks')
    parser.add_argument('--fuse', nargs='+', default=[], metavar='FILE[:WEIGHT]', help='more streams; weight 1 if none')
    parser.add_argument('--pred-weight', type=float, default=1.0, metavar='WEIGHT', help='of --pred (default: 1)')
    parser.add_argument('--fuse-on', choices=('softmax', 'score'), help='default: softmax, of --task multi score')
    parser.add_argument('--attributes', metavar='FILE', help='"finegym", or a json {attribute: regular expression}')
    parser.add_argument('--rank', metavar='FILE', help='frozen list of classes by frequency, for --subset')
    parser.add_argument('--subset', nargs='+', default=[], metavar='NAME', help='means over them too: top50 top50-100')


def evaluate(args: argparse.Namespace) -> EvaluationResult:
    """Read, check, match and score.

    Raises:
        InputError: If a file or an option cannot be used.
    """
    if min(args.topk) < 1:
        raise InputError(f'--topk: {min(args.topk)} is not at least 1')
    names = read_class_names(args.labels) if args.labels else None
    truth = read_labels(args.gt, columns=args.gt_columns, class_names=names)
    streams = [(args.pred, args.pred_weight), *map(_stream, args.fuse)]
    found = [read_scores(path) for path, _ in streams]
    if args.names == 'stem':
        truth, found = by_stem(truth), [by_stem(scores) for scores in found]
    classes = _class_names(names, truth, found)
    notes: list[str] = []
    aligned = [place_scores(truth, scores, len(classes), args.ignore_extra, notes) for scores in found]
    scores = aligned[0]
    if len(aligned) > 1:
        scores = _fused(aligned, streams, args.fuse_on or ('softmax' if args.task == 'single' else 'score'), notes)
    return score_samples(
        Samples(truth.names, truth.labels, scores, classes, truth.file),
        args.task,
        topk=args.topk,
        subsets=_subsets(args, len(classes)),
        attributes=_attributes(args, names),
        notes=notes,
    )


def place_scores(
    truth: SampleLabels, found: SampleScores, num_classes: int, ignore_extra: bool, notes: list[str]
) -> np.ndarray:
    """Bring scores into the order of the ground truth.

    Args:
        truth (SampleLabels): N samples.
        found (SampleScores): Scores of some or all of them.
        num_classes (int): Number of classes C.
        ignore_extra (bool): Whether samples that the ground truth lacks are left out and not refused.
        notes (list[str]): Takes what is to be said about it.

    Returns:
        np.ndarray: (N, C) float64, minus infinity for a sample without a prediction.

    Raises:
        InputError: If a sample is not in the ground truth, no sample is, or labels in the file are others.
    """
    placed = np.full((len(truth.names), num_classes), -np.inf)
    if not len(found.scores):
        return placed
    if found.names is None:
        if len(found.scores) != len(truth.names):
            raise InputError(
                f'{found.file}: has no names and {len(found.scores)} samples, {truth.file} has {len(truth.names)}'
            )
        rows = np.arange(len(truth.names))
        notes.append(f'{found.file} has no names: its samples are taken in the order of {truth.file}')
    else:
        number = {name: row for row, name in enumerate(truth.names)}
        rows = np.array([number.get(name, -1) for name in found.names], np.int64)
    extra = np.flatnonzero(rows < 0)
    if len(extra) == len(rows):
        raise InputError(
            f'{found.file}: no sample of it is in {truth.file} (the first is {found.names[0]!r}, there the first is '
            f'{truth.names[0]!r}); --names stem compares without folder and suffix'
        )
    if len(extra) and not ignore_extra:
        more = f' (and {len(extra) - 1} more)' if len(extra) > 1 else ''
        raise InputError(
            f'{found.file}: {found.place(int(extra[0]))}: sample {found.names[extra[0]]!r} is not in {truth.file}{more}'
        )
    if len(extra):
        notes.append(f'{len(extra)} samples of {found.file} that the ground truth lacks are left out')
    for row, place in enumerate(rows.tolist()):
        if place >= 0 and found.labels is not None and found.labels[row] != truth.labels[place]:
            raise InputError(
                f'{found.file}: {found.place(row)}: has the classes {found.labels[row]}, {truth.file} has '
                f'{truth.labels[place]} for {truth.names[place]!r}'
            )
    placed[rows[rows >= 0]] = found.scores[rows >= 0]
    return placed


def _class_names(names: list[str] | None, truth: SampleLabels, found: Sequence[SampleScores]) -> list[str]:
    sizes = {scores.file: scores.scores.shape[1] for scores in found if len(scores.scores)}
    if names is None:
        highest = max(max(labels) for labels in truth.labels) + 1
        if not sizes and highest > MAX_CLASSES:
            raise InputError(f'{truth.file}: has class {highest - 1}; --labels says how many classes there are')
        names = [str(label) for label in range(next(iter(sizes.values()), highest))]
    for file, size in sizes.items():
        if size != len(names):
            raise InputError(f'{file}: has scores of {size} classes, there are {len(names)}')
    for row, labels in enumerate(truth.labels):
        if max(labels) >= len(names):
            raise InputError(f'{truth.file}: {truth.place(row)}: class {max(labels)}, there are {len(names)} from 0')
    return names


def _stream(text: str) -> tuple[str, float]:
    path, colon, weight = text.rpartition(':')
    if not colon or Path(text).exists():
        return text, 1.0
    try:
        return path, float(weight)
    except ValueError:
        return text, 1.0


def _fused(
    streams: Sequence[np.ndarray], given: Sequence[tuple[str, float]], fuse_on: str, notes: list[str]
) -> np.ndarray:
    told = []
    used = []
    for scores, (path, weight) in zip(streams, given):
        if not 0 < weight < np.inf:
            raise InputError(f'{path}: weight {weight:g} is not positive')
        as_is = fuse_on == 'score' or are_probabilities(scores)
        used.append(scores if as_is else softmax(scores))
        kind = 'scores' if fuse_on == 'score' else 'probabilities as they are' if as_is else 'softmax of scores'
        told.append(f'{weight:g} x {Path(path).name} ({kind})')
    fused = fuse_scores(used, [weight for _, weight in given])
    some = ~np.isneginf(np.stack([scores.max(axis=1) for scores in streams]))
    partly = int((some.any(axis=0) & ~some.all(axis=0)).sum())
    notes.append(f'fused: {" + ".join(told)}')
    if partly:
        notes.append(f'{partly} samples are missing in one of the fused files and have no prediction')
    return fused


def _subsets(args: argparse.Namespace, num_classes: int) -> dict[str, tuple[int, ...]]:
    if args.subset and not args.rank:
        raise InputError('--subset: needs the list of classes by frequency (--rank)')
    if not args.subset:
        return {}
    return classes_of_subsets(read_class_rank(args.rank), args.subset, args.rank, num_classes)


def _attributes(args: argparse.Namespace, names: list[str] | None) -> ClassAttributes | None:
    if args.attributes is None:
        return None
    if names is None or args.task != 'single':
        raise InputError('--attributes: needs the names of the classes (--labels) and the task single')
    patterns = FINEGYM
    if args.attributes != 'finegym':
        patterns = load_json(args.attributes, read_text(args.attributes))
        if not isinstance(patterns, dict) or not all(isinstance(pattern, str) for pattern in patterns.values()):
            raise InputError(f'{args.attributes}: must be an object of attributes and regular expressions')
    try:
        return tag_classes(names, patterns)
    except ValueError as error:
        raise InputError(f'{args.attributes}: {error}') from None
