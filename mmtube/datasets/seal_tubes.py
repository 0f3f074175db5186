"""SEAL Tubes: actions of a person over time, on features of the tubelet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from mmtube.errors import InputError
from mmtube.registry import DATASETS
from mmtube.structures.feature_grid import window_starts
from mmtube.structures.io.features_npz import read_features_npz
from mmtube.structures.seal import (
    InstanceTable,
    SEALAnnotations,
    parse_subset,
    read_class_rank,
    read_label_map,
    read_seal_json,
)
from mmtube.structures.tube import TASKS

from .table_dataset import TableDataset


@DATASETS.register_module()
class SEALTubes(TableDataset):
    """Tubelets with their feature files and their instances of one task (SEAL, Sec. 4).

    The dict of an item has ``tid``, ``video_id``, ``person_id``, ``t0_s``, ``t1_s``, ``feature_files`` (one for each
    stream), ``demanded`` (what their meta data must say), ``gt_segments_s`` (n, 2) float64 seconds and ``gt_labels``
    (n,) int64. ``LoadTubeletFeatures`` reads the rows and brings the segments to rows.

    Args:
        ann_file (str): Annotations in the SEAL schema, relative to ``data_root``.
        task (str): ``'atomic'``, ``'complex'`` or ``'joint'``: both, labels of complex activities after those of atomic
            actions, for ``JointLocalizer``. Defaults to 'atomic'.
        features (Sequence[dict]): One or more streams: ``folder`` with a ``<vid>.npz`` for each film, relative to
            ``data_root``, and any of ``stream``, ``fps``, ``window``, ``stride``, ``box_fps``, ``dim``, ``roi`` and
            ``checkpoint`` that the files must have. Streams are concatenated. Defaults to none.
        label_map (str | Sequence[str] | None): Label map, relative to ``data_root``; for both tasks one of each.
            Defaults to None.
        class_rank (str | None): Frozen list of the classes by frequency, for ``subset``. Defaults to None.
        subset (str | None): ``'top60'`` keeps instances of the 60 most frequent classes, ``'top50-100'`` those of the
            ranks 51 to 100; labels stay as they are. Defaults to None, all classes.
        window_rows (int | None): In testing a longer tubelet gives several items, with a ``row_range`` each that
            ``TubeletWindow`` cuts out. Defaults to None, one item.
        window_overlap (float): Share of a window that the next one shares. Defaults to 0.5.
        keep_empty (bool | None): Whether tubelets without an instance stay. Defaults to None: in testing only.
        kwargs (Any): Of MMEngine's ``BaseDataset``: ``data_root``, ``pipeline``, ``test_mode``, ``lazy_init``,
            ``indices``; and ``hint``, what to do where they are not there.

    Raises:
        InputError: If a file cannot be used, or a film has no feature file.
        ValueError: If an argument is out of range.
    """

    def __init__(
        self,
        ann_file: str = '',
        task: str = 'atomic',
        features: Sequence[dict] = (),
        label_map: str | Sequence[str] | None = None,
        class_rank: str | None = None,
        subset: str | None = None,
        window_rows: int | None = None,
        window_overlap: float = 0.5,
        keep_empty: bool | None = None,
        **kwargs: Any,
    ) -> None:
        if (class_rank is None) != (subset is None):
            raise ValueError('class_rank and subset are given together or not at all')
        if (window_rows is not None and window_rows < 1) or not 0 <= window_overlap < 1:
            raise ValueError(f'window_rows must be positive, window_overlap in [0, 1): {window_rows}, {window_overlap}')
        self.task = task
        self.label_map = label_map
        self.tasks = TASKS if task == 'joint' else (task,)
        self.label_maps = [label_map] if label_map is None or isinstance(label_map, str) else list(label_map)
        if len(self.label_maps) != len(self.tasks) or (task == 'joint' and class_rank is not None):
            raise ValueError(
                f'{task} needs {len(self.tasks)} label maps and, for both tasks, no class rank: {label_map}'
            )
        self.features = [dict(stream) for stream in features]
        self.class_rank = class_rank
        self.ranks = None if subset is None else parse_subset(subset)
        self.window_rows = window_rows
        self.window_overlap = window_overlap
        self.keep_empty = keep_empty
        super().__init__(ann_file, **kwargs)

    def load_items(self) -> np.ndarray:
        """Read the annotations and see that each film has its feature files."""
        annotations = read_seal_json(self.ann_file)
        table = self._instances(annotations)
        keep = np.ones(len(table), bool)
        if self.class_rank is not None and self.ranks is not None:
            rank = read_class_rank(self._path(self.class_rank))
            if rank.task != self.task:
                raise InputError(f'{self._path(self.class_rank)}: ranks {rank.task} classes, not {self.task} ones')
            keep = np.isin(table.labels, rank.subset(*self.ranks))
        table = table.rows(keep)
        tids = np.array(list(annotations.tubelets), str)
        records = list(annotations.tubelets.values())
        order = np.argsort(table.tids, kind='stable')
        self.segments_s = np.stack([table.start_s, table.end_s], 1)[order]
        self.labels = table.labels[order]
        begin = np.searchsorted(table.tids[order], tids)
        end = np.searchsorted(table.tids[order], tids, side='right')
        keep_empty = self.test_mode if self.keep_empty is None else self.keep_empty
        chosen = np.flatnonzero((end > begin) | keep_empty)
        fps = np.array([annotations.videos[record.vid].fps for record in records])
        spans = np.array([record.frame_range for record in records], np.float64).reshape(-1, 2)
        self.tids = tids[chosen]
        self.vids = np.array([records[number].vid for number in chosen], str)
        self.person_ids = np.array([records[number].person_id for number in chosen], np.int64)
        self.spans_s = (spans / fps[:, None])[chosen]
        self.instances = np.stack([begin, end], 1)[chosen]
        self._check_files()
        self.starts = np.full(len(chosen), -1, np.int64)
        self.tubelets = np.arange(len(chosen))
        if self.test_mode and self.window_rows is not None:
            self._cut(self.window_rows)
        return np.arange(len(self.tubelets))

    def _instances(self, annotations: SEALAnnotations) -> InstanceTable:
        """Return the instances of the task, or of both with the labels of one after those of the other."""
        tables: list[InstanceTable] = []
        names: list[str] = []
        for task, label_map in zip(self.tasks, self.label_maps):
            table = annotations.instances(task)
            before = len(names)
            if label_map is not None:
                names += read_label_map(self._path(label_map), task).names
                table.check_classes(len(names) - before, f'{annotations.name}: {task}')
            tables.append(replace(table, labels=table.labels + before))
        if names:
            self._metainfo.setdefault('classes', tuple(names))
        columns = {field.name: [getattr(table, field.name) for table in tables] for field in fields(InstanceTable)}
        return InstanceTable(**{name: np.concatenate(several) for name, several in columns.items()})

    def _check_files(self) -> None:
        for stream in self.features:
            folder = self._path(stream['folder'])
            there = {path.stem for path in folder.glob('*.npz')}
            missing = [vid for vid in dict.fromkeys(self.vids.tolist()) if vid not in there]
            if missing:
                more = f' (and {len(missing) - 1} more)' if len(missing) > 1 else ''
                raise self.absent(f'{folder}: has no feature file {missing[0]}.npz{more}, which {self.ann_file} needs')

    def _cut(self, rows: int) -> None:
        """Make an item for each window of the tubelets that are longer than one; the last window ends at the end."""
        tubelets, starts, opened, of = [], [], [], None
        for number, (vid, tid) in enumerate(zip(self.vids.tolist(), self.tids.tolist())):
            if vid != of:
                opened, of = [read_features_npz(path) for path in self.files(vid)], vid
            length = min((file.num_rows(tid) for file in opened), default=0)
            begins = window_starts(length, rows, self.window_overlap)
            tubelets += [number] * len(begins)
            starts += begins
        self.tubelets, self.starts = np.array(tubelets, np.int64), np.array(starts, np.int64)

    def files(self, vid: str) -> list[Path]:
        """Return the feature files of a film, one for each stream."""
        return [self._path(stream['folder']) / f'{vid}.npz' for stream in self.features]

    def item(self, number: int) -> dict[str, Any]:
        """Return a tubelet, or a window of it."""
        tubelet, start = int(self.tubelets[number]), int(self.starts[number])
        begin, end = self.instances[tubelet]
        vid = str(self.vids[tubelet])
        info = dict(
            tid=str(self.tids[tubelet]),
            video_id=vid,
            person_id=int(self.person_ids[tubelet]),
            t0_s=float(self.spans_s[tubelet, 0]),
            t1_s=float(self.spans_s[tubelet, 1]),
            task=self.task,
            feature_files=[str(path) for path in self.files(vid)],
            demanded=[{key: value for key, value in stream.items() if key != 'folder'} for stream in self.features],
            gt_segments_s=self.segments_s[begin:end].copy(),
            gt_labels=self.labels[begin:end].copy(),
        )
        if start >= 0 and self.window_rows is not None:
            info['row_range'] = (start, start + self.window_rows)
        return info

    def item_labels(self) -> tuple[np.ndarray, np.ndarray]:
        """Return (M + 1,) int64 offsets and int64 classes of the items, each class once; for samplers."""
        self.full_init()
        labels = [np.unique(self.labels[slice(*self.instances[self.tubelets[item]])]) for item in self.items]
        return np.cumsum([0, *map(len, labels)]), np.concatenate([np.zeros(0, np.int64), *labels])
