"""People in images, by any detector of mmdet."""

from __future__ import annotations

import torch
from mmengine.config import Config

from mmtube.errors import InputError
from mmtube.registry import MODELS

from .class_rows import keep_class
from .image_detector import ImageDetector, class_names

PERSON = 'person'


@MODELS.register_module()
class PersonDetector(ImageDetector):
    """Find people with a detector of mmdet, or one built from mmdet's parts.

    The config's own test pipeline and test settings are used, but for the score threshold. Batch norms are merged into
    the convolutions before them and weights lie channels last: faster, and the same result to float tolerance.
    Where the weights know many classes and the config one, as for published weights and a config of ``configs/person``,
    the rows of the class person are taken.

    Args:
        model (str | dict | Config): Config of the detector: see :func:`mmtube.config.load_config` for what a string
            may be.
        checkpoint (str | None): Weights, as in :func:`mmtube.models.checkpoint.load_weights`. Defaults to None: those
            that the package publishes for the name, else ``load_from`` of the config.
        score_thr (float): Least score of a box, in place of the config's. Defaults to 0.3.
        nms_iou (float | None): IoU above which the weaker of two boxes goes. Defaults to None, the config's.
        device (str): Where the model runs. Defaults to 'cpu'.
        fp16 (bool): Run the network in half precision; needs a GPU. Defaults to False.

    Raises:
        InputError: If the config or the weights cannot be had or do not fit each other, no class is called 'person',
            or the device is not there.

    Examples:
        >>> detector = PersonDetector('mmtube::person/picodet_s_coco_person.py')
        >>> [(boxes_px, scores)] = detector([np.full((240, 426, 3), 128, np.uint8)])
        >>> boxes_px.shape, scores.shape
        ((0, 4), (0,))
    """

    def __init__(
        self,
        model: str | dict | Config,
        checkpoint: str | None = None,
        score_thr: float = 0.3,
        nms_iou: float | None = None,
        device: str = 'cpu',
        fp16: bool = False,
    ) -> None:
        super().__init__(model, checkpoint, score_thr, nms_iou, device, fp16)

    def _prepare_weights(self, checkpoint: dict, own: dict[str, torch.Tensor]) -> None:
        """Cut weights of many classes to the class person where the model has no room for the others."""
        meta = checkpoint['meta']
        names = class_names(meta.get('dataset_meta')) or class_names(meta) or []
        if len(names) < 2 or PERSON not in names:
            return
        if keep_class(checkpoint['state_dict'], own, names.index(PERSON), len(names)):
            checkpoint['meta'] = {**meta, 'dataset_meta': dict(classes=(PERSON,))}

    def _choose(self, names: list[str], checkpoint: str) -> list[int]:
        if PERSON not in names:
            raise InputError(f'{checkpoint}: none of its {len(names)} classes is called {PERSON!r}')
        return [names.index(PERSON)]
