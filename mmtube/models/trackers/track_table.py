"""The tracks that are alive, as columns."""

from __future__ import annotations

import numpy as np

from mmtube.structures import FrameDetections, Tube

from .gallery import AppearanceGallery
from .kalman import KalmanState, warp_boxes
from .track_log import TrackLog

_COLUMNS = ('serials', 'ids', 'hits', 'age', 'slots', 'last_boxes')


class TrackTable:
    """State of the live tracks: one row each, all columns of equal length.

    Args:
        budget (int): Appearances kept per track, the most recent ones.
        n_init (int): The n_init-th box confirms a track.
        reupdate (bool): Whether a track that is found again first goes through the frames without a box again, along
            the straight line between both boxes (OC-SORT, arXiv 2203.14360, Sec. 4.1).

    Attributes:
        serials (np.ndarray): (N,) int64, in the order in which tracks began.
        ids (np.ndarray): (N,) int64, -1 for tentative tracks; confirmed ones are numbered from 1 in the order of
            confirmation.
        hits (np.ndarray): (N,) int64 boxes taken so far.
        age (np.ndarray): (N,) int64 frames since the last box.
        slots (np.ndarray): (N,) int64 slot of each track in ``gallery``.
        last_boxes (np.ndarray): (N, 4) float64 cxcyah of the last box.
        state (KalmanState): N rows, now.
        seen_state (KalmanState): N rows, right after the last box; kept up to date for ``reupdate`` only.
        gallery (AppearanceGallery): What the tracks looked like.
    """

    def __init__(self, budget: int, n_init: int, reupdate: bool) -> None:
        self.n_init = n_init
        self.reupdate = reupdate
        self.serials, self.ids, self.hits, self.age, self.slots = (np.zeros(0, np.int64) for _ in range(5))
        self.last_boxes = np.zeros((0, 4))
        self.state = self.seen_state = KalmanState.initiate(self.last_boxes)
        self.gallery = AppearanceGallery(budget)
        self._log = TrackLog()
        self._ended: list[tuple[int, int]] = []  # serial and ID of confirmed tracks
        self._looks: dict[int, np.ndarray] = {}
        self._next_id = 1
        self._next_serial = 0

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def confirmed(self) -> np.ndarray:
        """(N,) bool."""
        return self.ids >= 0

    def predict(self) -> None:
        """Go on by one frame."""
        self.state = self.state.predict()
        self.age += 1

    def warp(self, affine: np.ndarray) -> None:
        """Follow a camera that moved; see :meth:`KalmanState.warp`."""
        self.state = self.state.warp(affine)
        self.seen_state = self.seen_state.warp(affine)
        self.last_boxes = warp_boxes(self.last_boxes, affine)

    def start(self, detections: FrameDetections, boxes: np.ndarray, boxes_cxcyah: np.ndarray) -> None:
        """Begin a track at each of the given boxes (rows of ``detections``)."""
        count = len(boxes)
        if not count:
            return
        first = len(self)
        new = {name: np.zeros(count, np.int64) for name in ('hits', 'age')}
        new['serials'] = self._next_serial + np.arange(count)
        new['ids'] = np.full(count, -1)
        new['slots'] = self.gallery.take(count)
        new['last_boxes'] = boxes_cxcyah
        self._next_serial += count
        for name in _COLUMNS:
            setattr(self, name, np.concatenate([getattr(self, name), new[name]]))
        state = KalmanState.initiate(boxes_cxcyah)
        self.state, self.seen_state = self.state.extend(state), self.seen_state.extend(state)
        self._note(np.arange(first, first + count), detections, boxes)

    def append(
        self, rows: np.ndarray, detections: FrameDetections, boxes: np.ndarray, boxes_cxcyah: np.ndarray
    ) -> None:
        """Give each of the tracks ``rows`` one box (rows of ``detections``) and correct its state.

        Args:
            rows (np.ndarray): (K,) int64 without repeats.
            detections (FrameDetections): The frame.
            boxes (np.ndarray): (K,) int64 rows of the frame.
            boxes_cxcyah (np.ndarray): (K, 4) float64 those boxes.
        """
        if not len(rows):
            return
        if self.reupdate:
            found_again = self.age[rows] > 1
            self._go_through_again(rows[found_again], boxes_cxcyah[found_again])
        self.state.update(rows, boxes_cxcyah)
        if self.reupdate:
            self.seen_state[rows] = self.state[rows]
        self.last_boxes[rows] = boxes_cxcyah
        self.age[rows] = 0
        self._note(rows, detections, boxes)

    def _go_through_again(self, rows: np.ndarray, boxes_cxcyah: np.ndarray) -> None:
        if not len(rows):
            return
        state, missed = self.seen_state[rows], self.age[rows]
        begin, step = self.last_boxes[rows], (boxes_cxcyah - self.last_boxes[rows]) / missed[:, None]
        for frame in range(1, int(missed.max()) + 1):
            going = np.flatnonzero(missed >= frame)
            state[going] = state[going].predict()
            between = np.flatnonzero(missed > frame)
            state.update(between, begin[between] + frame * step[between])
        self.state[rows] = state

    def _note(self, rows: np.ndarray, detections: FrameDetections, boxes: np.ndarray) -> None:
        self.hits[rows] += 1
        fresh = rows[(self.ids[rows] < 0) & (self.hits[rows] >= self.n_init)]
        if len(fresh):
            self.ids[fresh] = self._next_id + np.arange(len(fresh))
            self._next_id += len(fresh)
        self._log.append(self.serials[rows], detections, boxes)
        if detections.features is not None:
            self.gallery.append(self.slots[rows], detections.features[boxes])

    def end(self, gone: np.ndarray) -> None:
        """Remove the tracks of the mask ``gone``."""
        if not gone.any():
            return
        ended = gone & self.confirmed
        serials = self.serials[ended].tolist()
        self._ended += zip(serials, self.ids[ended].tolist())
        looks = zip(serials, self.gallery.means(self.slots[ended]))
        self._looks.update((serial, look) for serial, look in looks if look is not None)
        self.gallery.release(self.slots[gone])
        for name in _COLUMNS:
            setattr(self, name, getattr(self, name)[~gone])
        self.state, self.seen_state = self.state[~gone], self.seen_state[~gone]

    def take_ended(self) -> list[Tube]:
        """Return the tubelets of confirmed tracks that ended since the last call, by ID, and forget them."""
        ended = np.array(self._ended, np.int64).reshape(-1, 2)
        tubelets = self._log.take(ended[:, 0], ended[:, 1], self.serials, self._looks)
        self._ended, self._looks = [], {}
        return sorted(tubelets, key=lambda tube: tube.track_id)
