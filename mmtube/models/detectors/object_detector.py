"""What people may have to do with in images, by any detector of mmdet that knows more than people."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from mmengine.config import Config

from mmtube.errors import InputError
from mmtube.models.checkpoint import URL_PREFIXES
from mmtube.models.published import fetch_published
from mmtube.registry import MODELS

from .image_detector import ImageDetector
from .person_detector import PERSON


@MODELS.register_module()
class ObjectDetector(ImageDetector):
    """Find the most confident objects with a detector of mmdet, or one built from mmdet's parts.

    An object is a box of any class that is not called 'person'; which class it is does not matter to the interaction
    blocks that look at it. As AlphAction does (Tang et al., 2020), the five best of an image are kept. Test pipeline,
    test settings and speed are as in :class:`~mmtube.models.detectors.PersonDetector`.

    Args:
        model (str | dict | Config): Config of the detector: see :func:`mmtube.config.load_config` for what a string
            may be.
        checkpoint (str | None): Weights, as in :func:`mmtube.models.checkpoint.load_weights`; what lies at an address
            is kept in the cache of ``torch.hub``. Defaults to None: those that the package publishes for the name,
            else ``load_from`` of the config.
        max_objects (int): Most boxes of an image. Defaults to 5.
        score_thr (float): Least score of a box, in place of the config's. Defaults to 0.05, which is low: there are to
            be five.
        nms_iou (float | None): IoU above which the weaker of two boxes goes. Defaults to None, the config's.
        device (str): Where the model runs. Defaults to 'cpu'.
        fp16 (bool): Run the network in half precision; needs a GPU. Defaults to False.

    Raises:
        MissingCheckpointError: If the weights are neither on this machine nor to be fetched, or none are named.
        InputError: If the config or the weights cannot be used or do not fit each other, all classes are people, or the
            device is not there.
        ValueError: If a number is out of range.

    Examples:
        >>> detector = ObjectDetector('mmdet::rtmdet/rtmdet_tiny_8xb32-300e_coco.py')
        >>> [(boxes_px, scores)] = detector([image])
        >>> boxes_px.shape, scores.shape
        ((5, 4), (5,))
    """

    def __init__(
        self,
        model: str | dict | Config,
        checkpoint: str | None = None,
        max_objects: int = 5,
        score_thr: float = 0.05,
        nms_iou: float | None = None,
        device: str = 'cpu',
        fp16: bool = False,
    ) -> None:
        if max_objects < 1:
            raise ValueError(f'max_objects must be at least 1, got {max_objects}')
        self.max_objects = max_objects
        super().__init__(model, checkpoint, score_thr, nms_iou, device, fp16)

    def __call__(self, images: Sequence[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
        """Find the objects in images; images that the pipeline brings to one shape share a forward pass.

        Args:
            images (Sequence[np.ndarray]): (H, W, 3) uint8 BGR, not necessarily of one size.

        Returns:
            list[tuple[np.ndarray, np.ndarray]]: Per image, (k, 4) float32 xyxy boxes in pixels of that image, half
            open, inside it and of positive area, k being ``max_objects`` or less; and (k,) float32 scores, falling.

        Raises:
            ValueError: If an image is not of that kind or is empty.
        """
        return [
            (boxes_px[: self.max_objects], scores[: self.max_objects]) for boxes_px, scores in super().__call__(images)
        ]

    def _weights_file(self, checkpoint: str) -> str:
        """Fetch published weights before anything is built, so that it is soon known if they cannot be had."""
        if not str(checkpoint).startswith(URL_PREFIXES):
            return checkpoint
        return str(fetch_published(checkpoint, 'the object detector', 'give it as checkpoint of the object detector'))

    def _choose(self, names: list[str], checkpoint: str) -> list[int]:
        labels = [label for label, name in enumerate(names) if name != PERSON]
        if not labels:
            raise InputError(f'{checkpoint}: knows nothing but people, objects need a detector of other classes too')
        return labels
