"""Annotations as flat columns and as tubes, and back."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mmtube.datasets.quality import Report, check_annotations
from mmtube.errors import InputError
from mmtube.structures import Tube
from mmtube.structures.seal import (
    STAGES,
    BoxTable,
    InstanceTable,
    SEALAnnotations,
    TubeletRecord,
    label_maps_beside,
    read_seal_json,
    write_label_map,
    write_seal_json,
)

SHOT_SPAN = 2**32  # frames are int32, so that film * SHOT_SPAN + shot is one number for each shot of each film


@dataclass(eq=False)
class BoxColumns:
    """All boxes of the tubelets of a file, tubelet by tubelet.

    Args:
        tids (list[str]): (T,) tubelets.
        tubelet (np.ndarray): (N,) int64 tubelet of each box.
        video (np.ndarray): (N,) int64 film of each box, in the order of ``SEALAnnotations.videos``.
        frame_inds (np.ndarray): (N,) int64.
        boxes_px (np.ndarray): (N, 4) float32 xyxy in pixels.
        scores (np.ndarray): (N,) float16.
        flags (np.ndarray): (N,) uint8.
    """

    tids: list[str]
    tubelet: np.ndarray
    video: np.ndarray
    frame_inds: np.ndarray
    boxes_px: np.ndarray
    scores: np.ndarray
    flags: np.ndarray

    @classmethod
    def of(cls, annotations: SEALAnnotations) -> BoxColumns:
        """Take the boxes out of annotations."""
        video_index = {vid: number for number, vid in enumerate(annotations.videos)}
        tracks = [annotations.track(tid) for tid in annotations.tubelets]
        lengths = [len(track.frame_inds) for track in tracks]
        videos = [video_index[tubelet.vid] for tubelet in annotations.tubelets.values()]

        def column(name: str, dtype: type, *width: int) -> np.ndarray:
            return np.concatenate([np.zeros((0, *width), dtype), *(getattr(track, name) for track in tracks)])

        return cls(
            list(annotations.tubelets),
            np.repeat(np.arange(len(tracks)), lengths),
            np.repeat(np.array(videos, np.int64), lengths),
            column('frame_inds', np.int64),
            column('boxes_px', np.float32, 4),
            column('scores', np.float16),
            column('flags', np.uint8),
        )

    def pictures(self) -> np.ndarray:
        """Return (N,) int64 numbers that are alike for the boxes of one frame of one film."""
        return self.video * SHOT_SPAN + self.frame_inds

    def rows_of(self, tubelet: np.ndarray, count: int) -> list[np.ndarray]:
        """Return for each of ``count`` tubelets its rows in the order of time; ``tubelet`` is (N,) of each box."""
        if not count:
            return []
        order = np.lexsort((self.frame_inds, tubelet))
        order = order[tubelet[order] >= 0]
        return np.split(order, np.searchsorted(tubelet[order], np.arange(1, count)))

    def track(self, rows: np.ndarray) -> tuple:
        """Return ``(frame_inds, boxes_px, scores, flags)`` of some rows."""
        return self.frame_inds[rows], self.boxes_px[rows], self.scores[rows], self.flags[rows]


def shots_of_boxes(annotations: SEALAnnotations, columns: BoxColumns) -> np.ndarray:
    """Return (N,) int64 numbers of the shots of boxes, different for different films."""
    starts = [
        number * SHOT_SPAN + first
        for number, video in enumerate(annotations.videos.values())
        for first, _ in video.shots
    ]
    return columns.video * SHOT_SPAN + np.searchsorted(np.array(starts, np.int64), columns.pictures(), side='right')


def assemble(
    before: SEALAnnotations,
    records: dict[str, TubeletRecord],
    tracks: dict[str, tuple],
    *,
    aa: InstanceTable | None = None,
    ca: InstanceTable | None = None,
    vids: Iterable[str] | None = None,
) -> SEALAnnotations:
    """Make annotations of tubelets and their boxes; frame ranges and box keys are set, tubelets without boxes left out.

    Args:
        before (SEALAnnotations): The step before, for the films.
        records (dict[str, TubeletRecord]): Tubelets.
        tracks (dict[str, tuple]): Their ``(frame_inds, boxes_px, scores, flags)``.
        aa (InstanceTable | None): Atomic actions. Defaults to None, those of the step before.
        ca (InstanceTable | None): Complex activities, likewise. Instances of tubelets that are not there are left out.
        vids (Iterable[str] | None): Films. Defaults to None, those of the step before.
    """
    kept = {tid: record for tid, record in records.items() if len(tracks[tid][0])}
    order = {vid: number for number, vid in enumerate(before.videos)}
    names = sorted(kept, key=lambda tid: order[kept[tid].vid])  # films in their order, else as given
    final = {}
    for tid in names:
        frames = tracks[tid][0]
        final[tid] = replace(kept[tid], frame_range=(int(frames[0]), int(frames[-1]) + 1), box_key=tid)
    known = np.array(names, str)
    tables = (before.aa if aa is None else aa), (before.ca if ca is None else ca)
    videos = {vid: before.videos[vid] for vid in (before.videos if vids is None else vids)}
    boxes = BoxTable.from_tracks({tid: tracks[tid] for tid in names})
    return SEALAnnotations(videos, final, *(table.rows(np.isin(table.tids, known)) for table in tables), boxes)


def tubes_by_person(annotations: SEALAnnotations, vid: str, tids: list[str]) -> tuple[list[Tube], dict[int, str]]:
    """Return the people of a film, one tube each, in the order of their IDs; ``tubelet_ids`` are numbers of tubelets.

    Raises:
        InputError: If a box is not valid or a person has two boxes in a frame.
    """
    people: dict[int, list[Tube]] = {}
    for number, tid in enumerate(tids):
        try:
            tube = annotations.tube(tid)
        except ValueError as error:
            raise InputError(f'{annotations.name}: tubelets["{tid}"]: {error}') from None
        tube.tubelet_ids = np.full(len(tube), number, np.int64)
        people.setdefault(tube.track_id, []).append(tube)
    tubes = []
    for person, parts in sorted(people.items()):
        frames, counts = np.unique(np.concatenate([tube.frame_inds for tube in parts]), return_counts=True)
        if (counts > 1).any():
            frame = frames[counts > 1][0]
            raise InputError(f'{annotations.name}: person {person} of {vid!r} has two boxes in frame {frame}')
        tubes.append(Tube.concatenate(parts, person) if len(parts) > 1 else parts[0])
    return tubes, dict(enumerate(tids))


def read_stage(path: str | os.PathLike, stages: tuple[int, ...], step: str) -> SEALAnnotations:
    """Read the file that a step takes.

    Args:
        path (str | os.PathLike): Annotations in the SEAL schema.
        stages (tuple[int, ...]): Stages that its tubelets may be of.
        step (str): The step, for the message.

    Raises:
        InputError: If the file cannot be used, or a tubelet is of another stage.
    """
    annotations = read_seal_json(path)
    for tid, tubelet in annotations.tubelets.items():
        if tubelet.stage not in stages:
            takes = ' or '.join(f'{stage} ({STAGES[stage]})' for stage in stages)
            told = f'is of stage {tubelet.stage} ({STAGES[tubelet.stage]}), {step} takes stage {takes}'
            raise InputError(f'{path}: tubelets["{tid}"] {told}')
    return annotations


def refuse_overwriting(path: str | os.PathLike, source: str | os.PathLike) -> None:
    """See that a step does not replace its input, to which its result must be traceable.

    Raises:
        InputError: If it would.
    """
    if Path(path).resolve() == Path(source).resolve():
        raise InputError(f'{path}: is the input, to which the result must be traceable; give another file')


def origins(new: np.ndarray, old: np.ndarray, count: int) -> list[list[int]]:
    """Return from which old tubelets each of ``count`` new ones came.

    These are the old ones most of whose boxes it has, and the one that most of its boxes are of.

    Args:
        new (np.ndarray): (N,) int64 new tubelet of each box.
        old (np.ndarray): (N,) int64 old tubelet of each box, -1 for none.
        count (int): Number of new tubelets.

    Examples:
        >>> origins(np.array([0, 0, 0, 1, 1]), np.array([5, 5, 6, 5, -1]), 3)
        [[5, 6], [5], []]
    """
    known = (old >= 0) & (new >= 0)
    pairs, boxes = np.unique(np.stack([new[known], old[known]]), axis=1, return_counts=True)
    found: list[set[int]] = [set() for _ in range(count)]
    for side in (0, 1):  # the main old one of each new one, then the main new one of each old one
        order = np.lexsort((pairs[1 - side], -boxes, pairs[side]))
        _, first = np.unique(pairs[side][order], return_index=True)
        for mine, source in pairs[:, order[first]].T.tolist():
            found[mine].add(source)
    return [sorted(sources) for sources in found]


def write_stage(
    annotations: SEALAnnotations,
    path: str | os.PathLike,
    before: SEALAnnotations | None,
    maps_beside: str | os.PathLike,
) -> Report:
    """Write the result of a step with the label maps of its input, and check it against the step before.

    Args:
        annotations (SEALAnnotations): The result.
        path (str | os.PathLike): File to write.
        before (SEALAnnotations | None): The step before; None traces nothing.
        maps_beside (str | os.PathLike): File beside which the label maps lie.

    Returns:
        Report: What the check found, as ``tools/data/seal/check_annotations.py`` would print it.

    Raises:
        InputError: If a file cannot be written.
    """
    maps = label_maps_beside(maps_beside)
    write_seal_json(annotations, path)
    for task, label_map in maps.items():
        if label_maps_beside(path).get(task) != label_map:
            write_label_map(label_map, Path(path).with_name(f'{Path(path).stem}_label_map_{task}.json'))
    annotations.name = str(path)
    return check_annotations(annotations, label_maps=maps, coarse=before)
