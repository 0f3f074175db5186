"""What people do, second by second, by any RoI action detector of MMAction2."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

import mmcv
import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import MODELS as ROOT_MODELS
from mmengine.registry import DefaultScope
from mmengine.structures import InstanceData
from torch import nn

from mmtube.errors import InputError
from mmtube.models.checkpoint import load_weights
from mmtube.models.device import usable_device
from mmtube.ops import box_areas, clip_boxes
from mmtube.registry import MODELS
from mmtube.structures import Tube

from .action_config import config_name, name_columns, read_clip_format, read_config, resolve_checkpoint
from .clip_windows import boxes_at, iter_windows, key_inds_near

if TYPE_CHECKING:
    from mmtube.datasets import Frame


@MODELS.register_module()
class ClipClassifier:
    """Score the actions of every person at regular key times with an RoI action detector (AVA style) of MMAction2.

    Clip length, frame interval, frame size and normalisation are those of the config's test pipeline. Windows are cut
    in time, not in frame numbers, so that a film of any frame rate is seen at the rate the model was trained at. All
    people of a clip share one pass of the backbone, and clips are batched, which MMAction2's own test loop cannot do.
    The column of the background class, which no MMAction2 head is trained on, is cut off.

    Args:
        model (str | dict | Config): Config of the action detector: see :func:`mmtube.config.load_config` for what a
            string may be, e.g. ``mmtube.models.roi_heads.action_config.SLOWFAST_AVA``.
        checkpoint (str | None): Weights; see :func:`.action_config.resolve_checkpoint`. Defaults to None, those that
            are published for the name.
        label_map (str | list[str] | None): Class names; see :func:`.action_config.name_columns`. Defaults to None.
        stride_s (float): Seconds from one key time to the next, counted from 0. Defaults to 1.
        sample_fps (float): Frame rate that the model was trained at; AVA has 30. Defaults to 30.
        batch_size (int): Clips per forward pass. Defaults to 4.
        device (str): Where the model runs. Defaults to 'cpu'.

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
        sample_fps: float = 30.0,
        batch_size: int = 4,
        device: str = 'cpu',
    ) -> None:
        if stride_s <= 0 or sample_fps <= 0 or batch_size < 1:
            raise ValueError(f'{stride_s=}, {sample_fps=} and {batch_size=} must be positive')
        name = config_name(model)
        cfg = read_config(model)
        self._format = read_clip_format(cfg, name)
        file = resolve_checkpoint(model, checkpoint or cfg.get('model_path') or cfg.get('load_from'))
        self.stride_s = stride_s
        self.offsets_s = self._format.offsets_s(sample_fps)
        self.batch_size = batch_size
        self.device = usable_device(device)
        network = _build(cfg, name)
        meta = load_weights(network, file)
        head = network.roi_head.bbox_head
        self._first_column = int(head.background_class)
        self._columns = head.num_classes - self._first_column
        self._label_map = name_columns(cfg, head.num_classes, head.background_class, label_map, meta)
        self._network = network.eval().to(self.device)

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
        owners, keys, boxes_px = self._find_boxes(tubes, frame_size)
        width, height = self._format.resized(frame_size)
        boxes_px = boxes_px * np.tile(np.float32([width / frame_size[0], height / frame_size[1]]), 2)
        wanted, clip_of = np.unique(keys, return_inverse=True)

        def prepare(image: np.ndarray) -> np.ndarray:
            # MMAction2 decodes to RGB.
            return mmcv.imresize(image, (width, height), interpolation=self._format.interpolation)[..., ::-1]

        scores = np.zeros((len(keys), self._columns), np.float32)
        scored = np.zeros(len(keys), bool)
        batch: list[np.ndarray] = []
        first_clip = 0
        windows = iter_windows(frames, wanted * self.stride_s, self.offsets_s, prepare) if len(wanted) else ()
        for window in chain(windows, [None]):
            if window is not None:
                batch.append(window)
            if batch and (window is None or len(batch) == self.batch_size):
                # Rows are ordered by key, so those of a batch lie together.
                rows = slice(*np.searchsorted(clip_of, [first_clip, first_clip + len(batch)]))
                scores[rows] = self._forward(batch, boxes_px[rows], clip_of[rows] - first_clip)
                scored[rows] = True
                first_clip += len(batch)
                batch = []
        return [
            replace(tube, clip_times_s=keys[mine] * self.stride_s, clip_scores=scores[mine])
            for tube, mine in ((tube, scored & (owners == index)) for index, tube in enumerate(tubes))
        ]

    def _find_boxes(self, tubes: list[Tube], frame_size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rows (tube index, key index, box inside the frame), ordered by key, then by tube."""
        owners, keys, boxes_px = [np.zeros(0, int)], [np.zeros(0, int)], [np.zeros((0, 4), np.float32)]
        for index, tube in enumerate(tubes):
            if not len(tube):
                continue
            near = key_inds_near(tube, self.stride_s)
            boxes, known = boxes_at(tube, near * self.stride_s)
            boxes = clip_boxes(boxes, *frame_size)
            known &= box_areas(boxes) > 0
            owners.append(np.full(known.sum(), index))
            keys.append(near[known])
            boxes_px.append(boxes[known])
        order = np.argsort(np.concatenate(keys), kind='stable')
        return np.concatenate(owners)[order], np.concatenate(keys)[order], np.concatenate(boxes_px)[order]

    @torch.inference_mode()
    def _forward(self, clips: list[np.ndarray], boxes_px: np.ndarray, clip_inds: np.ndarray) -> np.ndarray:
        """Scores (N, C) of the boxes (N, 4) in resized pixels, ordered by the clip that each belongs to."""
        inputs = [torch.from_numpy(clip).permute(3, 0, 1, 2) for clip in clips]
        data = self._network.data_preprocessor({'inputs': inputs, 'data_samples': None}, False)
        features = self._network.extract_feat(data['inputs'])
        boxes = [torch.from_numpy(boxes_px[clip_inds == index]).to(self.device) for index in range(len(clips))]
        # AVARoIHead.predict insists on one clip; the step below it does not.
        found = self._network.roi_head.predict_bbox(
            features,
            [{'img_shape': clip.shape[1:3]} for clip in clips],
            [InstanceData(bboxes=rows) for rows in boxes],
            rcnn_test_cfg=None,
        )
        return torch.cat([result.scores for result in found])[:, self._first_column :].float().cpu().numpy()


def _build(cfg: Config, name: str) -> nn.Module:
    import mmaction.models  # registers the RoI heads with mmdet, which the registries do not do by themselves
    import mmdet.models  # noqa: F401

    with DefaultScope.overwrite_default_scope(cfg.get('default_scope') or 'mmaction'):
        try:
            network = ROOT_MODELS.build(cfg.model)
        except (KeyError, TypeError) as error:  # an unknown name, or a class that takes other arguments
            raise InputError(f'{name}: cannot be built ({error})') from error
    if not isinstance(getattr(network, 'roi_head', None), mmaction.models.AVARoIHead):
        raise InputError(f'{name}: is not the config of RoI action detection (no AVARoIHead)')
    return network
