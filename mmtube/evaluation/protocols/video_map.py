"""Video mAP: whole tubes, each with one class, against whole tubes (UCF101-24, JHMDB, MultiSports).

Ground truth (--gt):
  .pkl    the pickle of the ACT scripts: labels, gttubes, test_videos (frames count from 1)
  .json   annotations in the SEAL schema: each action is the part of the person's tube that lies in its segment
Predictions (--pred):
  .pkl    tubes of each class: {class: [(video, score, rows)]}, rows of frame, x1, y1, x2, y2 (frames from 1)
  .json, or a folder of them: results of the pipeline; each action segment of a tube is a part of it, as above. Frames
          of these files count from 0 and are matched to those of a pickle.
  .csv, .npy with --link: boxes of frames, video,frame,label,score,x1,y1,x2,y2, which are first joined to tubes

The IoU of two tubes is their overlap in time multiplied by the mean IoU of their boxes over the frames that both have.
A tube is found by the most confident prediction of its video and class that overlaps it enough. --convention:
                       act                        multisports               plain
  boxes                x2, y2 are in the box (+1) half open                 half open
  overlap in time      first to last frame, +1    first to last, no +1      sets of frames
  if the best is taken the next best counts       false positive            the next best counts
  area under           the curve, trapezoids      the envelope              the envelope
  thresholds           0.2 0.5 0.75, 0.5:0.95     0.2 0.5, 0.05:0.45,       0.5 0.75, 0.5:0.95
                                                  0.1:0.9, 0.5:0.95
Thresholds are exact decimals; an IoU equal to one counts. act and multisports are the conventions of the published
scripts, which need tubes without holes; here a hole is no shared frame, but the time goes on from first to last frame.
In multisports two tubes of the same single frame overlap fully (the script divides 0 by 0), and 6 classes are not
scored (see --skip).

It prints mAP (mean over the classes that have ground truth; a class without any prediction has 0), what kinds of errors
were made, and notes. Predictions in videos without ground truth are false positives, in videos that are not predicted
all is missed.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from mmtube.errors import InputError
from mmtube.evaluation.functional.people import labelled_tubes
from mmtube.evaluation.functional.tube_linking import COMPAT, NMS, link_boxes
from mmtube.evaluation.functional.video_tubes import CONVENTIONS, TubeConvention, pixels_of
from mmtube.evaluation.readers.act_files import read_act_truth, read_flat_detections
from mmtube.evaluation.readers.tube_files import (
    classes_beside,
    people_of_annotations,
    rates_of,
    read_people,
    read_tube_pickle,
)
from mmtube.evaluation.result import EvaluationResult
from mmtube.evaluation.scoring.tubes import score_tables
from mmtube.structures import TASKS
from mmtube.structures.seal import read_seal_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this protocol."""
    parser.add_argument('--convention', choices=sorted(CONVENTIONS), required=True, help='see above')
    parser.add_argument('--split', type=int, default=0, help='split of the test videos of a pickle, from 0')
    parser.add_argument('--task', choices=TASKS, default='atomic', help='actions of .json files')
    parser.add_argument('--label-map', metavar='FILE', help="classes of .json; default: beside --gt, else SEAL's")
    parser.add_argument('--iou', type=float, nargs='+', default=[], metavar='IOU', help='further thresholds')
    parser.add_argument('--error-iou', type=float, default=0.5, help='threshold of the kinds of errors')
    parser.add_argument('--skip', nargs='*', metavar='CLASS', help='classes not scored; default: by the convention')
    parser.add_argument('--fps', type=float, default=25.0, help='of the films of a pickle, for times in tables')
    link = parser.add_argument_group('joining boxes of frames to tubes')
    link.add_argument('--link', action='store_true', help='predictions are boxes of frames')
    link.add_argument(
        '--nms', choices=NMS, default='damped', help='damped: overlapping boxes lose score; hard: they are dropped'
    )
    link.add_argument('--nms-iou', type=float, default=0.6, help='boxes of a frame that overlap more')
    link.add_argument('--keep', type=int, default=10, help='boxes kept in a frame, of each class')
    link.add_argument('--link-iou', type=float, default=0.5, help='overlap with the last box of a tube')
    link.add_argument('--min-score', type=float, default=0.005, help='lowest mean score of a tube')
    link.add_argument('--min-frames', type=int, default=15, help='shortest tube')
    link.add_argument(
        '--compat',
        choices=[name for name in COMPAT if name],
        help="repeat a slip of MMAction2's linking, all boxes get one score, to check its figures",
    )


def evaluate(args: argparse.Namespace) -> EvaluationResult:
    """Score files."""
    convention = chosen_convention(args.convention, iou=args.iou, skip=args.skip)
    if not 0 < args.fps < np.inf:
        raise InputError(f'--fps must be above 0, got {args.fps:g}')
    rates: float | Mapping[str, float] = args.fps
    if Path(args.gt).suffix == '.json':
        annotations = read_seal_json(args.gt)
        classes, rates = classes_beside(args.gt, args.task, args.label_map), rates_of(annotations)
        truth, _, far = labelled_tubes(people_of_annotations(annotations, args.task), args.gt, truth=True)
        truth = replace(truth, boxes_px=pixels_of(convention, truth.boxes_px))
    else:
        truth, classes = read_act_truth(args.gt, args.split)
        far = 0
    unknown = set(args.skip or ()) - set(classes)
    if unknown:
        raise InputError(f'--skip: {args.gt} has no class {min(unknown)!r}')
    notes = far_note(far, 'the ground truth')
    linked = ''
    if Path(args.pred).suffix in ('.csv', '.npy'):
        if not args.link:
            raise InputError(f'{args.pred}: holds boxes of frames, --link joins them to tubes')
        options = dict(nms=args.nms, nms_iou=args.nms_iou, keep=args.keep, min_iou=args.link_iou)
        options |= dict(min_score=args.min_score, min_frames=args.min_frames, compat=args.compat)
        boxes = read_flat_detections(args.pred, truth.videos, len(classes))
        try:
            found = link_boxes(boxes, **options)
        except ValueError as error:
            raise InputError(f'--link: {error}') from None
        linked = link_text(options)
        notes.append(link_note(len(boxes), len(found)))
    elif args.link:
        raise InputError(f'{args.pred}: --link takes boxes of frames, .csv or .npy')
    elif Path(args.pred).suffix == '.pkl':
        found = read_tube_pickle(args.pred, classes)
    else:
        found, _, far = labelled_tubes(read_people(args.pred, args.task, truth.videos, classes), args.pred)
        found = replace(found, boxes_px=pixels_of(convention, found.boxes_px))
        notes += far_note(far, 'the predictions')
    result = score_tables(truth, found, classes, convention, error_iou=args.error_iou, fps=rates)
    result.convention = f'convention {args.convention}; {result.convention}{linked}'
    result.notes = notes + result.notes
    return result


def link_text(options: Mapping[str, Any]) -> str:
    """Return the words that say how boxes were joined."""
    values = ', '.join(f'{name} {value}' for name, value in options.items() if value is not None)
    return f'; boxes joined to tubes ({values})'


def link_note(num_boxes: int, num_tubes: int) -> str:
    """Return the words that say what came of it."""
    told = f'{num_boxes} boxes joined to {num_tubes} tubes'
    nothing = num_boxes and not num_tubes
    return f'{told}: none is long and sure enough (min_frames, min_score)' if nothing else told


def chosen_convention(name: str, *, iou: Sequence[float] = (), skip: Sequence[str] | None = None) -> TubeConvention:
    """Return a convention with further thresholds and other classes to skip.

    Raises:
        InputError: If a threshold is not in (0, 1].
    """
    convention = CONVENTIONS[name]
    if not all(0 < value <= 1 for value in iou):
        raise InputError(f'an IoU must be above 0 and at most 1, got {list(iou)}')
    thresholds = tuple(sorted({*convention.thresholds, *iou}))
    return replace(convention, thresholds=thresholds, skip=convention.skip if skip is None else tuple(skip))


def far_note(count: int, where: str) -> list[str]:
    """Return the note on actions outside the boxes of their person."""
    return [f'{count} actions of {where} hold no box and were put at the nearest one'] if count else []
