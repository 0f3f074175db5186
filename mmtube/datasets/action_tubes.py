"""UCF101-24, JHMDB and MultiSports: tubes of people with one action each."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from mmtube.registry import DATASETS
from mmtube.structures.seal import SEALAnnotations
from mmtube.structures.seal.convert import act_pkl_label_map, read_act_pkl, read_videos

from .clip_dataset import ClipDataset
from .film_facts import film_record
from .film_folder import find_film


@DATASETS.register_module()
class ActionTubes(ClipDataset):
    """Key frames of the tubes in a ground-truth pickle, every ``frame_interval``-th annotated frame of each film.

    Items are those of :class:`~mmtube.datasets.clip_dataset.ClipDataset`; in addition ``tube_ids`` (list of str) and
    ``frame_index`` (from 0). A film's ID in the pickle may have a folder (``Basketball/v_1``).

    Args:
        ann_file (str): Pickle with ``labels``, ``gttubes``, ``nframes``, ``resolution``, ``train_videos`` and
            ``test_videos``; nothing in it is run. Relative to ``data_root``, as all files here.
        split (str): ``'train'`` or ``'test'``. Defaults to 'train'.
        split_index (int): Which split of the data set, from 0. Defaults to 0.
        frame_interval (int): Frames from key frame to key frame. Defaults to 1.
        fps (float | None): Rate of the films. Defaults to None: from ``videos``, else from the films.
        videos (str | None): JSON of films (``videos`` of the SEAL schema). Defaults to None.
        inclusive (bool): Whether x2 and y2 are the last pixels within the box (UCF101-24, JHMDB). Defaults to False.
        window_s (float): Length of a clip for samplers that read exactly the clip. Defaults to 2.0.
        kwargs (Any): ``max_persons``, ``background_class``, and those of MMEngine's ``BaseDataset``: ``data_root``,
            ``data_prefix`` (``dict(video=folder of films)``), ``pipeline``, ``test_mode``, ``lazy_init``, ``indices``.

    Attributes:
        annotations (SEALAnnotations): The tubes of the split, for metrics of tubes.

    Raises:
        InputError: If a file cannot be used.
        ValueError: If an argument is out of range.
    """

    def __init__(
        self,
        ann_file: str = '',
        split: str = 'train',
        split_index: int = 0,
        frame_interval: int = 1,
        fps: float | None = None,
        videos: str | None = None,
        inclusive: bool = False,
        window_s: float = 2.0,
        **kwargs: Any,
    ) -> None:
        if split not in ('train', 'test') or frame_interval < 1 or window_s <= 0:
            raise ValueError(f'split must be train or test, frame_interval and window_s positive, got {split!r}')
        self.split = split
        self.split_index = split_index
        self.frame_interval = frame_interval
        self.fps = fps
        self.videos_file = videos
        self.inclusive = inclusive
        self.window_s = window_s
        super().__init__(ann_file=ann_file, **kwargs)

    def load_items(self) -> np.ndarray:
        """Read the pickle and list the key frames."""
        names = act_pkl_label_map(self.ann_file).names
        self.num_classes = len(names)
        self._metainfo.setdefault('classes', names)
        videos = None if self.videos_file is None else read_videos(Path(self.data_root or '') / self.videos_file)
        options = dict(split_index=self.split_index, test_as='test', inclusive=self.inclusive)
        found = read_act_pkl(self.ann_file, videos, fps=self.fps or 25.0, **options)
        vids = {vid for vid, video in found.videos.items() if video.split == self.split}
        if self.fps is None and videos is None:
            # Frames are what the pickle says; the rate only brings them to film time.
            rates = {vid: film_record(self._film(vid)).fps for vid in sorted(vids)}
        else:
            rates = {vid: found.videos[vid].fps for vid in vids}
        self.annotations: SEALAnnotations = found.only(vids)
        self.rates = rates
        self.vids, records = list(self.annotations.videos), self.annotations.tubelets
        films = {vid: number for number, vid in enumerate(self.vids)}
        labels = {
            tid: int(found.aa.labels[rows[0]]) for tid, rows in self.annotations.rows_by_tubelet('atomic').items()
        }
        tracks = [self.annotations.track(tid) for tid in records]
        lengths = [len(track.frame_inds) for track in tracks]
        film = np.repeat(np.array([films[record.vid] for record in records.values()], np.int64), lengths)
        frame = np.concatenate([np.zeros(0, np.int64), *(track.frame_inds.astype(np.int64) for track in tracks)])
        tube = np.repeat(np.arange(len(tracks)), lengths)
        boxes = np.concatenate([np.zeros((0, 4), np.float32), *(track.boxes_px for track in tracks)])
        keep = np.flatnonzero(frame % self.frame_interval == 0)
        order = keep[np.lexsort((tube[keep], frame[keep], film[keep]))]
        self.boxes, self.tubes, self.tids = boxes[order], tube[order], list(records)
        self.tube_labels = np.array([labels.get(tid, -1) for tid in records], np.int64)
        moments = np.stack([film[order], frame[order]], 1)
        self.moments, first = np.unique(moments, axis=0, return_index=True)
        self.offsets = np.append(first, len(order))
        return np.arange(len(self.moments))

    def _film(self, vid: str) -> Path:
        return find_film(Path(self.data_prefix.get('video') or '.') / Path(vid).parent, Path(vid).name)

    def item_labels(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the classes of each key frame."""
        self.full_init()
        labels = [np.unique(self.tube_labels[self.tubes[self.offsets[i] : self.offsets[i + 1]]]) for i in self.items]
        return np.cumsum([0, *map(len, labels)]), np.concatenate([np.zeros(0, np.int64), *labels])

    def item(self, number: int) -> dict[str, Any]:
        """Return a key frame."""
        film, frame = self.moments[number].tolist()
        vid = self.vids[film]
        video, rate = self.annotations.videos[vid], self.rates[vid]
        rows = self.some(np.arange(self.offsets[number], self.offsets[number + 1]))
        labels = np.zeros((len(rows), self.num_classes), bool)
        labels[np.arange(len(rows)), self.tube_labels[self.tubes[rows]]] = True
        key_s, image_key = frame / rate, f'{vid},{frame + 1:04d}'
        boxes = self.boxes[rows].astype(np.float32)
        return dict(
            **self.moment(vid, replace(video, fps=rate, duration_s=video.num_frames / rate), key_s, self.window_s),
            timestamp=frame + 1,  # these sets count frames from 1
            img_key=image_key,
            film=str(self._film(vid)),
            frame_index=frame,
            gt_bboxes=boxes,
            gt_labels=self.with_background(labels),
            person_ids=self.tubes[rows],
            tube_ids=[self.tids[tube] for tube in self.tubes[rows]],
            proposals=boxes.copy(),
            proposals_are_gt=True,
        )
