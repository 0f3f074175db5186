"""Whole videos as rows of features, and what happens in them when: ActivityNet, HACS, THUMOS14, FineAction."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.logging import MMLogger

from mmtube.errors import InputError
from mmtube.registry import DATASETS
from mmtube.structures.feature_grid import window_starts
from mmtube.structures.io.video_annotations import VideoAnnotations, read_video_annotations
from mmtube.structures.io.video_rows import VideoStream
from mmtube.structures.label_files import read_label_file
from mmtube.structures.seal import read_label_map

from .table_dataset import TableDataset

NO_LABEL = -1
WHAT_TO_DO = ('refuse', 'skip')


@DATASETS.register_module()
class VideoFeatures(TableDataset):
    """Whole videos with their feature files and the segments that are annotated.

    A video stands where :class:`~mmtube.datasets.SEALTubes` has a tubelet, so that detectors take both. The dict of an
    item has ``tid`` and ``video_id`` (the key of the video), ``t0_s`` 0, ``t1_s`` and ``duration_s`` its length in
    seconds, ``fps``, ``covered_s``, ``streams``, ``feature_files`` (one for each stream), ``gt_segments_s`` (n, 2)
    float64 seconds and ``gt_labels`` (n,) int64. ``LoadVideoFeatures`` reads the rows and brings the segments to rows.

    Args:
        ann_file (str): ActivityNet JSON, or MMAction2's flat form of it, relative to ``data_root``.
        features (Sequence[dict]): One or more streams, each the arguments of
            :class:`~mmtube.structures.io.video_rows.VideoStream`: ``folder``, relative to ``data_root``, ``file``, and
            the times of the rows. Streams are concatenated, on the rows of the first. Defaults to none.
        subset (str | Sequence[str] | None): Which videos, by the names that the file has, upper or lower case. Defaults
            to None, all of them.
        label_map (str | None): Class names, relative to ``data_root``: one in each line, or a label map (json).
            Defaults to None: those that occur in the file, in any subset, sorted.
        aside (str | None): Label that is no class, such as THUMOS14's ``'Ambiguous'``: not trained on, class -1 in the
            ground truth. Defaults to None.
        window_rows (int | None): In testing a longer video gives several items, with a ``row_range`` each that
            ``TubeletWindow`` cuts out. Defaults to None, one item.
        window_overlap (float): Share of a window that the next one shares. Defaults to 0.5.
        keep_empty (bool | None): Whether videos without a segment of a class stay. Defaults to None: in testing only.
        missing (str): ``'refuse'`` videos without a feature file, or ``'skip'`` them and tell how many in the log.
            ActivityNet's are on the net, and some are gone. Defaults to 'refuse'.
        broken (str): Likewise for segments that end before they start or start after the end of their video. Defaults
            to 'refuse'.
        kwargs (Any): Of MMEngine's ``BaseDataset``: ``data_root``, ``pipeline``, ``test_mode``, ``lazy_init``,
            ``indices``; and ``hint``, what to do where the data are not there.

    Raises:
        InputError: If a file cannot be used, or no video is left; one line that names the file and the row.
        ValueError: If an argument is out of range.
    """

    def __init__(
        self,
        ann_file: str = '',
        features: Sequence[dict] = (),
        subset: str | Sequence[str] | None = None,
        label_map: str | None = None,
        aside: str | None = None,
        window_rows: int | None = None,
        window_overlap: float = 0.5,
        keep_empty: bool | None = None,
        missing: str = 'refuse',
        broken: str = 'refuse',
        **kwargs: Any,
    ) -> None:
        if (window_rows is not None and window_rows < 1) or not 0 <= window_overlap < 1:
            raise ValueError(f'window_rows must be positive, window_overlap in [0, 1): {window_rows}, {window_overlap}')
        if not {missing, broken} <= set(WHAT_TO_DO):
            raise ValueError(f'missing and broken must be one of {WHAT_TO_DO}, got {missing!r} and {broken!r}')
        root = Path(kwargs.get('data_root') or '')
        try:
            self.streams = [VideoStream(**{**stream, 'folder': root / stream['folder']}) for stream in features]
        except (KeyError, TypeError) as error:
            raise ValueError(f'features: a stream cannot be used ({error})') from None
        self.subset = (subset,) if isinstance(subset, str) else subset
        self.label_map = label_map
        self.aside = aside
        self.window_rows = window_rows
        self.window_overlap = window_overlap
        self.keep_empty = keep_empty
        self.missing = missing
        self.broken = broken
        super().__init__(ann_file, **kwargs)

    def load_items(self) -> np.ndarray:
        """Read the annotations and see which videos have their feature files."""
        notes, names = read_video_annotations(self.ann_file, self.subset)
        classes = self._classes(names)
        self._metainfo.setdefault('classes', classes)
        number_of = {name: number for number, name in enumerate(classes)}
        if self.aside is not None:
            number_of[self.aside] = NO_LABEL
        unknown = next((row for row, name in enumerate(notes.labels) if name not in number_of), None)
        if unknown is not None:
            told = f'label {notes.labels[unknown]!r} is none of the {len(classes)} classes of {self.label_map}'
            raise InputError(f'{self.ann_file}: {notes.places[unknown]}: {told}')
        labels = np.array([number_of[name] for name in notes.labels], np.int64)
        whole = self._whole(notes)
        film_of = notes.film_of[whole]
        self.segments_s, self.labels = notes.segments_s[whole], labels[whole]
        offsets = np.searchsorted(film_of, np.arange(len(notes.vids) + 1))
        self.vids, self.fps = notes.vids, notes.fps
        self.durations_s, self.covered_s = notes.durations_s, notes.covered_s
        self.instances = np.stack([offsets[:-1], offsets[1:]], 1)
        counts = np.bincount(film_of[self.labels >= 0], minlength=len(notes.vids))
        chosen = np.flatnonzero((counts > 0) | (self.test_mode if self.keep_empty is None else self.keep_empty))
        chosen = chosen[self._there(chosen)]
        if not len(chosen):
            raise InputError(f'{self.ann_file}: none of its {len(notes.vids)} videos can be used')
        if not (self.test_mode and self.window_rows is not None):
            self.videos, self.starts = chosen, np.full(len(chosen), -1, np.int64)
        else:
            lengths = [self.streams[0].num_rows(self.vids[video]) for video in chosen]
            starts = [window_starts(length, self.window_rows, self.window_overlap) for length in lengths]
            self.videos, self.starts = np.repeat(chosen, list(map(len, starts))), np.concatenate(starts)
        return np.arange(len(self.videos))

    def _classes(self, names: list[str]) -> tuple[str, ...]:
        if self.label_map is None:
            return tuple(name for name in names if name != self.aside)
        path = self._path(self.label_map)
        if path.suffix == '.json':
            return read_label_map(path).names
        found = tuple(read_label_file(path, 0).values())
        if len(set(found)) < len(found):
            raise InputError(f'{path}: names class {max(found, key=found.count)!r} twice')
        return found

    def _whole(self, notes: VideoAnnotations) -> np.ndarray:
        """(N,) bool, which segments have a length and begin in their video."""
        start, end = notes.segments_s.T
        whole = (end > start) & (start < notes.durations_s[notes.film_of])
        if not whole.all():
            row = int(np.flatnonzero(~whole)[0])
            told = f'{start[row]:g} to {end[row]:g} s is no part of {notes.durations_s[notes.film_of[row]]:g} s'
            message = f'{self.ann_file}: {notes.places[row]}: {told}'
            if self.broken == 'refuse':
                raise InputError(f"{message}; broken='skip' leaves such segments out")
            self._tell(f'{int((~whole).sum())} of {len(whole)} segments are left out, the first: {message}')
        return whole

    def _there(self, chosen: np.ndarray) -> np.ndarray:
        """(M,) bool, which of the videos have a file in each stream."""
        there = np.ones(len(chosen), bool)
        wanted = [self.vids[video] for video in chosen]
        for stream in self.streams:
            names = {path.name for path in stream.folder.iterdir()} if stream.folder.is_dir() else set()
            mine = np.array([stream.path(vid).name in names for vid in wanted], bool)
            if mine.all():
                continue
            more = f' (and {int((~mine).sum()) - 1} more)' if (~mine).sum() > 1 else ''
            file = stream.path(wanted[int(np.flatnonzero(~mine)[0])]).name
            message = f'{stream.folder}: has no feature file {file}{more}, which {self.ann_file} needs'
            if self.missing == 'refuse' or not mine.any():
                raise self.absent(message)
            self._tell(f'{int((~mine).sum())} of {len(mine)} videos are left out: {message}')
            there &= mine
        return there

    def _tell(self, message: str) -> None:
        MMLogger.get_current_instance().warning(message)

    def item(self, number: int) -> dict[str, Any]:
        """Return a video, or a window of it."""
        video, start = int(self.videos[number]), int(self.starts[number])
        rows = slice(*self.instances[video])
        info = dict(
            tid=self.vids[video],
            video_id=self.vids[video],
            t0_s=0.0,
            t1_s=float(self.durations_s[video]),
            duration_s=float(self.durations_s[video]),
            fps=float(self.fps[video]),
            covered_s=float(self.covered_s[video]),
            streams=self.streams,
            feature_files=[str(stream.path(self.vids[video])) for stream in self.streams],
            gt_segments_s=self.segments_s[rows].copy(),
            gt_labels=self.labels[rows].copy(),
        )
        if start >= 0 and self.window_rows is not None:
            info['row_range'] = (start, start + self.window_rows)
        return info

    def item_labels(self) -> tuple[np.ndarray, np.ndarray]:
        """Return (M + 1,) int64 offsets and int64 classes of the items, each class once; for samplers."""
        self.full_init()
        labels = [np.unique(self.labels[slice(*self.instances[self.videos[item]])]) for item in self.items]
        labels = [found[found >= 0] for found in labels]
        return np.cumsum([0, *map(len, labels)]), np.concatenate([np.zeros(0, np.int64), *labels])
