"""What people do, second by second, by an RoI action detector of MMAction2 or ours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import mmcv
import numpy as np
from mmengine.config import Config

from mmtube.models.device import usable_device
from mmtube.models.fuse import speed_up
from mmtube.registry import MODELS
from mmtube.structures import Tube

from .action_config import AVA_FPS
from .clip_networks import Clip, clip_network, load_network
from .clip_windows import boxes_at, iter_windows, key_inds_near, nearest_inds

if TYPE_CHECKING:
    from mmtube.datasets import Frame


@dataclass(eq=False)
class _People:
    """Rows, ordered by key, then by tube: a person at a key time; B boxes over time."""

    owners: np.ndarray  # (n,) tube
    keys: np.ndarray  # (n,) number of the key time
    boxes_px: np.ndarray  # (n, 4) at the key time, inside the frame
    scores: np.ndarray  # (n,)
    tube_boxes_px: np.ndarray  # (n, B, 4)
    tube_valid: np.ndarray  # (n, B)

    def __getitem__(self, rows: np.ndarray | slice) -> _People:
        return _People(*(column[rows] for column in vars(self).values()))


@MODELS.register_module()
class ClipClassifier:
    """Score the actions of every person at regular key times with an RoI action detector.

    The detector is one of MMAction2 (AVA style) or :class:`~mmtube.models.roi_heads.ClipActionDetector`. Clip length,
    frame interval, frame size, normalisation and boxes per second are those of the config's test pipeline and data set.
    Windows are cut in time, not in frame numbers, so that a film of any frame rate is seen at the rate the model was
    trained at. All people of a clip share one pass of the backbone, and frames are decoded and resized once. A detector
    with memory scores in a second pass over the features that the first one kept, see
    :class:`.clip_networks.TubeNetwork`. The column of the background class, which no MMAction2 head is trained on, is
    cut off.

    Args:
        model (str | dict | Config): Config of the action detector: see :func:`mmtube.config.load_config` for what a
            string may be, e.g. ``mmtube.models.roi_heads.action_config.SLOWFAST_AVA``.
        checkpoint (str | None): Weights; see :func:`.action_config.resolve_checkpoint`. Defaults to None, those that
            are published for the name.
        label_map (str | list[str] | None): Class names; see :func:`.action_config.name_columns`. Defaults to None.
        stride_s (float): Seconds from one key time to the next, counted from 0. Defaults to 1.
        sample_fps (float | None): Frame rate that the model was trained at. Defaults to None: what the test pipeline
            says, else AVA's 30.
        batch_size (int): Clips per forward pass. Defaults to 1: on a CPU more are no faster and need more memory.
        fast (bool): Whether the network is made faster, see :func:`mmtube.models.fuse.speed_up`. Defaults to True.
        device (str): Where the model runs. Defaults to 'cpu'.
        object_detector (dict | None): :class:`~mmtube.models.detectors.ObjectDetector` for a network whose blocks look
            at objects (AlphAction's O blocks); it is run on one frame of each clip and not built for another network.
            Where its weights are missing, the network sees no objects and ``note`` says so. Defaults to None: it sees
            none.

    Attributes:
        note (str): What a user should know of how it runs, '' if nothing.

    Raises:
        InputError: If config, weights or label map cannot be had or do not fit each other, or the device is not there.

    Examples:
        >>> classifier = ClipClassifier(SLOWFAST_AVA)
        >>> tubes = classifier.classify(frames, tubes, frame_size=(1280, 720))
        >>> classifier.label_map[tubes[0].clip_scores[0].argmax()]
        'stand'
    """

    def __init__(
        self,
        model: str | dict | Config,
        checkpoint: str | None = None,
        label_map: str | list[str] | None = None,
        stride_s: float = 1.0,
        sample_fps: float | None = None,
        batch_size: int = 1,
        fast: bool = True,
        device: str = 'cpu',
        object_detector: dict | None = None,
    ) -> None:
        if stride_s <= 0 or batch_size < 1 or (sample_fps is not None and sample_fps <= 0):
            raise ValueError(f'{stride_s=}, {sample_fps=} and {batch_size=} must be positive')
        self.device = usable_device(device)
        loaded = load_network(model, checkpoint)
        self._format = loaded.clip_format
        self.stride_s = stride_s
        self.offsets_s = self._format.offsets_s(sample_fps or self._format.sample_fps or AVA_FPS)
        self.box_offsets_s = self._format.box_offsets_s()
        self.batch_size = batch_size
        network = loaded.network.to(self.device)
        self._network = clip_network(speed_up(network) if fast else network, object_detector)
        self.note = self._network.note
        self._first_column = int(self._network.background_class)
        self._columns = self._network.num_classes - self._first_column
        self._label_map = loaded.label_map(label_map, self._network.num_classes, self._network.background_class)

    @property
    def label_map(self) -> list[str]:
        """Class name of each column of ``Tube.clip_scores``; empty when nothing names the classes."""
        return list(self._label_map)

    def classify(self, frames: Iterable[Frame], tubes: list[Tube], frame_size: tuple[int, int]) -> list[Tube]:
        """Fill in the clip scores of tubes, in one pass over the film that holds one window of frames.

        A person takes part in the clip at a key time where :func:`.clip_windows.boxes_at` knows a box and this has a
        part inside the frame.

        Args:
            frames (Iterable[Frame]): The frames of the film in order (``time_s``, ``image`` (H, W, 3) uint8 BGR); not
                read further than needed.
            tubes (list[Tube]): The people; they are not changed.
            frame_size (tuple[int, int]): Width and height in pixels that the boxes refer to.

        Returns:
            list[Tube]: The tubes in the same order with new ``clip_times_s`` (K,) and ``clip_scores`` (K, C), K being 0
            for a person who was in no clip.
        """
        people = self._find_people(tubes, frame_size)
        batch: list[Clip] = []
        seen = 0
        self._network.scores()  # of a film that broke off
        for clip in self._clips(frames, people, frame_size):
            seen += len(clip.boxes_px)
            batch.append(clip)
            if len(batch) == self.batch_size:
                self._network.look(batch)
                batch = []
        if batch:
            self._network.look(batch)
        scores = np.zeros((len(people.keys), self._columns), np.float32)
        scores[:seen] = self._network.scores()[:, self._first_column :]
        scored = np.arange(len(scores)) < seen
        return [
            replace(tube, clip_times_s=people.keys[mine] * self.stride_s, clip_scores=scores[mine])
            for tube, mine in ((tube, scored & (people.owners == index)) for index, tube in enumerate(tubes))
        ]

    def _clips(self, frames: Iterable[Frame], people: _People, frame_size: tuple[int, int]) -> Iterator[Clip]:
        """Yield the clips that somebody is in, in order, with all their people."""
        width, height = self._format.resized(frame_size)
        scale = np.tile(np.float32([width / frame_size[0], height / frame_size[1]]), 2)
        wanted = np.unique(people.keys)
        if not len(wanted):
            return

        def prepare(image: np.ndarray) -> np.ndarray:
            if image.shape[1::-1] != (width, height):
                image = mmcv.imresize(image, (width, height), interpolation=self._format.interpolation)
            return image[..., ::-1]  # MMAction2 decodes to RGB

        windows = iter_windows(frames, wanted * self.stride_s, self.offsets_s, prepare)
        for key, images in zip(wanted.tolist(), windows):
            mine = people[slice(*np.searchsorted(people.keys, [key, key + 1]))]
            key_s = key * self.stride_s
            yield Clip(
                images,
                key_s,
                key_s + self.offsets_s,
                mine.boxes_px * scale,
                mine.scores,
                mine.tube_boxes_px * scale,
                mine.tube_valid,
                key_s + self.box_offsets_s,
            )

    def _find_people(self, tubes: list[Tube], frame_size: tuple[int, int]) -> _People:
        steps = len(self.box_offsets_s)
        none = np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 4), np.float32), np.zeros(0, np.float32)
        found = [_People(*none, np.zeros((0, steps, 4), np.float32), np.zeros((0, steps), bool))]
        for index, tube in enumerate(tubes):
            if not len(tube):
                continue
            near = key_inds_near(tube, self.stride_s)
            key_s = near * self.stride_s
            boxes, known = boxes_at(tube, key_s, frame_size)
            near, key_s = near[known], key_s[known]
            nearest = nearest_inds(tube.times_s, key_s)
            over_time, valid = boxes_at(tube, (key_s[:, None] + self.box_offsets_s).reshape(-1), frame_size)
            over_time *= valid[:, None]
            rows = np.full(len(near), index), near, boxes[known], tube.scores[nearest].astype(np.float32)
            found.append(_People(*rows, over_time.reshape(len(near), steps, 4), valid.reshape(len(near), steps)))
        together = _People(*(np.concatenate(column) for column in zip(*(vars(one).values() for one in found))))
        return together[np.argsort(together.keys, kind='stable')]
