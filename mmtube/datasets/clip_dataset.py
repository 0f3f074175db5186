"""What data sets of clips share: one item is a key time of a film and the people at that time."""

from __future__ import annotations

import random
from abc import abstractmethod
from typing import Any

import numpy as np

from mmtube.errors import InputError
from mmtube.structures.seal import VideoRecord

from .film_folder import find_film
from .object_boxes import KeyMoments, ObjectBoxes
from .table_dataset import TableDataset


class ClipDataset(TableDataset):
    """Clips of films with boxes and multi-hot labels at a key time.

    The dict of an item has the names of MMAction2's transforms: ``gt_bboxes`` (n, 4) float32 pixels of the original
    frame, ``gt_labels`` (n, C) float32 of 0 and 1, ``proposals`` (m, 4), and ``film``, ``video_id``, ``timestamp``,
    ``img_key``, ``key_s``, ``clip_start_s``, ``clip_end_s``, ``duration_s``, ``fps``, ``ori_shape``, ``width``,
    ``height``, ``person_ids``, ``test_mode``. The film is looked for when the item is asked for. With a file of objects
    an item also has ``objects`` (k, 4) float32 pixels, the best first, and ``object_scores`` (k,) float32, with k = 0
    where there are none; :class:`~mmtube.datasets.transforms.PackSEALClip` packs them.

    For samplers a data set of clips has ``item_labels()``: (M + 1,) int64 offsets and int64 classes of its M items,
    those of all persons of the clip.

    Args:
        max_persons (int): Persons of a clip in training, a random choice of more. Defaults to 10 (AlphAction).
        background_class (bool): Whether labels have a column 0 for "no action", as the AVA heads of MMAction2 trained
            on AVA expect. Defaults to False.
        objects (str | None): File of object boxes, relative to ``data_root``; see
            :class:`~mmtube.datasets.object_boxes.ObjectBoxes`. Defaults to None, items have no objects.
        max_objects (int): Objects of a clip, the most confident. Defaults to 5 (AlphAction).
        kwargs (Any): Of :class:`~mmtube.datasets.table_dataset.TableDataset`.
    """

    def __init__(
        self,
        max_persons: int = 10,
        background_class: bool = False,
        objects: str | None = None,
        max_objects: int = 5,
        **kwargs: Any,
    ) -> None:
        if max_persons < 1 or max_objects < 1:
            raise ValueError(f'max_persons and max_objects must be at least 1, got {max_persons}, {max_objects}')
        self.max_persons = max_persons
        self.background_class = background_class
        self.objects = objects
        self.max_objects = max_objects
        self._object_boxes: ObjectBoxes | None = None
        super().__init__(**kwargs)

    @abstractmethod
    def moments(self) -> KeyMoments:
        """Return all key times by the numbers of their items."""

    def full_init(self) -> None:
        """Read the annotations and the boxes of objects, if that has not been done."""
        super().full_init()
        if self.objects is not None and self._object_boxes is None:
            self._object_boxes = ObjectBoxes(self._path(self.objects), self.moments(), self.max_objects)

    def get_data_info(self, idx: int) -> dict[str, Any]:
        """Return what the pipeline gets of the item at ``idx``."""
        info = {**super().get_data_info(idx), 'test_mode': self.test_mode}
        if self._object_boxes is not None:
            found = self._object_boxes(int(self.items[info['sample_idx']]))
            info['objects'], info['object_scores'] = found
        return info

    def moment(self, vid: str, video: VideoRecord, key_s: float, window_s: float) -> dict[str, Any]:
        """Return what an item says of its film and of the clip around its key time.

        Args:
            vid (str): The film.
            video (VideoRecord): Its size, rate and length.
            key_s (float): Key time in seconds of the film.
            window_s (float): Length of the clip in seconds.
        """
        return dict(
            video_id=vid,
            key_s=key_s,
            clip_start_s=key_s - window_s / 2,
            clip_end_s=key_s + window_s / 2,
            duration_s=video.duration_s,
            fps=video.fps,
            ori_shape=(video.height, video.width),
            width=video.width,  # for mmdet's AspectRatioBatchSampler
            height=video.height,
            modality='RGB',
        )

    def image_key(self, vid: str, key_s: float) -> tuple[str, int | float]:
        """Return AVA's key of an image, ``vid,0007``, and its timestamp, an int where the key time is whole."""
        whole = round(key_s)
        timestamp: int | float = whole if abs(key_s - whole) < 1e-6 else float(key_s)
        return f'{vid},{timestamp:04d}' if isinstance(timestamp, int) else f'{vid},{timestamp:.10g}', timestamp

    def film_of(self, vid: str, image_key: str) -> str:
        """Return the path of a film in ``data_prefix['video']``.

        Raises:
            InputError: If it is not there; the message names the clip.
        """
        try:
            return str(find_film(self.data_prefix.get('video') or '.', vid))
        except InputError as error:
            raise InputError(f'{error}, which clip {image_key} needs') from None

    def some(self, rows: np.ndarray) -> np.ndarray:
        """Return the rows to use: all in testing, at most ``max_persons`` of them in training, in their order."""
        if self.test_mode or len(rows) <= self.max_persons:
            return rows
        return np.sort(random.sample(rows.tolist(), self.max_persons))

    def with_background(self, labels: np.ndarray) -> np.ndarray:
        """Return (n, C) bool labels as float32, with a column of zeros in front if heads expect one."""
        return np.pad(labels.astype(np.float32), ((0, 0), (int(self.background_class), 0)))
