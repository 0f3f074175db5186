"""A network that scores the actions of people in clips."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mmengine.model import BaseModel
from torch import Tensor

from mmtube.registry import MODELS

from .clip_features import ClipFeatures
from .memory_pool import MemoryPool
from .tube_roi_head import TubeRoIHead

if TYPE_CHECKING:
    from mmaction.structures import ActionDataSample


@MODELS.register_module()
class ClipActionDetector(BaseModel):
    """Backbone over clips and a head over the people in them.

    Beside the modes of MMEngine it can be used in two parts, for a memory that needs the whole film:
    :meth:`extract_clips` looks at clips, :meth:`predict_clips` scores them without looking again.

    Args:
        backbone (dict): Of MMAction2 or ours; returns a map (N, C, T, h, w) or several.
        roi_head (dict): ``TubeRoIHead``.
        neck (dict | None): Between the two. Defaults to None.
        data_preprocessor (dict | None): Defaults to None, ``ClipPreprocessor``.
        init_cfg (dict | list | None): As MMEngine's. Defaults to None.
    """

    def __init__(
        self,
        backbone: dict,
        roi_head: dict,
        neck: dict | None = None,
        data_preprocessor: dict | None = None,
        init_cfg: dict | list | None = None,
    ) -> None:
        # Built here: MMEngine would look for the name in its own registry.
        super().__init__(MODELS.build(data_preprocessor or dict(type='ClipPreprocessor')), init_cfg)
        self.backbone = MODELS.build(backbone)
        self.neck = None if neck is None else MODELS.build(neck)
        self.roi_head: TubeRoIHead = MODELS.build(roi_head)

    def extract_feat(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """Return the maps (N, C_i, T_i, h, w) of (N, 3, T, H, W) normalised clips."""
        maps = self.backbone(inputs)
        if self.neck is not None:
            maps = self.neck(maps)
        return tuple(maps) if isinstance(maps, (list, tuple)) else (maps,)

    def forward(
        self,
        inputs: Tensor | ClipFeatures,
        data_samples: Sequence[ActionDataSample] | None = None,
        mode: str = 'tensor',
    ) -> dict[str, Tensor] | list[ActionDataSample] | tuple[Tensor, ...]:
        """Return losses, samples with ``pred_instances``, or maps.

        Args:
            inputs (Tensor | ClipFeatures): (N, 3, T, H, W) normalised clips; for ``'loss'`` also clips that were
                looked at before, with their labels.
            data_samples (Sequence[ActionDataSample] | None): Of ``PackSEALClip``. Defaults to None, for ``'tensor'``.
            mode (str): ``'loss'``, ``'predict'`` or ``'tensor'``. Defaults to 'tensor'.

        Raises:
            ValueError: If the mode is another.
        """
        if isinstance(inputs, ClipFeatures):
            if mode != 'loss':
                raise ValueError(f"features of clips are for the mode 'loss', got {mode!r}")
            return self.roi_head.loss_of(inputs)
        maps = self.extract_feat(inputs)
        if mode == 'tensor':
            return maps
        assert data_samples is not None
        if mode == 'loss':
            return self.roi_head.loss(maps, data_samples)
        if mode == 'predict':
            people = [sample.proposals for sample in data_samples]
            return self.roi_head.predict(self.roi_head.pool(maps, data_samples, people), data_samples)
        raise ValueError(f"mode must be 'loss', 'predict' or 'tensor', got {mode!r}")

    def extract_clips(
        self, data: dict, labelled: bool = False, with_objects: bool = False
    ) -> tuple[list[ClipFeatures], list[ActionDataSample]]:
        """Look at a batch of the data loader: what scoring needs of each clip, on the CPU, and the samples.

        Args:
            data (dict): The batch.
            labelled (bool): Whether to take the people to learn from, with their labels, and the objects in any case,
                so that heads of all kinds can learn from the same features. Defaults to False: all people.
            with_objects (bool): Whether to take the objects though no block asks for them. Defaults to False.
        """
        data = self.data_preprocessor(data, False)
        samples, maps = data['data_samples'], self.extract_feat(data['inputs'])
        if labelled:
            features = self.roi_head.pool_labelled(maps, samples, with_objects=True)
        else:
            features = self.roi_head.pool(maps, samples, [sample.proposals for sample in samples], with_objects)
        return features.split(), [sample.cpu() for sample in samples]

    def predict_clips(
        self, features: ClipFeatures, sample: ActionDataSample, memory: MemoryPool | None = None
    ) -> ActionDataSample:
        """Score one clip of :meth:`extract_clips`.

        Args:
            features (ClipFeatures): Of the clip.
            sample (ActionDataSample): The clip.
            memory (MemoryPool | None): What M blocks read. Defaults to None, the head's own.
        """
        device = next(self.parameters()).device
        return self.roi_head.predict(features.to(device), [sample], memory)[0].cpu()
