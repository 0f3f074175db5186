"""Tracking: MOTA, IDF1, HOTA and their parts.

--gt    one of
          gt.txt                    MOTChallenge text: frame,id,left,top,width,height,flag[,class,visibility]
          a folder                  with <sequence>/gt/gt.txt, gt/<sequence>.txt or <sequence>.txt
          annotations.json          SEAL schema; the ID is the person's
--pred  one of
          tracks.txt                MOTChallenge text: frame,id,left,top,width,height,score,-1,-1,-1
          result.json               a result of this library
          a folder                  with <sequence>.txt (also in data/), or with results

Frames are paired by their number and sequences by their name; one file against one gt.txt needs no name. Rows of MOT
ground truth with flag 0 are left out. From MOT16 on (rows of nine columns, or --layout mot16) only class 1,
pedestrians, counts, and predicted boxes that find a distractor (person on vehicle 2, static person 7, distractor 8,
reflection 12; for MOT20 give --distractors 2 6 7 8 12) are taken out of the score.

MOTA, precision, recall, FP, FN, identity switches (IDSW), fragmentations and people mostly tracked, partially tracked
and mostly lost (MT, PT, ML) are counted as motmetrics does; IDF1, IDP and IDR by one assignment of people to IDs.
MOTP is given as mean IoU. HOTA, DetA, AssA, DetRe, DetPr, AssRe, AssPr and LocA are means over 19 IoU thresholds and
those of TrackEval. All sequences are summed, as in the COMBINED row of the official script.
The JSON has a row for each sequence, HOTA at each threshold, and the switches, misses and false tracks that cost most,
with their times where the frame rate is known: from seqinfo.ini, SEAL annotations, results, or --fps.
--ids-per-shot lets the IDs of SEAL annotations end at their shot changes; --videos and --with-returns score a part.
"""

from __future__ import annotations

import argparse

from mmtube.evaluation.readers.track_scope import add_scope_arguments, scoped
from mmtube.evaluation.readers.tracks import LAYOUTS, read_track_files
from mmtube.evaluation.result import EvaluationResult
from mmtube.evaluation.scoring.tracks import score_tables

DISTRACTORS = (2, 7, 8, 12)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument('--iou', type=float, default=0.5, help='smallest IoU of a match, not for HOTA (default 0.5)')
    parser.add_argument('--fps', type=float, help='for times in the JSON, where no seqinfo.ini or .json has the rate')
    parser.add_argument('--layout', choices=LAYOUTS, default='auto', help='whether MOT ground truth has classes')
    parser.add_argument(
        '--distractors',
        type=int,
        nargs='*',
        default=list(DISTRACTORS),
        metavar='CLASS',
        help='classes of MOT16+ that may be found or not (default 2 7 8 12; without values: none)',
    )
    add_scope_arguments(parser)


def evaluate(args: argparse.Namespace) -> EvaluationResult:
    """Read and score."""
    truth, found = read_track_files(args.gt, args.pred, layout=args.layout, distractors=args.distractors)
    truth, found, scope = scoped(truth, found, args)
    return score_tables(truth, found, iou=args.iou, fps=args.fps, scope=scope)
