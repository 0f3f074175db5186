"""Detection of people: recall and false boxes a frame at one score threshold, AP.

--gt    one of
          annotations.json          SEAL schema in which everybody has a box
          gt.txt                    MOTChallenge text: frame,id,left,top,width,height,flag[,class,visibility]
          a folder                  with <sequence>/gt/gt.txt, gt/<sequence>.txt or <sequence>.txt
--pred  one of
          detections.txt            MOTChallenge text with scores: frame,-1,left,top,width,height,score (what
                                    tools/detect_people.py writes); IDs are not read
          result.json               a result of this library
          a folder                  with <sequence>.txt (also in data/), or with results

Frames are paired by their number and sequences by their name; one file against one gt.txt needs no name. What of MOT
ground truth counts, and which predictions find a distractor and are taken out, is as in the protocol mot.

A detection finds the box that it overlaps most of those that nobody found before, the most confident first. The score
threshold is --score, or the lowest with at most --false-per-frame false boxes a frame. Frames without people count:
SEAL annotations say how many a film has, else they go to the last frame that has a box. --every 25 --first 0 scores a
sample of the frames, for detections that were made for these frames or for all.

Recall is also told by height and by cover: the largest share of a box that lies in the box of one other person who ends
further down in the picture, that is, stands nearer. What furniture hides is not known from boxes.
The JSON has a row for each video, recall by height and cover, and the worst: the most confident false boxes, then the
misses of those who are covered least, the tallest first.
"""

from __future__ import annotations

import argparse

from mmtube.evaluation.readers.detections import read_detection_files
from mmtube.evaluation.readers.track_scope import only_videos
from mmtube.evaluation.readers.tracks import LAYOUTS
from mmtube.evaluation.result import EvaluationResult
from mmtube.evaluation.scoring.detections import score_detections

from .mot import DISTRACTORS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument('--iou', type=float, default=0.5, help='smallest IoU of a match (default 0.5)')
    threshold = parser.add_mutually_exclusive_group()
    threshold.add_argument('--score', type=float, help='score threshold')
    threshold.add_argument(
        '--false-per-frame',
        type=float,
        default=0.2,
        help='the threshold is that with so many false boxes (default 0.2)',
    )
    parser.add_argument('--every', type=int, default=1, metavar='N', help='score only every n-th frame (default 1)')
    parser.add_argument('--first', type=int, default=0, metavar='INDEX', help='the first of these frames (default 0)')
    parser.add_argument('--fps', type=float, help='for times in the JSON, where no seqinfo.ini or .json has the rate')
    parser.add_argument('--videos', nargs='+', metavar='NAME', help="score these videos only; names or 'test_???[49]'")
    parser.add_argument('--layout', choices=LAYOUTS, default='auto', help='whether MOT ground truth has classes')
    parser.add_argument(
        '--distractors',
        type=int,
        nargs='*',
        default=list(DISTRACTORS),
        metavar='CLASS',
        help='classes of MOT16+ that may be found or not (default 2 7 8 12; without values: none)',
    )


def evaluate(args: argparse.Namespace) -> EvaluationResult:
    """Read and score."""
    truth, found, num_frames = read_detection_files(
        args.gt, args.pred, layout=args.layout, distractors=args.distractors
    )
    scope = []
    if args.videos:
        truth, found = only_videos(truth, found, args.videos)
        scope.append(f'videos {" ".join(args.videos)}')
    return score_detections(
        truth,
        found,
        num_frames,
        iou=args.iou,
        score=args.score,
        false_per_frame=args.false_per_frame,
        every=args.every,
        first=args.first,
        fps=args.fps,
        scope=scope,
    )
