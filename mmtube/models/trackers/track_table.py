"""The tracks that are alive, as columns."""

from __future__ import annotations

import numpy as np

from mmtube.ops.boxes import xyxy_to_cxcyah
from mmtube.structures import FrameDetections, Tube

from .kalman import KalmanState


class TrackTable:
    """State of the live tracks: one row each, all columns of equal length.

    Appearance galleries are rings of ``budget`` rows in one array, addressed by a slot per track, so that comparing all
    tracks with all boxes is one matrix product.

    Args:
        budget (int): Appearances kept per track, the most recent ones.

    Attributes:
        ids (np.ndarray): (N,) int64; confirmed tracks are numbered from 1 in the order of confirmation.
        confirmed (np.ndarray): (N,) bool.
        hits (np.ndarray): (N,) int64 boxes taken so far.
        age (np.ndarray): (N,) int64 frames since the last box.
        state (KalmanState): N rows.
    """

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self.ids = np.zeros(0, np.int64)
        self.confirmed = np.zeros(0, bool)
        self.hits = np.zeros(0, np.int64)
        self.age = np.zeros(0, np.int64)
        self.state = KalmanState.initiate(np.zeros((0, 4)))
        self._slots = np.zeros(0, np.int64)
        self._gallery = np.zeros((0, budget, 0), np.float32)
        self._seen = np.zeros(0, np.int64)  # appearances ever put into a slot
        self._history: list[list[tuple]] = []  # per track: (frame, time, box, score) rows
        self._feature_sum: list[np.ndarray | None] = []
        self._next_id = 1

    def __len__(self) -> int:
        return len(self.ids)

    def start(self, detections: FrameDetections, boxes: np.ndarray, n_init: int) -> None:
        """Begin a track at each of the given boxes (indices into ``detections``)."""
        count = len(boxes)
        if not count:
            return
        first = len(self)
        self.ids = np.concatenate([self.ids, np.full(count, -1)])
        self.confirmed = np.concatenate([self.confirmed, np.zeros(count, bool)])
        self.hits = np.concatenate([self.hits, np.zeros(count, np.int64)])
        self.age = np.concatenate([self.age, np.zeros(count, np.int64)])
        self.state = self.state.extend(KalmanState.initiate(xyxy_to_cxcyah(detections.boxes_px[boxes])))
        self._slots = np.concatenate([self._slots, self._free_slots(count)])
        self._history += [[] for _ in range(count)]
        self._feature_sum += [None] * count
        self.append(np.arange(first, first + count), detections, boxes, n_init)

    def append(self, rows: np.ndarray, detections: FrameDetections, boxes: np.ndarray, n_init: int) -> None:
        """Give each of the tracks ``rows`` one box; the n_init-th box confirms a track."""
        self.age[rows] = 0
        self.hits[rows] += 1
        for row in rows[~self.confirmed[rows] & (self.hits[rows] >= n_init)]:
            self.confirmed[row] = True
            self.ids[row] = self._next_id
            self._next_id += 1
        frame, time_s = detections.frame_ind, detections.time_s
        for row, box in zip(rows, boxes):
            self._history[row].append((frame, time_s, detections.boxes_px[box], detections.scores[box]))
        if detections.features is not None:
            self._remember(rows, detections.features[boxes])

    def appearance_distance(self, rows: np.ndarray, features: np.ndarray) -> np.ndarray:
        """Return (N, M) smallest cosine distances between the galleries of ``rows`` and M unit features."""
        if self._gallery.shape[2] != features.shape[1]:  # no appearance of this kind so far
            return np.full((len(rows), len(features)), np.inf)
        gallery = self._gallery[self._slots[rows]]
        distance = 1 - gallery @ features.T  # (N, budget, M)
        empty = np.arange(self.budget) >= self._seen[self._slots[rows]][:, None]
        distance[empty] = np.inf
        return distance.min(axis=1)

    def pop(self, gone: np.ndarray) -> list[Tube]:
        """Remove the tracks of the mask ``gone`` and return those among them that were confirmed, as tubelets."""
        tubelets = [self._tubelet(row) for row in np.flatnonzero(gone & self.confirmed)]
        keep = ~gone
        for name in ('ids', 'confirmed', 'hits', 'age', 'state', '_slots'):
            setattr(self, name, getattr(self, name)[keep])
        self._history = [rows for rows, kept in zip(self._history, keep) if kept]
        self._feature_sum = [total for total, kept in zip(self._feature_sum, keep) if kept]
        return tubelets

    def _tubelet(self, row: int) -> Tube:
        frames, times, boxes, scores = zip(*self._history[row])
        total = self._feature_sum[row]
        embedding = None if total is None else total / max(float(np.linalg.norm(total)), 1e-12)
        return Tube(int(self.ids[row]), frames, times, boxes, scores, embedding=embedding)

    def _remember(self, rows: np.ndarray, features: np.ndarray) -> None:
        if self._gallery.shape[2] != features.shape[1]:
            self._gallery = np.zeros((len(self._seen), self.budget, features.shape[1]), np.float32)
            self._seen[:] = 0
        slots = self._slots[rows]
        self._gallery[slots, self._seen[slots] % self.budget] = features
        self._seen[slots] += 1
        for row, feature in zip(rows, features):
            total = self._feature_sum[row]
            self._feature_sum[row] = feature.astype(np.float64) if total is None else total + feature

    def _free_slots(self, count: int) -> np.ndarray:
        free = np.setdiff1d(np.arange(len(self._seen)), self._slots)[:count]
        missing = count - len(free)
        if missing:
            grown = len(self._seen) + np.arange(max(missing, len(self._seen), 8))
            self._seen = np.concatenate([self._seen, np.zeros(len(grown), np.int64)])
            room = np.zeros((len(grown), *self._gallery.shape[1:]), np.float32)
            self._gallery = np.concatenate([self._gallery, room])
            free = np.concatenate([free, grown[:missing]])
        self._seen[free] = 0
        return free
