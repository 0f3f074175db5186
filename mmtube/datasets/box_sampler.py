"""Boxes of many tubelets at many times, from the boxes that are annotated, in one go."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mmtube.ops.box_sampling import TOLERANCE_S, pick_boxes
from mmtube.structures.seal import SEALAnnotations

FRAME_BITS = 32


class SampledBoxes(NamedTuple):
    """Boxes at the times that were asked for.

    Args:
        boxes_px (np.ndarray): (N, 4) float32 xyxy in pixels, 0 where there is none.
        valid (np.ndarray): (N,) bool, whether there is a box.
        distance_s (np.ndarray): (N,) float64 seconds to the nearest annotated box of the shot, inf where none is.
        scores (np.ndarray): (N,) float32 score of that nearest box, 0 where there is no box.
    """

    boxes_px: np.ndarray
    valid: np.ndarray
    distance_s: np.ndarray
    scores: np.ndarray


class BoxSampler:
    """Look up boxes of tubelets at any time.

    A time takes the nearest box of the tubelet within ``nearest_s``, else the box between its two neighbours where they
    are at most ``gap_s`` apart, else none. Boxes of another shot than the frame at that time do not count: a person
    jumps at a cut. (With the defaults each time in a gap of ``gap_s`` has a box within ``nearest_s``; interpolation
    is for boxes that are annotated more sparsely, or for a smaller ``nearest_s``.) The rules are those of SEAL's
    boxes at 4 per second as far as the paper gives them; the limits are ours.

    Args:
        annotations (SEALAnnotations): Frames within a tubelet may be in any order.
        nearest_s (float): Seconds to the nearest box; at least one frame. Defaults to 0.25.
        gap_s (float): Seconds between the neighbours of an interpolated box. Defaults to 0.5.

    Attributes:
        tids (list[str]): Tubelets in the order of the file; they are asked for by their numbers in it.
        first (np.ndarray): (T,) int64 first frame of each tubelet, 0 where it has no box.
        last (np.ndarray): (T,) int64 last frame, -1 where it has no box.
        fps (np.ndarray): (T,) float64 frame rate of its film.
        films (np.ndarray): (T,) int64 number of its film in the order of the file.
    """

    def __init__(self, annotations: SEALAnnotations, nearest_s: float = 0.25, gap_s: float = 0.5) -> None:
        self.nearest_s, self.gap_s = nearest_s, gap_s
        self.boxes = annotations.boxes
        self.tids = list(annotations.tubelets)
        records = list(annotations.tubelets.values())
        films = {vid: number for number, vid in enumerate(annotations.videos)}
        fps = np.array([video.fps for video in annotations.videos.values()], np.float64)
        self.films = np.array([films[record.vid] for record in records], np.int64)
        self.fps = fps[self.films] if len(records) else np.zeros(0)
        self._rows, self._keys = self._order([record.box_key for record in records])
        edges = np.searchsorted(self._keys, np.arange(len(records) + 1, dtype=np.int64) << FRAME_BITS)
        empty = edges[:-1] == edges[1:]
        frames = np.append(self._keys & ((1 << FRAME_BITS) - 1), 0)
        self.first = np.where(empty, 0, frames[edges[:-1]])
        self.last = np.where(empty, -1, frames[edges[1:] - 1])
        shots = [(films[vid], shot[0]) for vid, video in annotations.videos.items() for shot in video.shots[1:]]
        self._cuts = np.array([(film << FRAME_BITS) + frame for film, frame in sorted(shots)], np.int64)

    def _order(self, box_keys: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """Rows of the box table by tubelet and frame, and ``tubelet << 32 | frame`` of each, which increases."""
        spans = [self.boxes.rows(key) if key in self.boxes else slice(0, 0) for key in box_keys]
        starts = np.array([span.start for span in spans], np.int64)
        lengths = np.array([span.stop - span.start for span in spans], np.int64)
        numbers = np.repeat(np.arange(len(spans), dtype=np.int64), lengths)
        rows = np.arange(len(numbers)) + np.repeat(starts - np.cumsum(lengths) + lengths, lengths)
        keys = (numbers << FRAME_BITS) + self.boxes.frame_inds[rows]
        if (np.diff(keys) < 0).any():
            order = np.argsort(keys, kind='stable')
            rows, keys = rows[order], keys[order]
        return rows, keys

    def __call__(self, tubelets: np.ndarray, times_s: np.ndarray) -> SampledBoxes:
        """Return the boxes of tubelets at times.

        Args:
            tubelets (np.ndarray): (N,) int numbers of tubelets in the order of the file.
            times_s (np.ndarray): (N,) float64 seconds of film time.

        Returns:
            SampledBoxes: In the same order.
        """
        tubelets, times_s = np.asarray(tubelets, np.int64), np.asarray(times_s, np.float64)
        if not len(self._keys) or not len(tubelets):
            none = np.zeros(len(tubelets))
            boxes_px, scores = np.zeros((len(tubelets), 4), np.float32), np.zeros(len(tubelets), np.float32)
            return SampledBoxes(boxes_px, none > 0, none + np.inf, scores)
        fps = self.fps[tubelets]
        position = times_s * fps
        wanted = (tubelets << FRAME_BITS) + np.floor(position + TOLERANCE_S).astype(np.int64)
        before = np.searchsorted(self._keys, wanted, side='right') - 1
        away = [self._away_s(row, tubelets, position, fps) for row in (before, before + 1)]
        limits_s = np.maximum(self.nearest_s, 1 / fps)
        rows = self._rows[np.clip([before, before + 1], 0, len(self._rows) - 1)]
        picked = pick_boxes(self.boxes.boxes_px, rows, np.stack(away), limits_s, self.gap_s)
        scores = np.zeros(len(tubelets), np.float32)
        scores[picked.valid] = self.boxes.scores[picked.nearest[picked.valid]]
        return SampledBoxes(picked.boxes, picked.valid, picked.distance_s, scores)

    def _away_s(self, rows: np.ndarray, tubelets: np.ndarray, position: np.ndarray, fps: np.ndarray) -> np.ndarray:
        """Seconds between times and boxes, inf for boxes of another tubelet or shot."""
        exists = (rows >= 0) & (rows < len(self._keys))
        keys = self._keys[np.where(exists, rows, 0)]
        frames = keys & ((1 << FRAME_BITS) - 1)
        exists &= keys >> FRAME_BITS == tubelets
        if len(self._cuts):
            film = self.films[tubelets] << FRAME_BITS
            shown = np.floor(np.maximum(position, 0) + 0.5).astype(np.int64)
            shots = [np.searchsorted(self._cuts, film + frame, side='right') for frame in (frames, shown)]
            exists &= shots[0] == shots[1]
        return np.where(exists, np.abs(frames - position) / fps, np.inf)
