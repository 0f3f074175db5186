"""Where a person is at a time: the rule that picks a box from those that are known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

TOLERANCE_S = 1e-6  # times in files are rounded


class PickedBoxes(NamedTuple):
    """Boxes at the times that were asked for.

    Args:
        boxes (np.ndarray): (K, 4) float32 xyxy, 0 where there is none.
        valid (np.ndarray): (K,) bool, whether there is one.
        nearest (np.ndarray): (K,) int64 row of the nearest known box; without meaning where ``distance_s`` is inf.
        distance_s (np.ndarray): (K,) float64 seconds to it, inf where no known box counts.
    """

    boxes: np.ndarray
    valid: np.ndarray
    nearest: np.ndarray
    distance_s: np.ndarray


def pick_boxes(
    boxes: np.ndarray,
    rows: np.ndarray,
    away_s: np.ndarray,
    nearest_s: float | np.ndarray,
    gap_s: float,
    *,
    between_first: bool = False,
    tolerance_s: float = TOLERANCE_S,
) -> PickedBoxes:
    """Return one box per time, from the known boxes before and after it.

    A time takes the nearer of the two if it is at most ``nearest_s`` away, the earlier where both are as near; else
    what lies between them on a line if they are at most ``gap_s`` apart; else it has no box. ``between_first`` asks
    the second question first. Beyond the first and the last box that box is held for ``nearest_s``.

    Args:
        boxes (np.ndarray): (T, 4) float xyxy, those that are known.
        rows (np.ndarray): (2, K) int64 rows of the neighbours before and after each time.
        away_s (np.ndarray): (2, K) float64 seconds from each time to them, not negative; inf where there is none, or
            where it does not count. Its row may then be any number.
        nearest_s (float | np.ndarray): Seconds to the nearest box, one limit or (K,); inf holds it for ever.
        gap_s (float): Seconds between the neighbours of an interpolated box; 0 interpolates nowhere.
        between_first (bool): Whether a box between two others comes before the nearest. Defaults to False.
        tolerance_s (float): Seconds that count as none, for limits and for boxes as near. Defaults to 1e-6.

    Returns:
        PickedBoxes: In the order of the times.
    """
    before_s, after_s = np.asarray(away_s, np.float64)
    is_after = after_s < before_s - tolerance_s
    nearest, distance_s = np.where(is_after, rows[1], rows[0]), np.where(is_after, after_s, before_s)
    near = (distance_s <= nearest_s + tolerance_s) & np.isfinite(distance_s)
    apart_s = before_s + after_s
    blended = (apart_s <= gap_s + tolerance_s) & (apart_s > 0) & np.isfinite(apart_s)
    if between_first:
        near &= ~blended
    else:
        blended &= ~near
    found = np.zeros((len(distance_s), 4), np.float32)
    found[near] = boxes[nearest[near]]
    at = np.flatnonzero(blended)
    if len(at):
        left, right = (np.asarray(boxes[rows[side][at]], np.float64) for side in (0, 1))
        found[at] = left + (before_s[at] / apart_s[at])[:, None] * (right - left)
    return PickedBoxes(found, near | blended, nearest, distance_s)


def sample_boxes(
    times_s: np.ndarray,
    boxes: np.ndarray,
    wanted_s: np.ndarray,
    nearest_s: float,
    gap_s: float,
    cuts_s: np.ndarray | Sequence[float] = (),
    *,
    between_first: bool = False,
    tolerance_s: float = TOLERANCE_S,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the boxes of one person at any times, by the rule of :func:`pick_boxes`.

    Boxes of another shot than the wanted time do not count, because a person jumps at a cut.

    Args:
        times_s (np.ndarray): (T,) float64 times of the boxes in seconds, increasing; none is fine.
        boxes (np.ndarray): (T, 4) float xyxy.
        wanted_s (np.ndarray): (K,) float64 times in seconds, in any order.
        nearest_s (float): As :func:`pick_boxes`.
        gap_s (float): As :func:`pick_boxes`.
        cuts_s (np.ndarray | Sequence[float]): Increasing times at which a new shot begins. Defaults to none.
        between_first (bool): As :func:`pick_boxes`. Defaults to False.
        tolerance_s (float): As :func:`pick_boxes`. Defaults to 1e-6.

    Returns:
        tuple[np.ndarray, np.ndarray]: (K, 4) float32 boxes, 0 where there is none, and (K,) bool.

    Examples:
        >>> boxes = np.array([[0, 0, 4, 8], [8, 0, 12, 8]])
        >>> found, valid = sample_boxes([0, 1], boxes, [0.2, 0.5, 1.2, 2], nearest_s=0.25, gap_s=1)
        >>> found[:, 0].tolist(), valid.tolist()
        ([0.0, 4.0, 8.0, 0.0], [True, True, True, False])
    """
    times_s, boxes, wanted_s = np.asarray(times_s, np.float64), np.asarray(boxes), np.asarray(wanted_s, np.float64)
    after = np.searchsorted(times_s, wanted_s)
    rows, away_s = np.stack([after - 1, after]), np.full((2, len(wanted_s)), np.inf)
    shots, wanted_shots = (np.searchsorted(cuts_s, seconds, side='right') for seconds in (times_s, wanted_s))
    for row, away in zip(rows, away_s):
        there = np.flatnonzero((row >= 0) & (row < len(times_s)))
        there = there[shots[row[there]] == wanted_shots[there]]
        away[there] = np.abs(times_s[row[there]] - wanted_s[there])
    picked = pick_boxes(boxes, rows, away_s, nearest_s, gap_s, between_first=between_first, tolerance_s=tolerance_s)
    return picked.boxes, picked.valid
