"""What kind of error each detected tube is: the taxonomy of the MultiSports evaluation.

A detection that found nothing is one of these; the first that fits counts:

- ``repeat``: it overlaps a tube of its class enough, but a more confident one was there first.
- ``class``: it overlaps a tube of another class enough.
- Otherwise the tube that it overlaps most, of whatever class, tells: what is wrong is the ``class``, the ``timing``
  (overlap in time below the square root of the threshold) or the ``localisation`` (mean IoU of the boxes below it), or
  several of them.
- ``extra``: it overlaps nothing.
"""

from __future__ import annotations

import numpy as np

from mmtube.evaluation.tables import TubeTable

from .ordering import pairs_of_groups
from .video_tubes import TubeConvention, tube_overlaps

# What is wrong with a detection of no use is the sum of 1 (class), 2 (timing) and 4 (localisation).
WRONG_CLASS, WRONG_TIME, WRONG_PLACE = 1, 2, 4
ERROR_KINDS = (
    'found',
    'class',
    'timing',
    'class + timing',
    'localisation',
    'class + localisation',
    'timing + localisation',
    'class + timing + localisation',
    'repeat',
    'extra',
)
FOUND, REPEAT, EXTRA = 0, 8, 9


def tube_errors(
    truth: TubeTable, found: TubeTable, hits: np.ndarray, threshold: float, convention: TubeConvention
) -> np.ndarray:
    """Return what each detection is.

    Args:
        truth (TubeTable): Ground truth of all classes, in canonical order; of tubes that a detection overlaps equally
            those of its own class come first, then the earlier row.
        found (TubeTable): Detections over the same list of videos.
        hits (np.ndarray): (D,) bool for each row of ``found``, whether it found a ground truth.
        threshold (float): IoU that is enough.
        convention (TubeConvention): How tubes are compared.

    Returns:
        np.ndarray: (D,) int8 index into ``ERROR_KINDS``.
    """
    enough = np.sqrt(threshold)
    kinds = np.full(len(found), EXTRA, np.int8)
    for dets, gts in pairs_of_groups(found.video, truth.video):
        temporal, spatial = tube_overlaps(truth, found, gts, dets, convention)
        iou = temporal * spatial
        some = np.flatnonzero(iou > 0)
        dets, gts, iou, temporal, spatial = dets[some], gts[some], iou[some], temporal[some], spatial[some]
        other = found.labels[dets] != truth.labels[gts]
        order = np.lexsort((gts, other, -iou, dets))
        best = order[np.r_[True, dets[order][1:] != dets[order][:-1]]] if len(order) else order
        in_time, in_place = temporal[best] >= enough, spatial[best] >= enough
        # Where time is right the place is wrong, even if rounding lets the boxes reach the root of the threshold.
        wrong = WRONG_TIME * ~in_time + WRONG_PLACE * (in_time | ~in_place)
        kinds[dets[best]] = wrong + WRONG_CLASS * other[best]
        kinds[dets[other & (iou >= threshold)]] = WRONG_CLASS
        kinds[dets[~other & (iou >= threshold)]] = REPEAT
    kinds[hits] = FOUND
    return kinds
