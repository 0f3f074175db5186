"""Which detection finds which ground truth: the two rules in use, for all thresholds and groups at once.

Both go through the detections from the most to the least confident. They differ in what happens when the ground truth
that a detection overlaps most was found before:

- ``'best'`` (AVA, MultiSports): the detection is a false positive.
- ``'next_best'`` (ActivityNet, THUMOS, the ACT scripts of UCF101-24 and JHMDB): it may still find the one it overlaps
  second most, and so on, as long as the IoU reaches the threshold.
"""

from __future__ import annotations

import numpy as np

RULES = ('best', 'next_best')


def match(
    rule: str,
    dets: np.ndarray,
    gts: np.ndarray,
    ious: np.ndarray,
    num_dets: int,
    num_gts: int,
    thresholds: np.ndarray,
) -> np.ndarray:
    """Match detections to ground truth.

    Args:
        rule (str): ``'best'`` or ``'next_best'``.
        dets (np.ndarray): (P,) int64 detection of each candidate pair. Detections are numbered by rank: 0 is the most
            confident (see :func:`~mmtube.evaluation.functional.ordering.rank_by_score`).
        gts (np.ndarray): (P,) int64 ground truth of each pair; of equal IoUs the smaller number is preferred.
        ious (np.ndarray): (P,) float64. Pairs below all thresholds may be left out, save those that for the rule
            ``'best'`` are the best of their detection.
        num_dets (int): Number of detections D.
        num_gts (int): Number of ground truths.
        thresholds (np.ndarray): (T,) float64; an IoU equal to the threshold counts.

    Returns:
        np.ndarray: (T, D) int32, the ground truth that each detection found, -1 for a false positive.

    Raises:
        ValueError: If the rule is unknown.
    """
    if rule not in RULES:
        raise ValueError(f'rule must be one of {RULES}, got {rule!r}')
    thresholds = np.asarray(thresholds, np.float64)
    dets, gts = np.asarray(dets, np.int64), np.asarray(gts, np.int64)
    matched = np.full((len(thresholds), num_dets), -1, np.int32)
    # Candidates of a detection together, the one it prefers first.
    order = np.lexsort((gts, -ious, dets))
    dets, gts, ious = dets[order], gts[order], ious[order]
    first = np.ones(len(dets), bool)
    first[1:] = dets[1:] != dets[:-1]
    if rule == 'best':
        dets, gts, ious = dets[first], gts[first], ious[first]
    for number, threshold in enumerate(thresholds):
        keep = ious >= threshold
        _match_one(rule, dets[keep], gts[keep], num_gts, matched[number])
    return matched


def _match_one(rule: str, dets: np.ndarray, gts: np.ndarray, num_gts: int, matched: np.ndarray) -> None:
    """Fill in the matches at one threshold; the pairs are ordered by detection, then by preference."""
    if rule == 'best':  # one pair for each detection: of those that want a ground truth the first gets it
        found, winner = np.unique(gts, return_index=True)
        matched[dets[winner]] = found
        return
    # Serial choice in the order of rank is what deferred acceptance arrives at when every ground truth prefers the
    # detection of the higher rank: each asks for its favourite, is turned away by a better one, asks for the next.
    begin = np.flatnonzero(np.r_[True, dets[1:] != dets[:-1]]) if len(dets) else np.zeros(0, np.int64)
    end = np.r_[begin[1:], len(dets)].astype(np.int64)
    holder = np.full(num_gts, len(begin), np.int64)  # number of the asking detection, none yet
    asking, place = np.arange(len(begin)), begin.copy()
    while len(asking):
        wanted = gts[place[asking]]
        before = holder[wanted]
        np.minimum.at(holder, wanted, asking)
        displaced = np.unique(before[(before < len(begin)) & (holder[wanted] < before)])
        refused = np.concatenate([asking[holder[wanted] != asking], displaced])
        place[refused] += 1
        asking = np.sort(refused[place[refused] < end[refused]])
    held = np.flatnonzero(holder < len(begin))
    matched[dets[begin[holder[held]]]] = held
