"""Clips of untrimmed films, inside actions and beside them."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.logging import MMLogger

from mmtube.errors import InputError
from mmtube.ops import merge_segments
from mmtube.registry import DATASETS
from mmtube.structures.io.features_npz import read_features_npz
from mmtube.structures.seal import Finding, SEALAnnotations, read_label_map
from mmtube.structures.seal.convert import read_activitynet
from mmtube.structures.seal.convert.activitynet import PERSON, activitynet_label_map

from .film_facts import film_record
from .film_folder import find_film
from .table_dataset import TableDataset

REGIONS = ('background', 'foreground')
NO_LABEL = -1
TOLERANCE_S = 1e-6
ANY_SIZE = (1, 1)  # of films whose annotation tells none: the films themselves are asked


@DATASETS.register_module()
class UntrimmedClips(TableDataset):
    """Some clips of each action and of each gap between actions, to tell both apart (TSP, arXiv 2011.11479).

    Annotations are ActivityNet's. A gap is what no action of any class covers, from the beginning of the film to its
    end; a film without any action is one gap. Actions and gaps shorter than a clip give none, and so do films. Clips
    may lie anywhere inside: in training at random, in testing evenly, the first at the very beginning and the last at
    the very end.

    The dict of an item has ``video_id``, ``film``, ``label`` (the action, -1 for background), ``gt_region`` (0
    background, 1 foreground), ``segment_s`` (2,) float64 the action or gap, ``key_s`` the middle of the clip,
    ``clip_start_s``, ``clip_end_s``, ``duration_s``, ``ori_shape``, ``img_key``, ``modality``, ``test_mode`` and
    ``video_feature`` (D,) float32, with D = 0 where there are no ``features``. ``SampleSEALClip`` and ``DecodeWindow``
    read the clip. Sizes are those of the films, so that films may be kept in another size than the annotation tells.

    Args:
        ann_file (str): ActivityNet JSON, relative to ``data_root``.
        split (str | None): ``'train'``, ``'val'`` or ``'test'``, for ActivityNet's ``training`` and so on. Defaults to
            None, all films. Those of ActivityNet's ``testing`` have no public annotations: they would be background.
        label_map (str | None): Label map of the task ``complex``, relative to ``data_root``. Defaults to None: the
            classes of the file, of all its splits, sorted.
        features (dict | None): Features of whole films: ``folder`` with a ``<film>.npz`` for each, relative to
            ``data_root``, as ``tools/extract_features.py`` writes them, and any of ``stream``, ``fps``, ``window``,
            ``stride``, ``dim`` and ``checkpoint`` that the files must have. Defaults to None.
        clip_s (float): Length of a clip in seconds. Defaults to 16 / 15, 16 frames at 15 per second.
        clips_per_segment (int): Clips of each action and of each gap. Defaults to 5.
        film_name (str): Name of the file of a film without its suffix, and of its features, where ``{vid}`` is the key
            in the annotations. Defaults to '{vid}'; ActivityNet's crawler has ``'v_{vid}'``.
        strict (bool): Whether an entry that is wrong, a film that is not there or has no features is an error.
            Otherwise the film is left out and counted in the log: ActivityNet's films are on the net, and some are
            gone. Defaults to True.
        kwargs (Any): Of MMEngine's ``BaseDataset``: ``data_root``, ``data_prefix`` (``dict(video=folder of films)``),
            ``pipeline``, ``test_mode``, ``lazy_init``, ``indices``.

    Raises:
        InputError: If a file cannot be used, or no clip is left; one line that names the file and the row.
        ValueError: If an argument is out of range.
    """

    def __init__(
        self,
        ann_file: str = '',
        split: str | None = None,
        label_map: str | None = None,
        features: dict | None = None,
        clip_s: float = 16 / 15,
        clips_per_segment: int = 5,
        film_name: str = '{vid}',
        strict: bool = True,
        **kwargs: Any,
    ) -> None:
        if clip_s <= 0 or clips_per_segment < 1:
            raise ValueError(f'clip_s and clips_per_segment must be positive, got {clip_s} and {clips_per_segment}')
        if '{vid}' not in film_name:
            raise ValueError(f"film_name must have '{{vid}}' in it, got {film_name!r}")
        self.split = split
        self.label_map = label_map
        self.features = None if features is None else dict(features)
        self.clip_s = clip_s
        self.clips_per_segment = clips_per_segment
        self.film_name = film_name
        self.strict = strict
        self._shapes: dict[str, tuple[int, int]] = {}
        self._video_features: dict[str, np.ndarray] = {}
        super().__init__(ann_file, **kwargs)

    def load_items(self) -> np.ndarray:
        """Read the annotations, find the gaps and look for the films."""
        findings: list[Finding] | None = None if self.strict else []
        if self.label_map is None:
            names = activitynet_label_map(self.ann_file)
        else:
            names = read_label_map(self._path(self.label_map), 'complex')
        annotations = read_activitynet(self.ann_file, label_map=names, frame_size=ANY_SIZE, findings=findings)
        self._metainfo.setdefault('classes', names.names)
        self._metainfo.setdefault('regions', REGIONS)
        splits = {video.split for video in annotations.videos.values()}
        if self.split is not None and self.split not in splits:
            raise InputError(f'{self.ann_file}: has no film of {self.split!r}, it has {", ".join(sorted(splits))}')
        wrong = {_film_of(finding): str(finding) for finding in findings or ()}
        vids = [vid for vid, video in annotations.videos.items() if self.split in (None, video.split)]
        # Of a film whose length cannot be read the split is not known either.
        self.vids = self._usable([*vids, *(vid for vid in wrong if vid not in annotations.videos)], wrong)
        self._cut(annotations)
        if not len(self.segments_s):
            raise InputError(
                f'{self.ann_file}: no action and no gap of its {len(self.vids)} films is as long as a clip of '
                f'{self.clip_s:.4g} s'
            )
        if (self.labels == NO_LABEL).all():
            raise InputError(f'{self.ann_file}: none of its {len(self.vids)} films has an action that gives a clip')
        return np.arange(len(self.segments_s) * self.clips_per_segment)

    def _usable(self, vids: list[str], wrong: dict[str, str]) -> list[str]:
        """Return the films that are there with all that is asked of them.

        Raises:
            InputError: With ``strict``, of the first that is not; else if none is left.
        """
        videos = Path(self.data_prefix.get('video') or '.')
        folder = None if self.features is None else self._path(self.features['folder'])
        there = set() if folder is None else {path.stem for path in folder.glob('*.npz')}
        kept, left_out = [], []
        for vid in vids:
            name = self.film_name.format(vid=vid)
            try:
                if vid in wrong:
                    raise InputError(wrong[vid])
                find_film(videos, name)
                if folder is not None and name not in there:
                    raise InputError(f'{folder}: has no feature file {name}.npz')
            except InputError as error:
                if self.strict:
                    raise InputError(f'{error}, which {self.ann_file}: database["{vid}"] needs') from None
                left_out.append(str(error))
                continue
            kept.append(vid)
        if left_out:
            told = f'{len(left_out)} of {len(vids)} films are left out, the first because of: {left_out[0]}'
            if not kept:
                raise InputError(f'{self.ann_file}: no film can be used; {told}')
            MMLogger.get_current_instance().warning(f'{self.ann_file}: {told}')
        return kept

    def _cut(self, annotations: SEALAnnotations) -> None:
        """Fill the columns of actions and gaps, in the order of the films and of time."""
        table, by_tubelet = annotations.instances('complex'), annotations.rows_by_tubelet('complex')
        tids = annotations.tids_by_video()
        self.durations_s = np.array([annotations.videos[vid].duration_s for vid in self.vids], np.float64)
        films, segments, labels = [], [], []
        for film, vid in enumerate(self.vids):
            rows = np.concatenate([np.zeros(0, np.int64), *(by_tubelet.get(tid, []) for tid in tids[vid])]).astype(int)
            actions = np.stack([table.start_s[rows], table.end_s[rows]], axis=1)
            empty = gaps(actions, float(self.durations_s[film]))
            found = np.concatenate([actions, empty])
            order = np.argsort(found[:, 0], kind='stable')
            films.append(np.full(len(found), film))
            segments.append(found[order])
            labels.append(np.concatenate([table.labels[rows], np.full(len(empty), NO_LABEL)])[order])
        self.segments_s = np.concatenate([np.zeros((0, 2)), *segments])
        long = self.segments_s[:, 1] - self.segments_s[:, 0] >= self.clip_s - TOLERANCE_S
        self.segments_s = self.segments_s[long]
        self.films = np.concatenate([np.zeros(0, np.int64), *films])[long]
        self.labels = np.concatenate([np.zeros(0, np.int64), *labels])[long]

    def item(self, number: int) -> dict[str, Any]:
        """Return a clip; in training it is another one each time."""
        row, place = divmod(number, self.clips_per_segment)
        vid, label = self.vids[self.films[row]], int(self.labels[row])
        start_s, end_s = self.segments_s[row].tolist()
        share = random.random() if not self.test_mode else self._even(place)
        start_s += share * max(end_s - start_s - self.clip_s, 0)
        name = self.film_name.format(vid=vid)
        info = dict(
            video_id=vid,
            img_key=f'{vid}, {start_s:.2f} s',
            film=str(find_film(self.data_prefix.get('video') or '.', name)),
            label=label,
            gt_region=int(label != NO_LABEL),
            segment_s=self.segments_s[row].copy(),
            key_s=start_s + self.clip_s / 2,
            clip_start_s=start_s,
            clip_end_s=start_s + self.clip_s,
            duration_s=float(self.durations_s[self.films[row]]),
            modality='RGB',
            test_mode=self.test_mode,
        )
        info['ori_shape'] = self._shape(info['film'])
        none = np.zeros(0, np.float32)
        info['video_feature'] = none if self.features is None else self._video_feature(name).copy()
        return info

    def _even(self, place: int) -> float:
        return place / (self.clips_per_segment - 1) if self.clips_per_segment > 1 else 0.5

    def _shape(self, film: str) -> tuple[int, int]:
        """Height and width of a film, which is looked at once in each worker."""
        if film not in self._shapes:
            record = film_record(film)
            self._shapes[film] = (record.height, record.width)
        return self._shapes[film]

    def _video_feature(self, name: str) -> np.ndarray:
        """The greatest value of each feature over the windows of a film, read once in each worker."""
        if name not in self._video_features:
            assert self.features is not None
            demanded = {key: value for key, value in self.features.items() if key != 'folder'}
            path = self._path(self.features['folder']) / f'{name}.npz'
            rows = read_features_npz(path, demanded)[name]
            known = rows.features[rows.valid].astype(np.float32)
            if not len(known):
                raise InputError(f'{path}: {name!r} has no row, the film may be shorter than a window')
            self._video_features[name] = known.max(axis=0)
        return self._video_features[name]


def gaps(segments: np.ndarray, duration_s: float) -> np.ndarray:
    """Return what segments leave of a film.

    Args:
        segments (np.ndarray): (N, 2) start and end in seconds, in any order, within the film; they may overlap.
        duration_s (float): Length of the film in seconds.

    Returns:
        np.ndarray: (M, 2) float64 in the order of time.

    Examples:
        >>> gaps(np.array([[2.0, 5.0], [4.0, 6.0]]), 8.0).tolist()
        [[0.0, 2.0], [6.0, 8.0]]
    """
    merged = merge_segments(segments)
    edges = np.concatenate([[0.0], merged.reshape(-1), [duration_s]]).reshape(-1, 2)
    return edges[edges[:, 1] > edges[:, 0]]


def _film_of(finding: Finding) -> str:
    """Return the film of what reading found, whose place begins with its key: ``database["a"].annotations[0]``.

    Raises:
        InputError: If it is about the file, not about an entry.
    """
    if finding.rule != 'activitynet-entry':
        raise InputError(str(finding))
    key = json.JSONDecoder().raw_decode(finding.row, finding.row.index('["') + 1)[0]
    person = PERSON.fullmatch(key)
    return person[1] if person else key
