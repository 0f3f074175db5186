"""What kinds of errors a temporal detector makes and what each costs (DETAD, Alwassel et al., ECCV 2018).

Reads the files of the protocol activitynet (see its --help). With --task atomic or complex it reads those of the
protocol tubelet instead: SEAL annotations, and predictions by tubelet.

Predictions are matched as in the protocol activitynet, at temporal IoU t = 0.50, 0.55, ..., 0.95. One that finds
nothing is compared with the ground truth of its video that it overlaps most, of whatever class:

    double detection   IoU at least t, the same class: that ground truth was found before
    wrong label        IoU at least t, another class
    localization       IoU from 0.1 to t, the same class
    confusion          IoU from 0.1 to t, another class
    background         IoU below 0.1

Only the 10 G most confident predictions of a class with G ground truths are told apart. Printed are

    average_mAP        as the protocol activitynet, of all predictions
    average_mAP_N      of the 10 G, with normalised precision R N / (R N + F): R recall, F false positives so far, N
                       the mean number of ground truths of a class; so that rare and frequent classes compare
    gain_ERROR         what average_mAP_N gains when all predictions with this error are deleted
    missed_share       ground truth that is not found, or only where normalised precision is 0.05 or below; mean over t

The JSON has the profile (which share of the first G predictions, the second G and so on is right or has which error),
and the missed share and mAP_N by coverage (length over the duration of the video), length and number of instances of
the class in the video. The bins are those of DETAD's released scripts for ActivityNet; --bins thumos has those
for THUMOS14, and --bins short (the default with --task) lengths up to 2, 5, 10 s and beyond, as FineAction has them.

As in DETAD, ground truth that is longer than its video is left out (with --task it stays); that may make average_mAP
differ from that of the protocol activitynet. Unlike DETAD, a ground truth of the prediction's own class is preferred
where several have the same IoU, equal scores are ordered by the values of their rows and not by their place in the
file, and every prediction in a video without ground truth is background.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from functools import partial

import numpy as np

from mmtube.errors import InputError
from mmtube.evaluation.functional.detad import FLOOR, LIMIT
from mmtube.evaluation.functional.detad_characteristics import BINS, CHARACTERISTICS, MIN_PRECISION
from mmtube.evaluation.functional.segments import centre_inside
from mmtube.evaluation.readers.segments import clean_truth, read_activitynet_predictions, set_aside
from mmtube.evaluation.readers.tubelets import by_tubelet, class_names, locate_in, read_tubelets, tubelet_table
from mmtube.evaluation.result import EvaluationResult
from mmtube.evaluation.scoring.detad import score_detad
from mmtube.evaluation.tables import SegmentTable, align
from mmtube.structures.seal import SEALAnnotations
from mmtube.structures.tube import TASKS

from . import activitynet
from .thumos import AMBIGUOUS

OF_VIDEOS = ('subset', 'labels', 'dedup', 'exclude_videos')
OF_TUBELETS = ('label_map', 'no_restrict')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    activitynet.add_arguments(parser)
    parser.add_argument('--task', choices=TASKS, help='analyse instances on given tubelets: the ground truth is SEAL')
    parser.add_argument(
        '--label-map', metavar='FILE', help='with --task: class names (default: beside the ground truth)'
    )
    parser.add_argument('--no-restrict', action='store_true', help='with --task atomic: all times of a tubelet')
    parser.add_argument(
        '--bins', choices=BINS, help='bins of all characteristics (default: activitynet; with --task short)'
    )
    for name, unit in zip(CHARACTERISTICS, ('shares of the video', 'seconds', 'instances')):
        told = f'inner edges of the bins of {name}, in {unit}'
        parser.add_argument(f'--{name}-bins', type=float, nargs='+', metavar='EDGE', help=told)
    parser.add_argument('--limit', type=int, default=LIMIT, help='analyse the LIMIT x G best predictions (default: 10)')
    parser.add_argument('--floor', type=float, default=FLOOR, help='below this IoU is background (default: 0.1)')
    parser.add_argument(
        '--min-precision',
        type=float,
        default=MIN_PRECISION,
        help='found at a lower precision is missed (default: 0.05)',
    )


def evaluate(args: argparse.Namespace) -> EvaluationResult:
    """Read and analyse."""
    activitynet.check_thresholds(args.thresholds)
    foreign = OF_VIDEOS if args.task else OF_TUBELETS
    for name in foreign:
        if getattr(args, name):
            raise InputError(f'--{name.replace("_", "-")}: has no meaning {"with" if args.task else "without"} --task')
    own = {name: getattr(args, f'{name}_bins') for name in CHARACTERISTICS}
    edges = BINS[args.bins or ('short' if args.task else 'activitynet')] | {
        name: tuple(values) for name, values in own.items() if values
    }
    options = dict(edges=edges, limit=args.limit, floor=args.floor, min_precision=args.min_precision)
    if args.task:
        return _evaluate_tubelets(args, options)
    truth, found, classes, notes = activitynet.read_tables(args, aside=AMBIGUOUS)
    truth, aside = set_aside(truth, AMBIGUOUS, dedup=args.dedup)
    if len(aside):
        notes.append(f'{len(aside)} segments labelled {AMBIGUOUS} left out, predictions on them count as wrong')
    truth, told = clean_truth(truth, len(classes), dedup=args.dedup)
    return score_detad(truth, found, classes, args.thresholds, notes=notes + told, **options)


def _evaluate_tubelets(args: argparse.Namespace, options: dict) -> EvaluationResult:
    annotations = read_tubelets(args.gt)
    truth = tubelet_table(annotations, args.task)
    classes = class_names(args.gt, args.task, args.label_map, truth.labels)
    found = read_activitynet_predictions(args.pred, classes, numbers=True, task=args.task)
    found, notes = by_tubelet(found, annotations)
    truth, told = clean_truth(truth, len(classes), dedup=True)
    truth = with_durations(truth, annotations)
    truth, found = align(truth, found)  # before anything is left out: files that do not belong together are refused
    notes += told
    if args.task == 'atomic' and not args.no_restrict:
        activities = tubelet_table(annotations, 'complex')
        if len(activities):
            inside = [centre_inside(table, activities) for table in (truth, found)]
            lost = [int((~mask).sum()) for mask in inside]
            notes.append(f'{lost[1]} predictions and {lost[0]} ground truths outside complex activities left out')
            truth, found = truth.rows(inside[0]), found.rows(inside[1])
    locate = partial(locate_in, annotations)
    own = dict(drop_overlong=False, locate=locate, unit='tubelets')
    return score_detad(truth, found, classes, args.thresholds, notes=notes, **own, **options)


def with_durations(truth: SegmentTable, annotations: SEALAnnotations) -> SegmentTable:
    """Return the instances of tubelets with the time from the first to the last box of each tubelet as its duration."""
    durations_s = np.full(len(truth.videos), np.nan)
    for number, tid in enumerate(truth.videos):
        frame_inds = annotations.track(tid).frame_inds
        if len(frame_inds):
            fps = annotations.videos[annotations.tubelets[tid].vid].fps
            durations_s[number] = (int(frame_inds[-1]) - int(frame_inds[0]) + 1) / fps
    return replace(truth, durations_s=durations_s)
