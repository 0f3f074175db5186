"""Which boxes tracks took, frame by frame, until they become tubelets."""

from __future__ import annotations

import numpy as np

from mmtube.structures import FrameDetections, Tube

_COMPACT_AFTER = 4096  # frames


class TrackLog:
    """Columns of the boxes of all tracks; a track is named by its serial number."""

    def __init__(self) -> None:
        self._blocks: list[tuple] = []  # serials, frame, time (of all, or each its own), boxes, scores

    def append(self, serials: np.ndarray, detections: FrameDetections, boxes: np.ndarray) -> None:
        """Note which track takes which box of a frame.

        Args:
            serials (np.ndarray): (K,) int64.
            detections (FrameDetections): The frame.
            boxes (np.ndarray): (K,) int64 rows of the frame.
        """
        if not len(serials):
            return
        frame_ind, time_s = int(detections.frame_ind), float(detections.time_s)
        self._blocks.append((serials, frame_ind, time_s, detections.boxes_px[boxes], detections.scores[boxes]))
        if len(self._blocks) > _COMPACT_AFTER:  # an array has an overhead of a hundred bytes
            self._blocks = [self._columns()]

    def _columns(self) -> tuple:
        """Return all blocks as one: frames and times become columns too."""
        serials, frame_inds, times_s, boxes_px, scores = zip(*self._blocks)
        counts = [len(block) for block in serials]
        whole = (
            np.concatenate([np.broadcast_to(value, count) for value, count in zip(column, counts)])
            for column in (frame_inds, times_s)
        )
        return np.concatenate(serials), *whole, np.concatenate(boxes_px), np.concatenate(scores)

    def take(self, serials: np.ndarray, ids: np.ndarray, living: np.ndarray, looks: dict) -> list[Tube]:
        """Return the tubelets of tracks and forget all boxes but those of the living.

        Args:
            serials (np.ndarray): (K,) int64 tracks that ended.
            ids (np.ndarray): (K,) int64 their IDs.
            living (np.ndarray): (L,) int64 tracks that go on.
            looks (dict[int, np.ndarray]): Embeddings by serial number, where there is one.
        """
        if not self._blocks:
            return []
        columns = self._columns()
        self._blocks = [tuple(column[np.isin(columns[0], living)] for column in columns)]
        rows = np.flatnonzero(np.isin(columns[0], serials))
        rows = rows[np.argsort(columns[0][rows], kind='stable')]  # within a track the order of time stays
        track, frame_inds, times_s, boxes_px, scores = (column[rows] for column in columns)
        id_of = dict(zip(serials.tolist(), ids.tolist()))
        starts = np.flatnonzero(np.diff(track, prepend=-1))
        return [
            Tube(
                id_of[int(track[begin])],
                frame_inds[begin:end],
                times_s[begin:end],
                boxes_px[begin:end],
                scores[begin:end],
                embedding=looks.get(int(track[begin])),
            )
            for begin, end in zip(starts, [*starts[1:], len(track)])
        ]
