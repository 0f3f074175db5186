"""Tracks against tracks: the pairs of boxes that overlap, and the best one-to-one choice of pairs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from mmtube.ops import paired_box_iou

from .ordering import pairs_of_groups


@dataclass(frozen=True, eq=False)
class Tracks:
    """Boxes with IDs, ordered by sequence, frame and ID.

    Args:
        sequence (np.ndarray): (N,) int64 sequence.
        picture (np.ndarray): (N,) int64 number of the frame over all sequences, increasing.
        track (np.ndarray): (N,) int64 number of the track over all sequences, ordered by sequence and ID.
        boxes_px (np.ndarray): (N, 4) float64 xyxy.
        row (np.ndarray): (N,) int64 row that it had before it was ordered.
        track_sequence (np.ndarray): (K,) int64 sequence of each track.
    """

    sequence: np.ndarray
    picture: np.ndarray
    track: np.ndarray
    boxes_px: np.ndarray
    row: np.ndarray
    track_sequence: np.ndarray

    @property
    def lengths(self) -> np.ndarray:
        """(K,) int64 boxes of each track."""
        return np.bincount(self.track, minlength=len(self.track_sequence))


def number_tracks(
    sequence: np.ndarray, frames: np.ndarray, ids: np.ndarray, boxes_px: np.ndarray, num_frames: int
) -> Tracks:
    """Order boxes, and number their pictures and tracks.

    Args:
        sequence (np.ndarray): (N,) int64 sequence of each box.
        frames (np.ndarray): (N,) int64 frame in its sequence, from 0.
        ids (np.ndarray): (N,) int64 ID in its sequence, once in a frame.
        boxes_px (np.ndarray): (N, 4) float64 xyxy.
        num_frames (int): More than any frame; the same number for tracks that are compared.
    """
    by_track = np.lexsort((ids, sequence))
    begins = np.zeros(len(ids), bool)
    begins[:1] = True
    begins[1:] = (np.diff(ids[by_track]) != 0) | (np.diff(sequence[by_track]) != 0)
    track = np.empty(len(ids), np.int64)
    track[by_track] = np.cumsum(begins) - 1
    picture = sequence * num_frames + frames
    row = np.lexsort((track, picture))
    owner = sequence[by_track][begins]
    return Tracks(sequence[row], picture[row], track[row], np.asarray(boxes_px, np.float64)[row], row, owner)


@dataclass(frozen=True, eq=False)
class Overlaps:
    """Pairs of boxes in one picture that overlap, ordered by ground truth, then by prediction.

    Args:
        gts (np.ndarray): (P,) int64 row of the ground truth.
        dets (np.ndarray): (P,) int64 row of the predictions.
        ious (np.ndarray): (P,) float64, above 0.
    """

    gts: np.ndarray
    dets: np.ndarray
    ious: np.ndarray

    def reaching(self, threshold: float) -> Overlaps:
        """Return the pairs whose IoU is not below ``threshold``."""
        keep = self.ious >= threshold
        return Overlaps(self.gts[keep], self.dets[keep], self.ious[keep])


def overlaps(truth: Tracks, found: Tracks) -> Overlaps:
    """Return the pairs of boxes that overlap in their picture."""
    parts: list[tuple[np.ndarray, ...]] = [(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))]
    for gts, dets in pairs_of_groups(truth.picture, found.picture, max_pairs=1 << 17):  # fits a cache
        ious = paired_box_iou(truth.boxes_px[gts], found.boxes_px[dets])
        keep = ious > 0
        parts.append((gts[keep], dets[keep], ious[keep]))
    return Overlaps(*(np.concatenate(column) for column in zip(*parts)))


def assign(rows: np.ndarray, columns: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Choose pairs so that no row and no column is chosen twice and the sum of their weights is as large as can be.

    Pairs that compete with no other are taken as they are, the others are solved in groups that do not touch.

    Args:
        rows (np.ndarray): (P,) int64 row of each pair.
        columns (np.ndarray): (P,) int64 column; no two pairs are alike.
        weights (np.ndarray): (P,) float64, positive.

    Returns:
        np.ndarray: (P,) bool, the chosen pairs.

    Examples:
        >>> assign(np.array([0, 0, 1]), np.array([0, 1, 0]), np.array([0.9, 0.6, 0.5])).tolist()
        [False, True, True]
    """
    chosen = alone(rows, columns)
    rest = np.flatnonzero(~chosen)
    for part, left, right in connected_groups(rows[rest], columns[rest]):
        pairs = rest[part]
        chosen[pairs] = _solve(left, right, weights[pairs])
    return chosen


def alone(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return (P,) bool: pairs whose row and column are in no other pair."""
    if not len(rows):
        return np.zeros(0, bool)
    return (np.bincount(rows)[rows] == 1) & (np.bincount(columns)[columns] == 1)


def connected_groups(rows: np.ndarray, columns: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield the pairs of each connected group, with its rows and its columns numbered from 0."""
    if not len(rows):
        return
    row_names, left = np.unique(rows, return_inverse=True)
    column_names, right = np.unique(columns, return_inverse=True)
    size = len(row_names) + len(column_names)
    graph = coo_matrix((np.ones(len(rows), bool), (left, right + len(row_names))), (size, size))
    _, group = connected_components(graph, directed=False)
    left = _place_in_group(group[: len(row_names)])[left]
    group_of_pair = group[len(row_names) :][right]
    right = _place_in_group(group[len(row_names) :])[right]
    order = np.argsort(group_of_pair, kind='stable')
    for part in np.split(order, np.flatnonzero(np.diff(group_of_pair[order])) + 1):
        yield part, left[part], right[part]


def _place_in_group(group: np.ndarray) -> np.ndarray:
    order = np.argsort(group, kind='stable')
    place = np.empty(len(group), np.int64)
    place[order] = np.arange(len(group)) - np.searchsorted(group[order], group[order])
    return place


def _solve(left: np.ndarray, right: np.ndarray, weights: np.ndarray) -> np.ndarray:
    matrix = np.zeros((left.max() + 1, right.max() + 1))
    matrix[left, right] = weights
    taken_rows, taken_columns = linear_sum_assignment(matrix, maximize=True)
    column_of = np.full(len(matrix), -1)
    column_of[taken_rows] = taken_columns
    return column_of[left] == right


def count_track_pairs(
    truth: Tracks, found: Tracks, gts: np.ndarray, dets: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return which tracks meet in pairs of boxes.

    Args:
        truth (Tracks): Ground truth.
        found (Tracks): Predictions.
        gts (np.ndarray): (P,) int64 rows of the ground truth.
        dets (np.ndarray): (P,) int64 rows of the predictions.

    Returns:
        tuple: (K,) int64 track of the ground truth, (K,) int64 predicted track, (P,) int64 which of the K each pair
        belongs to, (K,) int64 number of pairs.
    """
    width = len(found.track_sequence) + 1
    keys, of_pair, counts = np.unique(
        truth.track[gts] * width + found.track[dets], return_inverse=True, return_counts=True
    )
    return keys // width, keys % width, of_pair, counts
