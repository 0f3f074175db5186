"""What the converters share: a table of films, annotations that are put together row by row, times and frames."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mmtube.errors import InputError

from ...io._json import read_json
from ..annotations import SEALAnnotations
from ..box_table import BoxTable
from ..findings import Finding, refuse
from ..label_map import LabelMap
from ..records import InstanceTable, TubeletRecord, VideoRecord
from ..seal_json import _attempt, _video
from ..table_rules import table_findings

Videos = Mapping[str, VideoRecord]
Losses = dict[str, int]


def read_videos(path: str | os.PathLike) -> dict[str, VideoRecord]:
    """Read a table of films: the ``videos`` of the SEAL schema, alone or within an annotation file.

    Args:
        path (str | os.PathLike): JSON, ``{vid: {"source", "width", "height", "fps", "num_frames", "duration",
            "split"}}`` or ``{"videos": {...}}``.

    Raises:
        InputError: If the file is missing or not of this form; the message names the film.
    """
    root = read_json(path)
    if 'videos' in root:
        root = root['videos']
    videos = {}
    for vid, node in root.items():
        video, cause = _attempt(_video, node.value)
        if video is None:
            raise node.error(cause)
        videos[vid] = video
    refuse(table_findings(SEALAnnotations(videos, {}, name=str(path))))
    return videos


class Collector:
    """Puts annotations together and gathers what is wrong on the way.

    Args:
        path (str | os.PathLike): What is read, for messages.
        videos (Videos | None): Films that are known. Defaults to None.
    """

    def __init__(self, path: str | os.PathLike, videos: Videos | None = None) -> None:
        self.name = str(path)
        self.known = dict(videos or {})
        self.videos: dict[str, VideoRecord] = {}
        self.tubelets: dict[str, TubeletRecord] = {}
        self.tracks: dict[str, tuple] = {}
        self.rows: dict[str, list[tuple[str, int, str, float, float]]] = {'atomic': [], 'complex': []}
        self.found: list[Finding] = []

    def wrong(self, row: str, rule: str, cause: str, file: str | os.PathLike = '') -> None:
        """Note what is wrong with a row, which is then left out."""
        self.found.append(Finding(str(file) or self.name, row, rule, cause))

    def video(self, vid: str, facts: VideoRecord | None = None) -> VideoRecord | None:
        """Return a film and take it into the annotations: from the table of films, else from what the file says."""
        if vid not in self.videos:
            video = self.known.get(vid, facts)
            if video is None:
                return None
            self.videos[vid] = video
        return self.videos[vid]

    def tubelet(
        self,
        vid: str,
        person_id: int,
        track: tuple,
        *,
        tid: str = '',
        origin: tuple[str, ...] = (),
        stage: int = 4,
        across_shots: bool = False,
    ) -> str:
        """Add a tubelet with ``(frame_inds, boxes_px, scores, flags)`` and return its ID, ``<vid>.<person>``."""
        number, name = 1, tid or f'{vid}.{person_id}'
        tid = name
        while tid in self.tubelets:
            number += 1
            tid = f'{name}.{number}'
        frames = track[0]
        span = (int(frames[0]), int(frames[-1]) + 1) if len(frames) else (0, self.videos[vid].num_frames)
        self.tubelets[tid] = TubeletRecord(vid, person_id, span, tid, origin, stage, across_shots)
        self.tracks[tid] = track
        return tid

    def finish(self, findings: list[Finding] | None) -> SEALAnnotations:
        """Return the annotations; what is wrong is added to ``findings`` or, where that is None, refused."""
        annotations = SEALAnnotations(
            self.videos,
            self.tubelets,
            InstanceTable.from_rows(self.rows['atomic']),
            InstanceTable.from_rows(self.rows['complex']),
            BoxTable.from_tracks(self.tracks),
            self.name,
        )
        if findings is None:
            refuse([*self.found, *table_findings(annotations)])
            return annotations
        findings += [*self.found, *table_findings(annotations)]
        return without_broken(annotations)


def without_broken(annotations: SEALAnnotations) -> SEALAnnotations:
    """Return annotations without the films, tubelets and instances that break a rule of ``table_findings``.

    What belongs to a film or tubelet that is left out is left out too; boxes stay in the table.
    """
    while findings := table_findings(annotations):
        rows = {finding.row for finding in findings}
        aa, ca = (
            table.rows(np.array([f'{name}[{row}]' not in rows for row in range(len(table))], bool))
            for name, table in (('aa', annotations.aa), ('ca', annotations.ca))
        )
        annotations = SEALAnnotations(
            {vid: video for vid, video in annotations.videos.items() if f'videos["{vid}"]' not in rows},
            {tid: tubelet for tid, tubelet in annotations.tubelets.items() if f'tubelets["{tid}"]' not in rows},
            aa,
            ca,
            annotations.boxes,
            annotations.name,
        )
    return annotations


def own_boxes(annotations: SEALAnnotations) -> np.ndarray:
    """Return (N,) bool, True for the rows of the box table that belong to a tubelet; the table may be that of more."""
    own = np.zeros(len(annotations.boxes), bool)
    for tubelet in annotations.tubelets.values():
        if tubelet.box_key in annotations.boxes:
            own[annotations.boxes.rows(tubelet.box_key)] = True
    return own


def frames_of(start_s: np.ndarray, end_s: np.ndarray, fps: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the half-open ranges of frames of segments, edges rounded to the nearest frame, at least one frame."""
    first = np.rint(np.asarray(start_s) * fps).astype(np.int64)
    return first, np.maximum(np.rint(np.asarray(end_s) * fps).astype(np.int64), first + 1)


def name_of(label_map: LabelMap | None, label: int, task: str) -> str:
    """Return the name of a class, ``'<task> N'`` where no label map says it."""
    return label_map.names[label] if label_map is not None and label < len(label_map) else f'{task} {label}'


def film_file(folder: str | os.PathLike, vid: str, suffix: str) -> Path:
    """Return ``<folder>/<vid><suffix>``; slashes in the ID are folders.

    Raises:
        InputError: If the ID would lead out of the folder.
    """
    if not vid or vid.startswith('/') or '..' in vid.split('/') or '\\' in vid or '\0' in vid:
        raise InputError(f'{folder}: the film ID {vid!r} is no name of a file in it')
    return Path(folder) / f'{vid}{suffix}'


def counted(losses: Losses) -> Losses:
    """Return the losses that are not 0."""
    return {what: int(count) for what, count in losses.items() if count}
