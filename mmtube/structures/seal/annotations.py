"""SEAL Tubes: who is where, and what each person does from when to when."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from ..tube import TASKS, Segment, Tube
from .box_table import BoxTable, BoxTrack
from .records import InstanceTable, TubeletRecord, VideoRecord


@dataclass(eq=False, repr=False)
class SEALAnnotations:
    """Annotations of many films in the schema of SEAL (Sec. 3.1 and 3.2). They are read, not changed in place.

    Args:
        videos (dict[str, VideoRecord]): Films by ID.
        tubelets (dict[str, TubeletRecord]): Tubelets by ID.
        aa (InstanceTable): Atomic actions.
        ca (InstanceTable): Complex activities.
        boxes (BoxTable): Boxes of all tubelets, by ``TubeletRecord.box_key``.
        name (str): Where they come from, for messages. Defaults to 'annotations'.
    """

    videos: dict[str, VideoRecord]
    tubelets: dict[str, TubeletRecord]
    aa: InstanceTable = field(default_factory=lambda: InstanceTable.from_rows([]))
    ca: InstanceTable = field(default_factory=lambda: InstanceTable.from_rows([]))
    boxes: BoxTable = field(default_factory=lambda: BoxTable.from_tracks({}))
    name: str = 'annotations'

    def __post_init__(self) -> None:
        self._rows: dict[str, dict[str, np.ndarray]] = {}

    def __repr__(self) -> str:
        counts = f'{len(self.videos)} videos, {len(self.tubelets)} tubelets, {len(self.boxes)} boxes'
        return f'SEALAnnotations({self.name!r}: {counts}, {len(self.aa)} atomic, {len(self.ca)} complex)'

    def instances(self, task: str) -> InstanceTable:
        """Return the instances of a task, ``'atomic'`` or ``'complex'``.

        Raises:
            ValueError: If the task is unknown.
        """
        if task not in TASKS:
            raise ValueError(f'task must be one of {TASKS}, got {task!r}')
        return self.aa if task == 'atomic' else self.ca

    def track(self, tid: str) -> BoxTrack:
        """Return the boxes of a tubelet; none if its key has none."""
        key = self.tubelets[tid].box_key
        return self.boxes[key] if key in self.boxes else BoxTrack(*BoxTable.from_tracks({'': ([], [], [], [])})[''])

    def tids_by_video(self) -> dict[str, list[str]]:
        """Return the tubelets of each film, in the order of the file; films without tubelets too."""
        groups: dict[str, list[str]] = {vid: [] for vid in self.videos}
        for tid, tubelet in self.tubelets.items():
            groups.setdefault(tubelet.vid, []).append(tid)
        return groups

    def rows_by_tubelet(self, task: str) -> dict[str, np.ndarray]:
        """Return for each tubelet that has instances of a task their rows, in the order of the file."""
        if task not in self._rows:
            tids = self.instances(task).tids
            order = np.argsort(tids, kind='stable')
            names, starts = np.unique(tids[order], return_index=True)
            self._rows[task] = dict(zip(names.tolist(), np.split(order, starts[1:]))) if len(tids) else {}
        return self._rows[task]

    def tube(self, tid: str, *, track_id: int | None = None) -> Tube:
        """Return a tubelet as a :class:`~mmtube.structures.Tube` with its segments.

        Args:
            tid (str): The tubelet.
            track_id (int | None): ID of the tube. Defaults to None, the person's.

        Raises:
            ValueError: If the boxes or segments are not valid.
        """
        record, track = self.tubelets[tid], self.track(tid)
        segments = [
            Segment(float(table.start_s[row]), float(table.end_s[row]), int(table.labels[row]), task=task)
            for task, table in (('atomic', self.aa), ('complex', self.ca))
            for row in self.rows_by_tubelet(task).get(tid, [])
        ]
        frame_inds = track.frame_inds.astype(np.int64)
        return Tube(
            record.person_id if track_id is None else track_id,
            frame_inds,
            frame_inds / self.videos[record.vid].fps,
            np.array(track.boxes_px),
            track.scores,
            (track.flags & 1) == 0,
            segments=segments,
        )

    def only(self, vids: set[str]) -> SEALAnnotations:
        """Return the annotations of some films; boxes are shared, not copied (see :meth:`with_own_boxes`)."""
        tubelets = {tid: tubelet for tid, tubelet in self.tubelets.items() if tubelet.vid in vids}
        known = np.array(list(tubelets), str)
        return SEALAnnotations(
            {vid: video for vid, video in self.videos.items() if vid in vids},
            tubelets,
            self.aa.rows(np.isin(self.aa.tids, known)),
            self.ca.rows(np.isin(self.ca.tids, known)),
            self.boxes,
            self.name,
        )

    def with_own_boxes(self) -> SEALAnnotations:
        """Return the annotations with a box table that has the boxes of their tubelets and no others."""
        keys = [tubelet.box_key for tubelet in self.tubelets.values() if tubelet.box_key in self.boxes]
        return replace(self, boxes=BoxTable.from_tracks({key: self.boxes[key] for key in keys}))
