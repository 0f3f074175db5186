"""Boxes of some classes in images, by any detector of mmdet."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.model import revert_sync_batchnorm
from mmengine.registry import DATASETS, DefaultScope
from mmengine.registry import MODELS as ROOT_MODELS

from mmtube.config import load_config
from mmtube.errors import InputError, MissingCheckpointError
from mmtube.models.checkpoint import load_weights
from mmtube.models.device import usable_device
from mmtube.models.fuse import fuse_batch_norms


class ImageDetector(ABC):
    """A detector of mmdet, or one built from mmdet's parts, of whose boxes some classes are kept.

    The config's own test pipeline and test settings are used, but for the score threshold. Batch norms are merged into
    the convolutions before them and weights lie channels last: faster, and the same result to float tolerance.

    Args:
        model (str | dict | Config): Config of the detector: see :func:`mmtube.config.load_config` for what a string
            may be.
        checkpoint (str | None): Weights, as in :func:`mmtube.models.checkpoint.load_weights`. None takes those that
            the package publishes for the name, else ``load_from`` of the config.
        score_thr (float): Least score of a box, in place of the config's.
        nms_iou (float | None): IoU above which the weaker of two boxes goes; None leaves the config's.
        device (str): Where the model runs.
        fp16 (bool): Run the network in half precision; needs a GPU.

    Raises:
        InputError: If the config or the weights cannot be had or do not fit each other, no class is to be kept, or the
            device is not there.
    """

    def __init__(
        self,
        model: str | dict | Config,
        checkpoint: str | None,
        score_thr: float,
        nms_iou: float | None,
        device: str,
        fp16: bool,
    ) -> None:
        if not 0 <= score_thr < 1:
            raise ValueError(f'score_thr must lie in [0, 1), got {score_thr}')
        if nms_iou is not None and not 0 < nms_iou <= 1:
            raise ValueError(f'nms_iou must lie in (0, 1], got {nms_iou}')
        cfg = load_config(model) if isinstance(model, str) else Config(copy.deepcopy(dict(model)))
        name = model if isinstance(model, str) else getattr(model, 'filename', None) or 'the detector'
        checkpoint = checkpoint or cfg.get('model_path') or cfg.get('load_from')
        if checkpoint is None:
            raise MissingCheckpointError(f'{name}: no checkpoint was given and the config names none')
        if 'model' not in cfg:
            raise InputError(f'{name}: is not the config of a detector (no model)')
        self.score_thr = score_thr
        self.device = usable_device(device)
        self.fp16 = fp16
        if fp16 and self.device.type != 'cuda':
            raise InputError(f'fp16 needs a GPU, the device is {device}')
        checkpoint = self._weights_file(checkpoint)
        _set_thresholds(cfg.model, score_thr, nms_iou, name)
        self._scope = cfg.get('default_scope') or 'mmdet'
        with DefaultScope.overwrite_default_scope(self._scope):
            try:
                network = ROOT_MODELS.build(cfg.model)
            except (KeyError, TypeError) as error:  # an unknown name, or a class that takes other arguments
                raise InputError(f'{name}: cannot be built ({" ".join(str(error).split())})') from error
            meta = load_weights(network, checkpoint, prepare=self._prepare_weights)
            self._labels = self._choose(_known_classes(meta, cfg, checkpoint), checkpoint)
            self._pipeline = Compose([step for step in _test_pipeline(cfg, name) if not _reads_files(step)])
        network = revert_sync_batchnorm(network).eval()
        fuse_batch_norms(network)
        self._network = network.to(self.device, memory_format=torch.channels_last)

    def _weights_file(self, checkpoint: str) -> str:
        """What to load for a checkpoint that was given or that the config names."""
        return checkpoint

    def _prepare_weights(self, checkpoint: dict, own: dict[str, torch.Tensor]) -> None:  # noqa: B027
        """Change a checkpoint before it is compared with the model's tensors."""

    @abstractmethod
    def _choose(self, names: list[str], checkpoint: str) -> list[int]:
        """Return the labels to keep of the classes of a checkpoint, or raise an InputError."""

    def __call__(self, images: Sequence[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
        """Find the classes in images; images that the pipeline brings to one shape share a forward pass.

        Args:
            images (Sequence[np.ndarray]): (H, W, 3) uint8 BGR, not necessarily of one size.

        Returns:
            list[tuple[np.ndarray, np.ndarray]]: Per image, (N, 4) float32 xyxy boxes in pixels of that image, half
            open, inside it and of positive area; and (N,) float32 scores, falling.

        Raises:
            ValueError: If an image is not of that kind or is empty.
        """
        with DefaultScope.overwrite_default_scope(self._scope):
            packed = [self._pipeline(_as_result(image)) for image in images]
        batches = defaultdict(list)
        for index, result in enumerate(packed):
            batches[tuple(result['inputs'].shape)].append(index)
        found: list = [None] * len(packed)
        for indices in batches.values():
            batch = {key: [packed[index][key] for index in indices] for key in ('inputs', 'data_samples')}
            for index, sample in zip(indices, self._forward(batch)):
                found[index] = self._kept(sample.pred_instances, images[index].shape)
        return found

    @torch.inference_mode()
    def _forward(self, batch: dict) -> list:
        with torch.autocast(self.device.type, enabled=self.fp16):
            return self._network.test_step(batch)

    def _kept(self, instances, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
        height, width = shape[:2]
        boxes_px = instances.bboxes.float().cpu().numpy().reshape(-1, 4).clip(0, [width, height, width, height])
        boxes_px = boxes_px.astype(np.float32)
        scores = instances.scores.float().cpu().numpy()
        keep = np.isin(instances.labels.cpu().numpy(), self._labels) & (scores >= self.score_thr)
        keep &= (boxes_px[:, 2:] > boxes_px[:, :2]).all(axis=1)
        order = np.flatnonzero(keep)[np.argsort(-scores[keep], kind='stable')]
        return boxes_px[order], scores[order]


def _as_result(image: np.ndarray) -> dict:
    """What mmdet's image loader would hand to the rest of the pipeline."""
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise ValueError(f'an image must be (H, W, 3) uint8 and not empty, got {image.shape} {image.dtype}')
    return dict(img=image, img_shape=image.shape[:2], ori_shape=image.shape[:2], img_id=0, img_path=None)


def _reads_files(step: dict) -> bool:
    return step['type'].rpartition('.')[2].startswith('Load')


def _test_dataset(cfg: Config) -> dict:
    """Config of the innermost test data set, empty where there is none."""
    dataset = (cfg.get('test_dataloader') or {}).get('dataset') or {}
    while 'pipeline' not in dataset and dataset.get('dataset', dataset.get('datasets')):
        inner = dataset.get('dataset', dataset.get('datasets'))
        dataset = inner[0] if isinstance(inner, (list, tuple)) else inner
    return dataset


def _test_pipeline(cfg: Config, name: str) -> list[dict]:
    steps = _test_dataset(cfg).get('pipeline') or cfg.get('test_pipeline')
    if not steps:
        raise InputError(f'{name}: the config has no test pipeline')
    return steps


def _set_thresholds(model: dict, score_thr: float, nms_iou: float | None, name: str) -> None:
    """Write the thresholds where mmdet reads them: below ``rcnn`` for two stages, at the top for one."""
    settings = model.get('test_cfg') or {}
    settings = settings.get('rcnn', settings)
    if settings:
        settings['score_thr'] = score_thr
    if nms_iou is not None:
        if not settings.get('nms'):
            raise InputError(f'{name}: nms_iou was given, but the detector has no NMS')
        settings['nms']['iou_threshold'] = nms_iou


def class_names(known: dict | None) -> list[str] | None:
    """The class names in what a checkpoint or a data set tells of itself, None where there are none."""
    classes = next((value for key, value in (known or {}).items() if key.lower() == 'classes'), None)
    return [classes] if isinstance(classes, str) else None if classes is None else list(classes)


def _known_classes(meta: dict, cfg: Config, checkpoint: str) -> list[str]:
    """The names in the checkpoint or, where it has none, of the config's data set."""
    for known in _metainfos(meta, cfg):
        names = class_names(known)
        if names is not None:
            return names
    raise InputError(f'{checkpoint}: neither it nor the config names the classes')


def _metainfos(meta: dict, cfg: Config) -> Iterator[dict | None]:
    yield meta.get('dataset_meta')
    yield meta  # mmdet 2
    dataset = _test_dataset(cfg)
    yield dataset.get('metainfo')
    if 'type' in dataset:
        with DATASETS.switch_scope_and_registry(None) as registry:  # the default scope
            yield getattr(registry.get(dataset['type']), 'METAINFO', None)
