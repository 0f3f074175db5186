"""Data sets in the form of AVA: key times, normalised boxes, actions."""

from __future__ import annotations

from typing import Any

import numpy as np

from mmtube.errors import InputError
from mmtube.registry import DATASETS
from mmtube.structures.io.safe_pickle import load_pickle
from mmtube.structures.label_files import read_label_file
from mmtube.structures.seal import VideoRecord
from mmtube.structures.seal.convert import read_videos

from .ava_table import AVATable, read_ava_table, read_excluded
from .clip_dataset import ClipDataset
from .film_facts import film_record
from .film_folder import find_film
from .object_boxes import KeyMoments
from .proposals import ava_proposals

UNLISTED = ('error', 'drop')


@DATASETS.register_module()
class AVAStyle(ClipDataset):
    """Clips around the key times of a csv of AVA, for any films: each has its own rate, length and size.

    Items are those of :class:`~mmtube.datasets.clip_dataset.ClipDataset`; labels are 0 to C - 1 in the order of the
    label file. ``img_key`` and ``timestamp`` are those of the file, ``key_s`` is film time.

    Args:
        ann_file (str): ``video,timestamp,x1,y1,x2,y2,action[,person]``, boxes as fractions, timestamps in seconds,
            whole or not. Relative to ``data_root``, as all files here.
        label_file (str): AVA's pbtxt, lines ``12: walk``, or a name per line. Defaults to 'labels.txt'.
        first_label (int): Label of the first line of a file of bare names. Defaults to 1, as AVA counts.
        unlisted_labels (str): ``'error'`` refuses actions that the label file does not have, ``'drop'`` leaves them out
            (AVA's 60 classes of 80). Defaults to 'error'.
        videos (str | None): JSON of films (``videos`` of the SEAL schema). Defaults to None: size, rate and length are
            read from the films.
        time_offset_s (float): Timestamp of the first frame of each film: 900 where films are AVA's minutes 15 to 30 cut
            out. Defaults to 0.
        proposal_file (str | None): AVA's pkl, of numpy arrays only, by ``vid,0902``. Defaults to None, annotated boxes.
        min_score (float): Proposals with a lower score are left out, save the best of a key time. Defaults to 0.8.
        exclude_file (str | None): ``video,timestamp`` rows that do not count. Defaults to None.
        window_s (float): Length of a clip for samplers that read exactly the clip. Defaults to 2.0.
        kwargs (Any): ``max_persons``, ``background_class``, ``objects`` (a file of object boxes, by ``vid,0902`` or in
            the SEAL schema), ``max_objects``, and those of MMEngine's ``BaseDataset``: ``data_root``, ``data_prefix``
            (``dict(video=folder of films)``), ``pipeline``, ``test_mode``, ``lazy_init``, ``indices``.

    Raises:
        InputError: If a file cannot be used: boxes in pixels, a label that the label file does not have, a film that is
            not there, a key time after the film's end; one line that names the row.
        ValueError: If an argument is out of range.
    """

    def __init__(
        self,
        ann_file: str = '',
        label_file: str = 'labels.txt',
        first_label: int = 1,
        unlisted_labels: str = 'error',
        videos: str | None = None,
        time_offset_s: float = 0.0,
        proposal_file: str | None = None,
        min_score: float = 0.8,
        exclude_file: str | None = None,
        window_s: float = 2.0,
        **kwargs: Any,
    ) -> None:
        if unlisted_labels not in UNLISTED or window_s <= 0:
            raise ValueError(
                f'unlisted_labels must be one of {UNLISTED} and window_s positive, got {unlisted_labels!r}'
            )
        self.label_file = label_file
        self.first_label = first_label
        self.unlisted_labels = unlisted_labels
        self.videos_file = videos
        self.time_offset_s = time_offset_s
        self.proposal_file = proposal_file
        self.min_score = min_score
        self.exclude_file = exclude_file
        self.window_s = window_s
        super().__init__(ann_file=ann_file, **kwargs)

    def load_items(self) -> np.ndarray:
        """Read the csv, group its rows by key time and person, and look at the films."""
        names = read_label_file(self._path(self.label_file), self.first_label)
        self.num_classes = len(names)
        self._metainfo.setdefault('classes', tuple(names.values()))
        table = read_ava_table(self.ann_file)
        known = np.isin(table.labels, list(names))
        if self.unlisted_labels == 'error' and not known.all():
            self._refuse_label(table, int(np.argmin(known)), names)
        table = table.rows(known)
        if self.exclude_file is not None:
            out = read_excluded(self._path(self.exclude_file))
            keys = zip(table.vids.tolist(), table.timestamps.tolist())
            table = table.rows(np.array([key not in out for key in keys], bool))
        self.films = self._films(table)
        order = np.array(list(names), np.int64)
        by_label = np.argsort(order)
        classes = by_label[np.searchsorted(order, table.labels, sorter=by_label)] if len(table) else table.labels
        self._group(table, classes)
        self.proposals = None
        if self.proposal_file is not None:
            path = str(self._path(self.proposal_file))
            self.proposals = ava_proposals(load_pickle(path), path, self.min_score)
        return np.arange(len(self.key_vids))

    def _refuse_label(self, table: AVATable, row: int, names: dict[int, str]) -> None:
        label = table.labels[row]
        if label == 0 and min(names) == 1:
            hint = 'labels count from 1 here; if they count from 0 in this file, first_label=0 says so'
        else:
            hint = f'it has {len(names)} from {min(names)} to {max(names)}'
        raise InputError(f'{self.ann_file}:{table.lines[row]}: action {label} is not in {self.label_file}: {hint}')

    def _films(self, table: AVATable) -> dict[str, VideoRecord]:
        vids, first = np.unique(table.vids, return_index=True)
        videos = {} if self.videos_file is None else read_videos(self._path(self.videos_file))
        films = {}
        for vid, row in zip(vids.tolist(), first):
            films[vid] = videos[vid] if vid in videos else self._film(vid, f'{self.ann_file}:{table.lines[row]}')
        ends = np.array([films[vid].duration_s + 1 / films[vid].fps for vid in table.vids.tolist()])
        key_s = table.timestamps - self.time_offset_s
        outside = (key_s < 0) | (key_s > ends)
        if outside.any():
            row = int(np.argmax(outside))
            told = f'{films[table.vids[row]].duration_s:g} s long, its timestamps begin at {self.time_offset_s:g}'
            where = f'timestamp {table.timestamps[row]:g} is outside of film {table.vids[row]!r}'
            raise InputError(f'{self.ann_file}:{table.lines[row]}: {where}: it is {told}')
        return films

    def _film(self, vid: str, where: str) -> VideoRecord:
        try:
            return film_record(find_film(self.data_prefix.get('video') or '.', vid))
        except InputError as error:
            raise InputError(f'{where}: film {vid!r}: {error}') from None

    def _group(self, table: AVATable, classes: np.ndarray) -> None:
        """Rows to key times and persons; a person is a box (and an ID) at a key time."""
        vids, vid = np.unique(table.vids, return_inverse=True)
        moments, moment = np.unique(np.stack([vid, table.timestamps], 1), axis=0, return_inverse=True)
        persons = np.column_stack([moment.reshape(-1), table.person_ids, table.boxes])
        people, first, person = np.unique(persons, axis=0, return_index=True, return_inverse=True)
        self.key_vids = vids[moments[:, 0].astype(np.int64)] if len(moments) else np.zeros(0, str)
        self.timestamps = moments[:, 1]
        self.person_offsets = np.searchsorted(people[:, 0], np.arange(len(moments) + 1))
        self.person_ids, self.boxes = table.person_ids[first], table.boxes[first]
        pairs = np.unique(person.reshape(-1) * self.num_classes + classes)
        self.labels = pairs % self.num_classes
        self.label_offsets = np.searchsorted(pairs // self.num_classes, np.arange(len(people) + 1))

    def item_labels(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the classes of each key time, of all its persons."""
        self.full_init()
        people = np.repeat(np.arange(len(self.key_vids)), np.diff(self.person_offsets))
        place = np.full(len(self.key_vids), -1)
        place[self.items] = np.arange(len(self.items))
        items = place[np.repeat(people, np.diff(self.label_offsets))]
        pairs = np.unique(items[items >= 0] * self.num_classes + self.labels[items >= 0])
        return np.searchsorted(pairs // self.num_classes, np.arange(len(self.items) + 1)), pairs % self.num_classes

    def item(self, number: int) -> dict[str, Any]:
        """Return a key time."""
        vid = str(self.key_vids[number])
        video = self.films[vid]
        image_key, timestamp = self.image_key(vid, float(self.timestamps[number]))
        key_s = float(self.timestamps[number]) - self.time_offset_s
        size = np.array([video.width, video.height] * 2, np.float32)
        rows = self.some(np.arange(self.person_offsets[number], self.person_offsets[number + 1]))
        labels = np.zeros((len(rows), self.num_classes), bool)
        for place, row in enumerate(rows):
            labels[place, self.labels[self.label_offsets[row] : self.label_offsets[row + 1]]] = True
        info = dict(
            **self.moment(vid, video, key_s, self.window_s),
            timestamp=timestamp,
            img_key=image_key,
            film=self.film_of(vid, image_key),
            gt_bboxes=self.boxes[rows] * size,
            gt_labels=self.with_background(labels),
            person_ids=self.person_ids[rows],
            proposals_are_gt=self.proposals is None,
        )
        if self.proposals is None:
            info['proposals'] = info['gt_bboxes'].copy()
        else:
            scored = self.proposals.get(image_key, np.zeros((0, 5), np.float32))
            info['proposals'], info['proposal_scores'] = scored[:, :4] * size, scored[:, 4]
        return info

    def moments(self) -> KeyMoments:
        """Return all key times."""
        vids = sorted(self.films)  # the order of the key times
        sizes = np.array([(self.films[vid].width, self.films[vid].height) for vid in vids], np.int64).reshape(-1, 2)
        films = np.searchsorted(np.array(vids, str), self.key_vids)
        keys = [self.image_key(str(vid), float(time))[0] for vid, time in zip(self.key_vids, self.timestamps)]
        return KeyMoments(vids, sizes, films, self.timestamps - self.time_offset_s, keys)
