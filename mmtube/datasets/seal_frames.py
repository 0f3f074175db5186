"""People in single frames of films, for detectors."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from mmtube.errors import InputError
from mmtube.registry import DATASETS
from mmtube.structures.seal import read_seal_json

from .film_folder import find_film
from .table_dataset import TableDataset


@DATASETS.register_module()
class SEALFrames(TableDataset):
    """Every n-th frame of the films of annotations in the SEAL schema, with a box for each person in it.

    The dict of an item has the names of mmdet's transforms: ``instances`` (a list of dicts with ``bbox`` xyxy in
    pixels, ``bbox_label`` 0 and ``ignore_flag``), ``img_id``, ``img_path`` (the film and the frame index), ``height``
    and ``width``; and for :class:`~mmtube.datasets.transforms.LoadFilmFrame` ``film`` and ``time_s``. Nothing is
    written to disk: frames are decoded out of the films, which costs least where ``every`` is the distance of their key
    frames.

    The annotations must have everybody: a person without a box is learned as background. SEAL's own files have the
    subjects of each film only (SEAL, Sec. 3.1).

    Args:
        ann_file (str): Annotations in the SEAL schema, relative to ``data_root``.
        every (int): Distance of the frames in frames. Defaults to 25, the distance of key frames in SEAL-mini.
        first (int): The first frame index of each film. Defaults to 0.
        min_size_px (float): Boxes with a shorter side are marked to be ignored, in training and by mmdet's metrics.
            Defaults to 0, none.
        keep_empty (bool): Whether frames without a person stay, as pictures of background. Defaults to True.
        kwargs (Any): Of MMEngine's ``BaseDataset``: ``data_root``, ``data_prefix`` (``dict(video=folder of films)``),
            ``pipeline``, ``test_mode``, ``lazy_init``, ``indices``.

    Raises:
        InputError: If a file cannot be used, or it has no frame to serve.
        ValueError: If an argument is out of range.
    """

    METAINFO: ClassVar[dict] = dict(classes=('person',), palette=[(220, 20, 60)])

    def __init__(
        self,
        ann_file: str = '',
        every: int = 25,
        first: int = 0,
        min_size_px: float = 0.0,
        keep_empty: bool = True,
        **kwargs: Any,
    ) -> None:
        if every < 1 or first < 0 or min_size_px < 0:
            raise ValueError(f'every must be >= 1, first and min_size_px >= 0, got {every}, {first}, {min_size_px}')
        self.every = every
        self.first = first
        self.min_size_px = min_size_px
        self.keep_empty = keep_empty
        super().__init__(ann_file, **kwargs)

    def load_items(self) -> np.ndarray:
        """Read the annotations and lay their boxes out by film and frame."""
        annotations = read_seal_json(self.ann_file)
        self.vids = list(annotations.videos)
        self.videos = list(annotations.videos.values())
        number = {vid: place for place, vid in enumerate(self.vids)}
        ranges = [np.arange(self.first, video.num_frames, self.every) for video in self.videos]
        self.films = np.repeat(np.arange(len(ranges)), [len(frames) for frames in ranges])
        self.frame_inds = np.concatenate([np.zeros(0, np.int64), *ranges])
        none = (np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 4), np.float32))
        parts = []
        for tid, record in annotations.tubelets.items():
            track = annotations.track(tid)
            frames = track.frame_inds.astype(np.int64)
            rows = np.flatnonzero((frames >= self.first) & ((frames - self.first) % self.every == 0))
            parts.append((np.full(len(rows), number[record.vid]), frames[rows], track.boxes_px[rows]))
        films, frames, boxes = (np.concatenate(columns) for columns in zip(none, *parts))
        order = np.lexsort((frames, films))
        self.boxes_px = boxes[order]
        span = max((video.num_frames for video in self.videos), default=0) + 1
        keys, wanted = (films * span + frames)[order], self.films * span + self.frame_inds
        self.offsets = np.stack([np.searchsorted(keys, wanted), np.searchsorted(keys, wanted, side='right')], axis=1)
        items = np.arange(len(wanted)) if self.keep_empty else np.flatnonzero(np.diff(self.offsets)[:, 0])
        if not len(items):
            raise InputError(f'{self.ann_file}: has no frame to serve (every {self.every}, first {self.first})')
        return items

    def item(self, number: int) -> dict[str, Any]:
        """Return a frame by its number."""
        film, frame_ind = int(self.films[number]), int(self.frame_inds[number])
        vid, video = self.vids[film], self.videos[film]
        boxes_px = self.boxes_px[slice(*self.offsets[number])]
        small = (boxes_px[:, 2:] - boxes_px[:, :2]).min(axis=1, initial=np.inf) < self.min_size_px
        path = find_film(self.data_prefix.get('video') or '.', vid)
        return dict(
            film=str(path),
            time_s=frame_ind / video.fps,
            video_id=vid,
            frame_ind=frame_ind,
            img_id=number,
            img_path=f'{path}, frame index {frame_ind}',
            height=video.height,
            width=video.width,
            instances=[
                dict(bbox=box.tolist(), bbox_label=0, ignore_flag=int(ignored)) for box, ignored in zip(boxes_px, small)
            ],
        )
