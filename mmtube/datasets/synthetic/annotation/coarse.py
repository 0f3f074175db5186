"""Coarse tubelets as a detector and a tracker would give them: step 1 of SEAL's annotation, with its usual faults."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mmtube.structures.seal import EDITED, BoxTable, SEALAnnotations, TubeletRecord

from ..numerics import smoothstep
from ..script import FilmScript
from .sight import SMALLEST_PX, Sight, paired_iou, snap
from .truth import video_record

JITTER = 0.022  # of width and height, standard deviation of each edge
LONGEST_GAP = 8  # frames without a detection after which the tracker begins a new ID
SHORTEST_TUBELET = 3
BREAK_CHANCE = 0.5  # that an ID ends where a person becomes half hidden
SWITCH_CHANCE = 0.5  # that two people whose boxes overlap exchange their IDs for a moment
SWITCH_IOU = 0.12
SUPPRESSED_IOU = 0.8
LONGEST_SWITCH = 6  # frames; longer ones would cut a tubelet (SEAL, Sec. 3.2)
TRACED_IOU = 0.5 + 1e-4  # of a refined box with a coarse one; a little stricter than the rule, which uses float32


def _spread(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Return random numbers of mean 0 and standard deviation 1: a sum of four uniform ones needs no libm."""
    u = rng.random((4, *shape))
    return ((u[0] + u[1]) + (u[2] + u[3]) - 2.0) * 1.7320508075688772


class CoarseTracks:
    """Detections of a film with the IDs of a tracker; one row for each source (person or false alarm) and frame.

    Args:
        rng (np.random.Generator): Source of chance.
        script (FilmScript): The film.
        sights (list[Sight]): What is to be seen of each person.

    Attributes:
        boxes_px (np.ndarray): (S, T, 4) float64 on the grid of 1/8 pixel, NaN where nothing was detected.
        scores (np.ndarray): (S, T) float64.
        ids (np.ndarray): (S, T) int64 ID of the tubelet, -1 where there is none. IDs count up in time.
        owners (dict[int, int]): The person whose boxes an ID mostly has, -1 for a false alarm.
    """

    def __init__(self, rng: np.random.Generator, script: FilmScript, sights: list[Sight]) -> None:
        self._rng, self._script = rng, script
        self._cut = np.zeros(script.num_frames, bool)
        self._cut[[shot.start for shot in script.shots]] = True
        detected = [self._detect(sight) for sight in sights]
        alarms = [self._false_alarm() for _ in range(int(rng.integers(4)))]
        self.boxes_px = np.stack([boxes for boxes, _ in detected + alarms])
        self.scores = np.stack([scores for _, scores in detected + alarms])
        self._suppress()
        self.ids = np.full(self.scores.shape, -1, np.int64)
        for source in range(len(self.ids)):
            self._track(source, sights[source] if source < len(sights) else None)
        for a in range(len(sights)):
            for b in range(a):
                self._switch(a, b, sights)
        self._drop_short()
        self._number()
        self.owners = self._owners(len(sights))

    def _detect(self, sight: Sight) -> tuple[np.ndarray, np.ndarray]:
        """Return boxes and scores; small and hidden people are missed more often, for some frames in a row."""
        rng, frames = self._rng, len(sight.shown)
        boxes = np.where(sight.shown[:, None], sight.boxes_px, 0.0)
        extent = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
        hidden = 1.0 - sight.visible
        slow = _spread(rng, frames // 6 + 2, 4)
        at = np.arange(frames) / 6
        left = np.floor(at).astype(np.int64)
        drift = slow[left] + (slow[left + 1] - slow[left]) * smoothstep(at - left)[:, None]
        noise = 0.75 * drift + 0.55 * _spread(rng, frames, 4)
        boxes = snap(boxes + extent * (JITTER * (1.0 + 1.5 * hidden)[:, None] * noise), self._script.size)
        ease = smoothstep((sight.visible - 0.15) / 0.5) * smoothstep((extent[:, 1] - 12.0) / 45.0)
        bursts = rng.random(frames // 5 + 1)[np.arange(frames) // 5]
        missed = (bursts > 0.10 + 0.89 * ease) | (rng.random(frames) > 0.55 + 0.445 * ease)
        found = sight.shown & ~missed & ((boxes[:, 2:] - boxes[:, :2]) >= SMALLEST_PX).all(axis=1)
        scores = np.clip(0.42 + 0.52 * ease + 0.035 * _spread(rng, frames), 0.3, 0.995)
        return np.where(found[:, None], boxes, np.nan), np.where(found, scores, 0.0)

    def _false_alarm(self) -> tuple[np.ndarray, np.ndarray]:
        """Return a few boxes of nothing, within one shot."""
        rng, (width, height) = self._rng, self._script.size
        shot = self._script.shots[int(rng.integers(len(self._script.shots)))]
        length = min(SHORTEST_TUBELET + int(rng.integers(18)), shot.end - shot.start)
        start = shot.start + int(rng.integers(shot.end - shot.start - length + 1))
        box_height = height * (0.12 + 0.3 * rng.random())
        box_width = box_height * (0.3 + 0.5 * rng.random())
        x, y = rng.random() * (width - box_width), rng.random() * (height - box_height)
        path = np.stack([x + _spread(rng, length), y + _spread(rng, length)], axis=1)
        boxes = np.full((self._script.num_frames, 4), np.nan)
        scores = np.zeros(self._script.num_frames)
        boxes[start : start + length] = snap(
            np.concatenate([path, path + np.array([box_width, box_height])], axis=1), self._script.size
        )
        scores[start : start + length] = np.clip(0.36 + 0.05 * _spread(rng, length), 0.3, 0.6)
        return boxes, scores

    def _suppress(self) -> None:
        """Of two boxes in nearly one place keep the one with the better score, as a detector does."""
        for a in range(len(self.scores)):
            for b in range(a):
                same = paired_iou(self.boxes_px[a], self.boxes_px[b]) > SUPPRESSED_IOU
                worse = self.scores[a] < self.scores[b]
                for source, gone in ((a, same & worse), (b, same & ~worse)):
                    self.boxes_px[source, gone], self.scores[source, gone] = np.nan, 0.0

    def _track(self, source: int, sight: Sight | None) -> None:
        """Give IDs: a new one after a cut, a long gap, and sometimes where the person becomes half hidden."""
        rows = np.flatnonzero(self.scores[source] > 0)
        if not len(rows):
            return
        new = np.concatenate([[True], np.diff(rows) > LONGEST_GAP])
        new |= np.concatenate([[0], np.diff(np.cumsum(self._cut)[rows])]) > 0
        if sight is not None:
            half = sight.visible[rows] < 0.5
            new[1:] |= half[1:] & ~half[:-1] & (self._rng.random(len(rows) - 1) < BREAK_CHANCE)
        self.ids[source, rows] = self.ids.max() + np.cumsum(new)

    def _switch(self, a: int, b: int, sights: list[Sight]) -> None:
        """Exchange the IDs of two people for up to six frames while their boxes overlap, once an encounter."""
        near = paired_iou(sights[a].boxes_px, sights[b].boxes_px) > SWITCH_IOU
        edges = np.flatnonzero(np.diff(np.concatenate([[False], near, [False]]).astype(np.int8)))
        for start, end in zip(edges[::2].tolist(), edges[1::2].tolist()):
            length = 1 + int(self._rng.integers(LONGEST_SWITCH))
            first = start + int(self._rng.integers(max(end - start - length, 0) + 1))
            around = slice(max(first - 1, 0), first + length + 1)
            steady = all(
                len(set(self.ids[source, around].tolist())) == 1 and self.ids[source, first] >= 0 for source in (a, b)
            )
            if self._rng.random() < SWITCH_CHANCE and steady and around.stop <= self.ids.shape[1] and first > 0:
                part = slice(first, first + length)
                self.ids[a, part], self.ids[b, part] = self.ids[b, part].copy(), self.ids[a, part].copy()

    def _drop_short(self) -> None:
        counts = np.bincount(self.ids[self.ids >= 0], minlength=int(self.ids.max()) + 1)
        gone = (self.ids >= 0) & (counts[np.maximum(self.ids, 0)] < SHORTEST_TUBELET) if len(counts) else self.ids >= 0
        self.ids[gone], self.scores[gone], self.boxes_px[gone] = -1, 0.0, np.nan

    def _number(self) -> None:
        """Count the IDs up in the order in which they begin."""
        if not (self.ids >= 0).any():
            return
        frames = np.broadcast_to(np.arange(self.ids.shape[1]), self.ids.shape)[self.ids >= 0]
        old = self.ids[self.ids >= 0]
        names = np.unique(old)
        first = np.full(int(names[-1]) + 1, self.ids.shape[1])
        np.minimum.at(first, old, frames)
        order = names[np.argsort(first[names], kind='stable')]
        number = np.full(len(first), -1)
        number[order] = np.arange(len(order))
        self.ids[self.ids >= 0] = number[old]

    def _owners(self, people: int) -> dict[int, int]:
        owners = {}
        for number in range(int(self.ids.max()) + 1):
            votes = (self.ids == number).sum(axis=1)
            source = int(np.argmax(votes))
            owners[number] = source if source < people else -1
        return owners

    def annotations(self) -> SEALAnnotations:
        """Return the tubelets in the schema of SEAL, stage 1, without labels."""
        name = self._script.name
        tubelets, tracks = {}, {}
        for number in self.owners:
            sources, rows = np.nonzero(self.ids == number)
            order = np.argsort(rows, kind='stable')
            sources, rows = sources[order], rows[order]
            tid = coarse_tid(name, number)
            tubelets[tid] = TubeletRecord(name, number, (int(rows[0]), int(rows[-1]) + 1), tid, stage=1)
            tracks[tid] = rows, self.boxes_px[sources, rows], self.scores[sources, rows], np.zeros(len(rows))
        return SEALAnnotations({name: video_record(self._script)}, tubelets, boxes=BoxTable.from_tracks(tracks))

    def best_iou(self, boxes_px: np.ndarray, frame_inds: np.ndarray) -> np.ndarray:
        """Return for each of (N, 4) boxes the largest IoU with a coarse box in its frame."""
        best = np.zeros(len(frame_inds))
        for detected in self.boxes_px:
            best = np.maximum(best, paired_iou(boxes_px, detected[frame_inds]))
        return best


def coarse_tid(video: str, number: int) -> str:
    """Return the ID of a coarse tubelet."""
    return f'{video}_c{number:03d}'


def trace(refined: SEALAnnotations, coarse: CoarseTracks, person_of: dict[str, int]) -> SEALAnnotations:
    """Note where refined tubelets come from.

    Args:
        refined (SEALAnnotations): Annotations of one film.
        coarse (CoarseTracks): Its coarse tubelets.
        person_of (dict[str, int]): The person of each refined tubelet.

    Returns:
        SEALAnnotations: The same with ``origin``, the coarse tubelets that are mostly this person's, and with the flag
        ``EDITED`` on boxes that have no coarse box with IoU of at least 0.5 in their frame.
    """
    tubelets, tracks = {}, {}
    for tid, record in refined.tubelets.items():
        person, track = person_of[tid], refined.track(tid)
        here = coarse.ids[:, track.frame_inds]
        origin = [number for number in np.unique(here[here >= 0]).tolist() if coarse.owners[number] == person]
        names = tuple(coarse_tid(record.vid, number) for number in origin)
        tubelets[tid] = replace(record, origin=names)
        found = coarse.best_iou(track.boxes_px.astype(np.float64), track.frame_inds) >= TRACED_IOU
        tracks[record.box_key] = track._replace(flags=track.flags | np.where(found, 0, EDITED).astype(np.uint8))
    return replace(refined, tubelets=tubelets, boxes=BoxTable.from_tracks(tracks))
