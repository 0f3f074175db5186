"""The annotations of a film, in the schema of SEAL, worked out from its script and from what the camera sees."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from mmtube.structures.seal import (
    HEAD_VISIBLE,
    BoxTable,
    InstanceTable,
    SEALAnnotations,
    TubeletRecord,
    VideoRecord,
)

from ..direction.activities import COMPLEX_NAMES
from ..script import FilmScript, PersonScript
from ..vocabulary import ATOMIC_NAMES, BY_NAME
from .sight import SMALLEST_PX, Sight, snap

SHORTEST_AA_S = 0.6  # (SEAL, Sec. 3.3)
SHORTEST_CA_S = 1.0
HEAD_PART = 1 / 3  # of the boxes of a subject show the head (SEAL, Sec. 3.1)
SEEN_PART = 0.5  # of an action must have boxes
IDS_PER_SHOT = 8  # more than there are people in a film

ATOMIC_INDEX = {name: index for index, name in enumerate(ATOMIC_NAMES)}
COMPLEX_INDEX = {name: index for index, name in enumerate(COMPLEX_NAMES)}

Rows = list[tuple[str, int, str, float, float]]


def video_record(script: FilmScript) -> VideoRecord:
    """Return the film as a row of the schema."""
    shots = tuple((shot.start, shot.end) for shot in script.shots)
    split = script.name.split('_')[0]
    duration_s = script.num_frames / script.fps
    return VideoRecord('mini', *script.size, float(script.fps), script.num_frames, duration_s, split, shots)


def _inwards(start_s: float, end_s: float) -> tuple[float, float]:
    """Round a span to thousandths of a second so that it stays within itself."""
    return math.ceil(start_s * 1000 - 1e-6) / 1000, math.floor(end_s * 1000 + 1e-6) / 1000


def _actions(
    tid: str, person: PersonScript, span_s: tuple[float, float], shown: np.ndarray, fps: int
) -> tuple[Rows, Rows]:
    """Return the atomic actions and complex activities of a person within a span."""
    aa: Rows = []
    ca: Rows = []
    for activity in person.activities:
        start_s, end_s = _inwards(max(activity.start_s, span_s[0]), min(activity.end_s, span_s[1]))
        if end_s - start_s < SHORTEST_CA_S:
            continue
        found: Rows = []
        for act in person.acts:
            if act.start_s < activity.start_s - 1e-9 or act.end_s > activity.end_s + 1e-9:
                continue
            first_s, last_s = _inwards(max(act.start_s, start_s), min(act.end_s, end_s))
            if last_s - first_s < SHORTEST_AA_S:
                continue
            seen = shown[math.ceil(first_s * fps) : math.floor(last_s * fps) + 1]
            if np.count_nonzero(seen) >= SEEN_PART * len(seen):
                found.append((tid, ATOMIC_INDEX[act.action], BY_NAME[act.action].group, first_s, last_s))
        if found:
            aa += found
            ca.append((tid, COMPLEX_INDEX[activity.name], '', start_s, end_s))
    return aa, ca


def subject_annotations(script: FilmScript, sights: list[Sight]) -> SEALAnnotations:
    """Return what an annotator would write down: subjects only, a tubelet for each shot and person.

    A tubelet holds all boxes of the person in the shot, holes where the person is away or hidden. The ID is the
    person's within the shot, because SEAL does not merge IDs across a cut.

    Args:
        script (FilmScript): The film.
        sights (list[Sight]): What is to be seen of each person.
    """
    tubelets, tracks = {}, {}
    aa: Rows = []
    ca: Rows = []
    for number, shot in enumerate(script.shots):
        for index, person in enumerate(script.people):
            rows = np.flatnonzero(sights[index].shown[shot.start : shot.end]) + shot.start
            if not person.activities or not len(rows):
                continue
            head = sights[index].head[rows]
            if np.count_nonzero(head) < HEAD_PART * len(rows):
                continue
            person_id = number * IDS_PER_SHOT + index
            tid = f'{script.name}_p{person_id:02d}'
            frames = int(rows[0]), int(rows[-1]) + 1
            span_s = frames[0] / script.fps, frames[1] / script.fps
            atomic, activities = _actions(tid, person, span_s, sights[index].shown, script.fps)
            if not activities:
                continue
            aa += atomic
            ca += activities
            tubelets[tid] = TubeletRecord(script.name, person_id, frames, tid)
            tracks[tid] = rows, sights[index].boxes_px[rows], np.ones(len(rows)), HEAD_VISIBLE * head
    return SEALAnnotations(
        {script.name: video_record(script)},
        tubelets,
        InstanceTable.from_rows(aa),
        InstanceTable.from_rows(ca),
        BoxTable.from_tracks(tracks),
    )


def people_annotations(script: FilmScript, sights: list[Sight]) -> SEALAnnotations:
    """Return everybody, with one ID through the whole film and no labels: truth for detection, tracking and re-ID."""
    tubelets, tracks = {}, {}
    for index, sight in enumerate(sights):
        rows = np.flatnonzero(sight.shown)
        if len(rows):
            tid = f'{script.name}_w{index}'
            frames = int(rows[0]), int(rows[-1]) + 1
            tubelets[tid] = TubeletRecord(script.name, index, frames, tid, across_shots=True)
            tracks[tid] = rows, sight.boxes_px[rows], np.ones(len(rows)), HEAD_VISIBLE * sight.head[rows]
    return SEALAnnotations({script.name: video_record(script)}, tubelets, boxes=BoxTable.from_tracks(tracks))


def object_annotations(script: FilmScript, prop_boxes_px: list[np.ndarray]) -> SEALAnnotations:
    """Return the boxes of the objects, whether hidden or not, with no labels; the ID is the number of the object.

    Args:
        script (FilmScript): The film.
        prop_boxes_px (list[np.ndarray]): For each object (T, 4) xyxy, not clipped, NaN where it is absent.
    """
    tubelets, tracks = {}, {}
    for index, whole in enumerate(prop_boxes_px):
        boxes = snap(np.where(np.isnan(whole), 0.0, whole), script.size)
        inside, extent = boxes[:, 2:] - boxes[:, :2], whole[:, 2:] - whole[:, :2]
        with np.errstate(invalid='ignore'):
            mostly = inside[:, 0] * inside[:, 1] >= 0.5 * extent[:, 0] * extent[:, 1]
        rows = np.flatnonzero(mostly & (inside >= SMALLEST_PX / 2).all(axis=1))
        if len(rows):
            kind = script.props[index].kind
            tid = f'{script.name}_{kind}{index:02d}'
            frames = int(rows[0]), int(rows[-1]) + 1
            tubelets[tid] = TubeletRecord(script.name, index, frames, tid, across_shots=True)
            tracks[tid] = rows, boxes[rows], np.ones(len(rows)), np.zeros(len(rows))
    return SEALAnnotations({script.name: video_record(script)}, tubelets, boxes=BoxTable.from_tracks(tracks))


def rows_of(table: InstanceTable) -> Rows:
    """Return the instances of a table as tubelet, label, group, start and end."""
    columns = (getattr(table, name).tolist() for name in ('tids', 'labels', 'groups', 'start_s', 'end_s'))
    return list(zip(*columns, strict=True))


def merge(parts: Iterable[SEALAnnotations]) -> SEALAnnotations:
    """Return the annotations of several films as one, in their order."""
    parts = list(parts)
    return SEALAnnotations(
        {vid: video for part in parts for vid, video in part.videos.items()},
        {tid: tubelet for part in parts for tid, tubelet in part.tubelets.items()},
        InstanceTable.from_rows([row for part in parts for row in rows_of(part.aa)]),
        InstanceTable.from_rows([row for part in parts for row in rows_of(part.ca)]),
        BoxTable.from_tracks({key: part.boxes[key] for part in parts for key in part.boxes}),
    )
