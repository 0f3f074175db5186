"""Frame mAP of UCF101-24, JHMDB and MultiSports: every annotated frame is scored.

Files:
  --gt       the pickle of these data sets: {'labels', 'gttubes', 'test_videos', ...}; nothing in it is run
  --pred     csv or npy of video,frame,label,score,x1,y1,x2,y2 rows, a line in front may begin with #
Labels count from 0, frames as in the pickle (from 1), boxes are pixels. The video is its number in test_videos of the
split, from 0, or, in a csv, its name.

The data sets do not compute the same, so --convention must be told:
  act           UCF101-24 and JHMDB, as the ACT scripts and nearly all papers: the sides of boxes count both end pixels
                (x2 - x1 + 1); a detection takes the box it overlaps most of those that nobody took before; AP is made
                of trapezoids under precision over recall, which begin at precision 1
  multisports   no + 1; a detection takes the box it overlaps most and is wrong if somebody took that before; AP is the
                area under the envelope of precision; six classes are not scored
mAP is the mean over the classes that have ground truth; those never detected count as 0.
"""

from __future__ import annotations

import argparse

import numpy as np

from mmtube.evaluation.readers.act_files import boxes_of_tubes, read_act_truth, read_flat_detections
from mmtube.evaluation.result import EvaluationResult
from mmtube.evaluation.scoring.frame_conventions import CONVENTIONS, with_skips
from mmtube.evaluation.scoring.frames import score_frames

from .ava import check_thresholds


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this protocol."""
    parser.add_argument('--convention', choices=['act', 'multisports'], required=True, help='see above')
    parser.add_argument('--split', type=int, default=0, help='split of the data set, from 0 (default: 0)')
    parser.add_argument('--iou', type=float, nargs='+', default=[0.5], help='thresholds (default: 0.5)')
    parser.add_argument('--skip', nargs='*', metavar='CLASS', help='classes not to score (default: by convention)')


def evaluate(args: argparse.Namespace) -> EvaluationResult:
    """Score the files that the command line names."""
    check_thresholds(args.iou)
    tubes, classes = read_act_truth(args.gt, args.split)
    convention = with_skips(CONVENTIONS[args.convention], args.skip, classes)
    found = read_flat_detections(args.pred, tubes.videos, len(classes))
    truth = boxes_of_tubes(tubes)
    columns = np.column_stack([truth.video, truth.labels, truth.frames, truth.boxes])
    same = len(columns) - len(np.unique(columns, axis=0))
    notes = [f'{same} boxes of the ground truth lie exactly on another of their class and frame'] if same else []
    return score_frames(
        truth,
        found,
        classes,
        protocol='frame-map',
        convention=convention,
        thresholds=args.iou,
        boxes_in_px=True,
        notes=notes,
    )
