"""Frame mAP at IoU 0.5 as AVA's own script computes it: for AVA, SEAL Clips and any set with csv of this form.

Files:
  --gt       video,timestamp,x1,y1,x2,y2,action_id[,person_id]    one row for each person, key time and action
  --pred     video,timestamp,x1,y1,x2,y2,action_id,score          further columns are passed over
Boxes are fractions of the frame, timestamps are seconds (0902 and 902.0 are one key time; they are compared in
milliseconds). A row of the ground truth that ends after the timestamp says that nobody is there; its detections are
false positives, as in any frame without ground truth.

What is computed: for each class the detections of all frames go by score; each takes the annotated box that it overlaps
most in its frame and is right if the IoU is 0.5 or more and nobody took it before. AP is the area under the envelope of
precision over recall, mAP the mean over the classes that have ground truth; those never detected count as 0. Rows of
classes that --labels does not have are left out of both files (AVA scores 60 of its 80 classes). Detections without
area are left out as well. With AVA's classes the means of its three groups are printed too.

AVA's own command line reads only the 50 most confident rows of each key time (--max-per-frame 50); AlphAction, with
which SEAL was measured, reads all, and so do we unless told.

--compat mmaction2 gives the number of MMAction2's AVAMetric: frames without ground truth and classes without a
detection are left out, as are scores of 0.002 or less. It is mostly higher; do not compare the two.
"""

from __future__ import annotations

import argparse

import numpy as np

from mmtube.errors import InputError
from mmtube.evaluation.functional.frame_boxes import most_confident
from mmtube.evaluation.readers.ava_csv import (
    TIME_STEPS,
    excluded_rows,
    read_action_labels,
    read_ava_files,
    refuse_without_truth,
)
from mmtube.evaluation.readers.subsets import classes_of_subsets
from mmtube.evaluation.result import EvaluationResult
from mmtube.evaluation.scoring.frame_conventions import CONVENTIONS
from mmtube.evaluation.scoring.frames import score_frames
from mmtube.structures.seal import read_class_rank


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this protocol."""
    parser.add_argument(
        '--labels', metavar='FILE', help="classes: AVA's pbtxt, lines '12: walk', names, label map json"
    )
    parser.add_argument('--first-id', type=int, default=1, help='action ID of the first class of names (default: 1)')
    parser.add_argument('--exclude', metavar='FILE', help='video,timestamp rows that do not count')
    parser.add_argument('--iou', type=float, nargs='+', default=[0.5], help='thresholds (default: 0.5)')
    parser.add_argument('--compat', choices=['mmaction2'], help='as another program computes it')
    parser.add_argument('--max-per-frame', type=int, metavar='N', help='only the N most confident rows of a key time')
    parser.add_argument('--rank', metavar='FILE', help='frozen list of classes by frequency (json), for --subset')
    parser.add_argument('--subset', nargs='+', metavar='NAME', default=[], help='such as top50 top50-100 top150')


def evaluate(args: argparse.Namespace) -> EvaluationResult:
    """Score the files that the command line names."""
    check_thresholds(args.iou)
    labels = None if args.labels is None else read_action_labels(args.labels, args.first_id)
    subsets = {}
    if args.subset:
        if args.rank is None or labels is None:
            raise InputError('--subset needs --rank and --labels')
        rank = read_class_rank(args.rank)
        if len(rank.order) != len(labels):
            raise InputError(f'{args.rank}: ranks {len(rank.order)} classes, {args.labels} has {len(labels)}')
        subsets = classes_of_subsets(rank, args.subset, args.rank)
    files = read_ava_files(args.gt, args.pred, labels, args.first_id)
    refuse_without_truth(files)
    notes = [
        f'{name}: {count} rows of actions that the labels do not have are left out'
        for name, count in ((args.gt, files.ignored_truth), (args.pred, files.ignored_found))
        if count
    ]
    found = files.found
    if args.max_per_frame is not None:
        if args.max_per_frame < 1:
            raise InputError(f'--max-per-frame must be at least 1, got {args.max_per_frame}')
        found = found.rows(most_confident(found, args.max_per_frame))
        notes.append(
            f'{len(files.found) - len(found)} predictions beyond {args.max_per_frame} in a key time are left out'
        )
    excluded = None
    if args.exclude is not None:
        excluded = excluded_rows(files.truth, args.exclude), excluded_rows(found, args.exclude)
    return score_frames(
        files.truth,
        found,
        files.labels.names,
        protocol='ava',
        convention=CONVENTIONS[args.compat or 'ava'],
        thresholds=args.iou,
        groups=files.labels.groups,
        subsets=subsets,
        excluded=excluded,
        seconds_per_frame=1 / TIME_STEPS,
        notes=notes,
    )


def check_thresholds(thresholds: list[float]) -> None:
    """Refuse thresholds that are none.

    Raises:
        InputError: If one is not in (0, 1] or stands twice.
    """
    values = np.array(thresholds)
    if not ((values > 0) & (values <= 1)).all() or len(np.unique(values)) < len(values):
        raise InputError(f'--iou must lie in (0, 1], each once, got {" ".join(map(str, thresholds))}')
