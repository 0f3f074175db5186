"""SEAL Clips: atomic actions of people in windows of two seconds."""

from __future__ import annotations

from typing import Any

import numpy as np
from mmengine.dataset import force_full_init

from mmtube.errors import InputError
from mmtube.registry import DATASETS
from mmtube.structures.io.safe_pickle import load_pickle
from mmtube.structures.seal import read_label_map, read_seal_json

from .clip_dataset import ClipDataset
from .clip_index import ClipIndex, clip_index
from .object_boxes import KeyMoments
from .proposals import ava_proposals, confident_rows


@DATASETS.register_module()
class SEALClips(ClipDataset):
    """Windows of films with the people in them, their boxes and their labels (SEAL, Sec. 3.2).

    Which windows, people and labels there are is said by :func:`~mmtube.datasets.clip_index.clip_index`. Boxes and
    labels to score are always those at the key time; a person without a box there is not used. With 4 boxes per second
    an item also has ``tube_boxes`` (m, B, 4), ``tube_valid`` (m, B) and ``box_times_s`` (B,).

    Args:
        ann_file (str): Annotations in the SEAL schema, relative to ``data_root``.
        label_map (str | None): Label map, relative to ``data_root``: the number of classes and their names. Defaults to
            None, as many classes as occur.
        window_s (float): Length of a clip in seconds. Defaults to 2.0.
        stride_s (float): Seconds from clip to clip. Defaults to 1.0.
        boxes_per_s (int): 1 (the key box) or more boxes per second; SEAL compares 1 and 4 (Table 3). Defaults to 1.
        label_rule (str): ``'overlap'`` or ``'keytime'``. Defaults to 'overlap'.
        min_overlap (float): Overlap of the rule ``'overlap'``. Defaults to 0.5.
        task (str): ``'atomic'`` or ``'complex'``. Defaults to 'atomic'.
        boxes (str): ``'gt'``, the annotated boxes (the setting of Table 3 by our reading), or a file of boxes,
            relative to ``data_root``: coarse tubelets in the SEAL schema (json), with the scores of their key boxes, or
            proposals as AVA has them (pkl: ``{'vid,0007': (m, 4 or 5) normalised}``, key time in seconds, for 1 box
            per second). Defaults to 'gt'.
        min_score (float): Boxes of such a file with a lower score are left out, save the best of a clip. Defaults to
            0.8.
        min_labels (int | None): Persons with fewer labels are left out. Defaults to None: 1 in training, because
            what SEAL leaves unlabelled outside of activities is not known, 0 in testing.
        keep_empty (bool): Whether clips without a person stay in testing. Training drops them. Defaults to False.
        kwargs (Any): ``max_persons``, ``background_class``, ``objects`` (a file of object boxes, such as SEAL-mini's
            ``annotations/objects_train.json``), ``max_objects``, and those of MMEngine's ``BaseDataset``:
            ``data_root``, ``data_prefix`` (``dict(video=folder of films)``), ``pipeline``, ``test_mode``,
            ``lazy_init``, ``indices``.

    Attributes:
        index (ClipIndex): All clips, also those that are not served.

    Raises:
        InputError: If a file cannot be used.
        ValueError: If an argument is out of range.
    """

    def __init__(
        self,
        ann_file: str = '',
        label_map: str | None = None,
        window_s: float = 2.0,
        stride_s: float = 1.0,
        boxes_per_s: int = 1,
        label_rule: str = 'overlap',
        min_overlap: float = 0.5,
        task: str = 'atomic',
        boxes: str = 'gt',
        min_score: float = 0.8,
        min_labels: int | None = None,
        keep_empty: bool = False,
        **kwargs: Any,
    ) -> None:
        self.options = dict(window_s=window_s, stride_s=stride_s, boxes_per_s=boxes_per_s, task=task)
        self.label_options = dict(label_rule=label_rule, min_overlap=min_overlap)
        self.label_map = label_map
        self.boxes = boxes
        self.min_score = min_score
        self.min_labels = min_labels
        self.keep_empty = keep_empty
        if boxes.endswith('.pkl') and boxes_per_s != 1:
            raise ValueError('proposals of a pkl have 1 box per second')
        super().__init__(ann_file=ann_file, **kwargs)

    def load_items(self) -> np.ndarray:
        """Read the annotations and index all clips."""
        annotations = read_seal_json(self.ann_file)
        num_classes = None
        if self.label_map is not None:
            names = read_label_map(self._path(self.label_map), self.options['task']).names
            num_classes = len(names)
            self._metainfo.setdefault('classes', names)
        self.videos = list(annotations.videos.values())
        self.index: ClipIndex = clip_index(annotations, **self.options, **self.label_options, num_classes=num_classes)
        self.proposals: ClipIndex | dict[str, np.ndarray] | None = None
        if self.boxes.endswith('.pkl'):
            path = str(self._path(self.boxes))
            self.proposals = ava_proposals(load_pickle(path), path, self.min_score)
        elif self.boxes != 'gt':
            self.proposals = clip_index(
                read_seal_json(self._path(self.boxes)).only(set(annotations.videos)), **self.options
            )
            self._proposal_clips = self._same_clips(self.proposals)
            self._proposal_rows = confident_rows(self.proposals, self.min_score)
        self._usable = self.index.key_valid & (np.diff(self.index.label_offsets) >= self._least_labels)
        return self._served()

    @property
    def _least_labels(self) -> int:
        return int(not self.test_mode) if self.min_labels is None else self.min_labels

    def _same_clips(self, other: ClipIndex) -> np.ndarray:
        """(K,) int64 clip of another index of the same film and beginning as each of ours, -1 where there is none."""
        films = {vid: number for number, vid in enumerate(other.vids)}
        wanted = np.array([films.get(vid, -1) for vid in self.index.vids], np.int64)[self.index.clip_films]
        first = np.searchsorted(other.clip_films, wanted)
        count = np.bincount(other.clip_films, minlength=len(films) + 1)[wanted]
        number = np.round(self.index.clip_starts_s / self.options['stride_s']).astype(np.int64)
        return np.where((wanted >= 0) & (number < count), first + number, -1)

    def _served(self) -> np.ndarray:
        people = np.bincount(self.index.row_clips[self._usable], minlength=len(self.index))
        if not self.test_mode:
            return np.flatnonzero(people)
        if self.keep_empty:
            return np.arange(len(self.index))
        if isinstance(self.proposals, ClipIndex):
            known = self._proposal_clips >= 0
            found = np.bincount(self.proposals.row_clips[self._proposal_rows], minlength=len(self.proposals))
            people[known] += found[self._proposal_clips[known]]
        elif self.proposals is not None:
            people += np.array([len(self.proposals.get(key, ())) for key in self._image_keys()], np.int64)
        return np.flatnonzero(people)

    @force_full_init
    def item_labels(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the classes of each clip, of all its persons."""
        rows = np.repeat(np.arange(self.index.num_rows), np.diff(self.index.label_offsets))
        used = self._usable[rows]
        place = np.full(len(self.index), -1)
        place[self.items] = np.arange(len(self.items))
        items = place[self.index.row_clips[rows[used]]]
        pairs = np.unique(items[items >= 0] * self.index.num_classes + self.index.labels[used][items >= 0])
        items, labels = pairs // self.index.num_classes, pairs % self.index.num_classes
        return np.searchsorted(items, np.arange(len(self.items) + 1)), labels

    def item(self, number: int) -> dict[str, Any]:
        """Return a clip by its number in ``index``."""
        index = self.index
        vid, key_s = index.vids[index.clip_films[number]], float(index.key_s[number])
        video = self.videos[index.clip_films[number]]
        image_key, timestamp = self.image_key(vid, key_s)
        rows = np.arange(index.row_offsets[number], index.row_offsets[number + 1])
        rows = self.some(rows[self._usable[rows]])
        info = dict(
            **self.moment(vid, video, key_s, index.window_s),
            timestamp=timestamp,
            img_key=image_key,
            film=self.film_of(vid, image_key),
            gt_bboxes=index.key_boxes_px[rows],
            gt_labels=self.with_background(index.multi_hot(rows)),
            person_ids=index.person_ids[rows],
            tids=[index.tids[tubelet] for tubelet in index.row_tubelets[rows]],
            proposals_are_gt=self.proposals is None,
        )
        if self.proposals is None:
            info['proposals'] = info['gt_bboxes'].copy()
            self._add_tubes(info, index, rows)
        elif isinstance(self.proposals, ClipIndex):
            clip = self._proposal_clips[number]
            found = np.arange(*self.proposals.row_offsets[[clip, clip + 1]]) if clip >= 0 else np.zeros(0, np.int64)
            found = self.some(found[self._proposal_rows[found]])
            info['proposals'] = self.proposals.key_boxes_px[found]
            info['proposal_scores'] = self.proposals.key_scores[found]
            self._add_tubes(info, self.proposals, found)
        else:
            scored = self.proposals.get(image_key, np.zeros((0, 5), np.float32))
            info['proposals'] = scored[:, :4] * np.array([video.width, video.height] * 2, np.float32)
            info['proposal_scores'] = scored[:, 4]
        return info

    def _add_tubes(self, info: dict[str, Any], index: ClipIndex, rows: np.ndarray) -> None:
        if self.options['boxes_per_s'] != 1:
            info['tube_boxes'], info['tube_valid'] = index.boxes_px[rows], index.valid[rows]
            info['box_times_s'] = info['clip_start_s'] + index.box_offsets_s

    def moments(self) -> KeyMoments:
        """Return the key times of all clips."""
        index = self.index
        sizes = np.array([(video.width, video.height) for video in self.videos], np.int64).reshape(-1, 2)
        return KeyMoments(index.vids, sizes, index.clip_films, index.key_s, self._image_keys())

    def _image_keys(self) -> list[str]:
        index = self.index
        films, times = index.clip_films.tolist(), index.key_s.tolist()
        return [self.image_key(index.vids[film], time)[0] for film, time in zip(films, times)]

    @property
    def num_classes(self) -> int:
        """Number of classes.

        Raises:
            InputError: If the annotations cannot be read.
        """
        self.full_init()
        if not self.index.num_classes:
            raise InputError(f'{self.ann_file}: has no {self.options["task"]} instance')
        return self.index.num_classes
