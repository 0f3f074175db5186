"""Annotations as flat columns, so that a rule looks at all boxes at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property

import numpy as np

from mmtube.structures.seal import Finding, InstanceTable, SEALAnnotations
from mmtube.structures.seal.table_rules import rows_in_file

FRAME_SPAN = 2**32  # frames are int32, so that video * FRAME_SPAN + frame is one number for each frame of each film
CHUNK_BOXES = 1 << 20


class Columns:
    """Numbers instead of names for films, tubelets and box keys; -1 is one that is not in the file.

    Args:
        annotations (SEALAnnotations): What was read.
        read_findings (Iterable[Finding]): What reading found; records that it passed over still count in row numbers.
            Defaults to none.

    Attributes:
        vids (list[str]): (V,) films.
        tids (list[str]): (T,) tubelets.
        fps, width, height, num_frames (np.ndarray): (V,) of the films; float64, the others int64.
        tubelet_video (np.ndarray): (T,) int64.
        person_ids (np.ndarray): (T,) int64.
        key_tubelet (np.ndarray): (K,) int64 tubelet of a box key, the first where several claim it.
        tubelet_key (np.ndarray): (T,) int64.
    """

    def __init__(self, annotations: SEALAnnotations, read_findings: Iterable[Finding] = ()) -> None:
        self.annotations = annotations
        videos, tubelets = annotations.videos, annotations.tubelets
        self.vids, self.tids = list(videos), list(tubelets)
        self.video_index = {vid: number for number, vid in enumerate(self.vids)}
        self.tubelet_index = {tid: number for number, tid in enumerate(self.tids)}
        self.fps = np.array([video.fps for video in videos.values()], np.float64)
        self.width = np.array([video.width for video in videos.values()], np.int64)
        self.height = np.array([video.height for video in videos.values()], np.int64)
        self.num_frames = np.array([video.num_frames for video in videos.values()], np.int64)
        records = list(tubelets.values())
        self.tubelet_video = np.array([self.video_index.get(record.vid, -1) for record in records], np.int64)
        self.person_ids = np.array([record.person_id for record in records], np.int64)
        self.frame_ranges = np.array([record.frame_range for record in records], np.int64).reshape(-1, 2)
        self.stages = np.array([record.stage for record in records], np.int64)
        self.across_shots = np.array([record.across_shots for record in records], bool)
        key_index = {key: number for number, key in enumerate(annotations.boxes.keys.tolist())}
        self.tubelet_key = np.array([key_index.get(record.box_key, -1) for record in records], np.int64)
        self.key_tubelet = np.full(len(key_index), -1, np.int64)
        has_key = np.flatnonzero(self.tubelet_key >= 0)[::-1]  # the first claim is written last
        self.key_tubelet[self.tubelet_key[has_key]] = has_key
        self._read_findings = list(read_findings)

    # Boxes

    @cached_property
    def box_key(self) -> np.ndarray:
        """(N,) int32 key of each box."""
        boxes = self.annotations.boxes
        return np.repeat(np.arange(len(boxes.keys), dtype=np.int32), np.diff(boxes.offsets))

    @cached_property
    def box_tubelet(self) -> np.ndarray:
        """(N,) int32 tubelet of each box."""
        return np.repeat(self.key_tubelet.astype(np.int32), np.diff(self.annotations.boxes.offsets))

    @cached_property
    def box_video(self) -> np.ndarray:
        """(N,) int32 film of each box."""
        video = np.append(self.tubelet_video, -1)[self.key_tubelet].astype(np.int32)
        return np.repeat(video, np.diff(self.annotations.boxes.offsets))

    @cached_property
    def finite(self) -> np.ndarray:
        """(N,) bool boxes of finite numbers."""
        # A reduction over rows of four takes five times as long as over columns.
        return np.logical_and.reduce(np.isfinite(self.annotations.boxes.boxes_px).T)

    @cached_property
    def with_area(self) -> np.ndarray:
        """(N,) bool boxes that are neither flat nor reversed."""
        x1, y1, x2, y2 = self.annotations.boxes.boxes_px.T
        return (x2 > x1) & (y2 > y1)

    @cached_property
    def proper(self) -> np.ndarray:
        """(N,) bool finite boxes with an area, of a known film."""
        return self.finite & self.with_area & (self.box_video >= 0)

    @cached_property
    def box_spans(self) -> np.ndarray:
        """(T, 2) int64 first and last frame with a box; (0, -1) where there is none."""
        boxes = self.annotations.boxes
        starts, ends = boxes.offsets[:-1], boxes.offsets[1:]
        some = np.flatnonzero(ends > starts)
        spans = np.full((len(boxes.keys) + 1, 2), (0, -1), np.int64)
        if len(some):
            spans[some, 0] = np.minimum.reduceat(boxes.frame_inds, starts[some])
            spans[some, 1] = np.maximum.reduceat(boxes.frame_inds, starts[some])
        return spans[self.tubelet_key]

    @cached_property
    def box_step_s(self) -> np.ndarray:
        """(T,) float64 mean seconds from box to box; with fewer than two boxes the median of the other tubelets."""
        count = np.append(np.diff(self.annotations.boxes.offsets), 0)[self.tubelet_key]
        fps = np.append(self.fps, np.nan)[self.tubelet_video]
        step_s = np.zeros(len(count))
        several = (count > 1) & (fps > 0)
        span = np.diff(self.box_spans[several], axis=1)[:, 0]
        step_s[several] = span / (count[several] - 1) / fps[several]
        step_s[~several] = np.median(step_s[several]) if several.any() else 0
        return step_s

    def frame_keys(self, rows: np.ndarray) -> np.ndarray:
        """Return (n,) int64 numbers that are alike for boxes of one frame of one film, and increase with it."""
        return self.box_video[rows].astype(np.int64) * FRAME_SPAN + self.annotations.boxes.frame_inds[rows]

    @cached_property
    def frame_order(self) -> np.ndarray:
        """(n,) int32 boxes of known films by film, frame and row."""
        offsets = self.annotations.boxes.offsets
        videos = np.append(self.tubelet_video, -1)[self.key_tubelet]
        keys = np.argsort(videos, kind='stable')
        keys = keys[videos[keys] >= 0]
        parts = [np.zeros(0, np.int32)]
        total = np.cumsum(offsets[keys + 1] - offsets[keys])
        for chunk in np.split(keys, _film_starts(videos[keys], total)):
            rows = [np.arange(offsets[key], offsets[key + 1], dtype=np.int32) for key in chunk]
            joined = np.concatenate(rows) if rows else parts[0]
            parts.append(joined[np.argsort(self.frame_keys(joined), kind='stable')])
        return np.concatenate(parts)

    def frame_chunks(self, keep: np.ndarray | None = None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield (rows, frame keys) by film, frame and row, about a million boxes at a time; a film is never divided.

        Args:
            keep (np.ndarray | None): (N,) bool boxes to yield. Defaults to None, all.
        """
        order = self.frame_order if keep is None else self.frame_order[keep[self.frame_order]]
        videos = self.box_video[order]
        for rows in np.split(order, _film_starts(videos, np.arange(1, len(order) + 1))):
            if len(rows):
                yield rows, self.frame_keys(rows)

    def pairs_in_frames(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield (rows, rows) of all pairs of boxes in one frame, the smaller row first, in chunks."""
        for rows, keys in self.frame_chunks():
            for distance in range(1, len(rows)):
                same = keys[distance:] == keys[:-distance]
                if not same.any():
                    break
                yield rows[:-distance][same], rows[distance:][same]

    def box_place(self, first: int, last: int) -> str:
        """Return how a run of boxes of one key is called."""
        boxes = self.annotations.boxes
        frames = boxes.frame_inds[first], boxes.frame_inds[last]
        told = f'frame {frames[0]}' if first == last else f'frames {frames[0]} to {frames[1]}'
        return f'boxes["{boxes.keys[self.box_key[first]]}"] {told}'

    # Tubelets, films, instances

    def tubelet_place(self, number: int) -> str:
        """Return how a tubelet is called."""
        return f'tubelets["{self.tids[number]}"]'

    def video_place(self, number: int) -> str:
        """Return how a film is called."""
        return f'videos["{self.vids[number]}"]'

    @cached_property
    def shot_starts(self) -> np.ndarray:
        """(S,) int64 ``film * FRAME_SPAN + frame`` where shots begin, increasing."""
        videos = self.annotations.videos.values()
        return np.array(
            [number * FRAME_SPAN + shot[0] for number, video in enumerate(videos) for shot in sorted(video.shots)],
            np.int64,
        )

    def is_cut(self, video: np.ndarray, frame_inds: np.ndarray) -> np.ndarray:
        """Return (n,) bool, whether a shot begins with a frame."""
        return np.isin(video.astype(np.int64) * FRAME_SPAN + frame_inds, self.shot_starts)

    @cached_property
    def aa(self) -> Instances:
        """Atomic actions."""
        return Instances(self, 'aa', self.annotations.aa, self._read_findings)

    @cached_property
    def ca(self) -> Instances:
        """Complex activities."""
        return Instances(self, 'ca', self.annotations.ca, self._read_findings)

    @property
    def instances(self) -> tuple[Instances, Instances]:
        """Both tasks."""
        return self.aa, self.ca


class Instances:
    """Instances of a task, with numbers for their tubelets.

    Args:
        columns (Columns): The annotations.
        name (str): ``'aa'`` or ``'ca'``.
        table (InstanceTable): The instances.
        read_findings (list[Finding]): What reading found.

    Attributes:
        tubelet (np.ndarray): (M,) int64.
        usable (np.ndarray): (M,) bool: the tubelet is known and the segment has a length.
    """

    def __init__(self, columns: Columns, name: str, table: InstanceTable, read_findings: list[Finding]) -> None:
        self.name, self.table = name, table
        tids, inverse = np.unique(table.tids, return_inverse=True)
        numbers = np.array([columns.tubelet_index.get(tid, -1) for tid in tids.tolist()], np.int64)
        self.tubelet = numbers[inverse] if len(table) else np.zeros(0, np.int64)
        finite = np.isfinite(table.start_s) & np.isfinite(table.end_s)
        self.usable = (self.tubelet >= 0) & finite & (table.end_s > table.start_s)
        self.file_rows = rows_in_file(name, len(table), read_findings)

    def place(self, row: int) -> str:
        """Return how an instance is called: by its row in the file."""
        return f'{self.name}[{self.file_rows[row]}]'


def _film_starts(videos: np.ndarray, boxes_until: np.ndarray) -> np.ndarray:
    """Return where to divide rows sorted by film, so that parts hold about ``CHUNK_BOXES`` boxes and whole films."""
    if not len(videos):
        return np.zeros(0, np.int64)
    starts = np.flatnonzero(np.diff(videos)) + 1
    part = boxes_until[starts - 1] // CHUNK_BOXES
    return starts[np.flatnonzero(np.diff(part, prepend=0))]
