"""A network over clips that learns what happens and whether anything does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from mmengine.dist import all_reduce
from mmengine.model import BaseModel
from torch import Tensor, nn

from mmtube.registry import MODELS

if TYPE_CHECKING:
    from mmaction.structures import ActionDataSample

REGIONS = 2
NO_LABEL = -1
HEAD_STD = 0.01


@MODELS.register_module()
class TSPRecognizer(BaseModel):
    """Temporally sensitive pre-training (TSP, arXiv 2011.11479).

    A network that classifies trimmed actions gives the same features inside an action and beside it, which is of
    little use to who looks for its ends. TSP trains it on clips of untrimmed films with two linear classifiers on the
    mean over its map: the action of the clip, and its region, background (0) or foreground (1). That of regions also
    sees the film as a whole, by the maximum over the features of its clips, made beforehand by the network that
    training begins with. A clip of background has no action and does not count for the first classifier.

    What is kept of a training is the backbone: its tensors are named ``backbone.*``, so a checkpoint is read by
    ``TubeletExtractor`` as it is.

    Samples have ``gt_label`` (1,) int64 action or -1, ``gt_region`` (1,) int64 and, unless ``global_channels`` is 0,
    ``video_feature`` (D,) float32; ``UntrimmedClips`` and MMAction2's ``PackActionInputs`` make them. Predictions are
    ``pred_score`` (C,) and ``pred_region`` (2,), which sum to 1, and ``pred_label`` (1,).

    Args:
        backbone (dict): Of MMAction2 or ours; returns a map (N, in_channels, T, h, w) or features (N, in_channels).
        num_classes (int): Actions. Defaults to 200, ActivityNet's.
        in_channels (int): Of the backbone. Defaults to 512.
        global_channels (int): Length of the feature of a film; 0 for none: regions are then told by
            the clip alone. Defaults to 512.
        action_weight (float): Weight of the loss of actions. Defaults to 1.0.
        region_weight (float): Weight of the loss of regions. Defaults to 1.0.
        data_preprocessor (dict | None): Defaults to None, ``ClipPreprocessor``.
        init_cfg (dict | list | None): As MMEngine's. Defaults to None.

    Raises:
        ValueError: If a size is not positive or a weight is negative.
    """

    def __init__(
        self,
        backbone: dict,
        num_classes: int = 200,
        in_channels: int = 512,
        global_channels: int = 512,
        action_weight: float = 1.0,
        region_weight: float = 1.0,
        data_preprocessor: dict | None = None,
        init_cfg: dict | list | None = None,
    ) -> None:
        if num_classes < 1 or in_channels < 1 or global_channels < 0:
            raise ValueError(f'sizes must be positive: {num_classes=}, {in_channels=}, {global_channels=}')
        if action_weight < 0 or region_weight < 0:
            raise ValueError(f'weights must not be negative: {action_weight=}, {region_weight=}')
        # Built here: MMEngine would look for the name in its own registry.
        super().__init__(MODELS.build(data_preprocessor or dict(type='mmtube.ClipPreprocessor')), init_cfg)
        self.backbone = MODELS.build(backbone)
        self.action_head = nn.Linear(in_channels, num_classes)
        self.region_head = nn.Linear(in_channels + global_channels, REGIONS)
        self.global_channels = global_channels
        self.action_weight = action_weight
        self.region_weight = region_weight
        for head in (self.action_head, self.region_head):
            nn.init.normal_(head.weight, std=HEAD_STD)
            nn.init.zeros_(head.bias)

    def extract_feat(self, inputs: Tensor) -> Tensor:
        """Return (N, in_channels) features of (N, 3, T, H, W) normalised clips."""
        maps = self.backbone(inputs)
        maps = maps[-1] if isinstance(maps, (list, tuple)) else maps
        return maps.flatten(2).mean(2) if maps.dim() > 2 else maps

    def forward(
        self,
        inputs: Tensor,
        data_samples: Sequence[ActionDataSample] | None = None,
        mode: str = 'tensor',
    ) -> dict[str, Tensor] | list[ActionDataSample] | Tensor:
        """Return losses, samples with predictions, or the features of the clips.

        Args:
            inputs (Tensor): (N, 3, T, H, W) normalised clips.
            data_samples (Sequence[ActionDataSample] | None): Their labels and films. Defaults to None, for
                ``'tensor'``.
            mode (str): ``'loss'``, ``'predict'`` or ``'tensor'``. Defaults to 'tensor'.

        Raises:
            ValueError: If the mode is another, or samples have no feature of their film or one of another length.
        """
        if mode not in ('loss', 'predict', 'tensor'):
            raise ValueError(f"mode must be 'loss', 'predict' or 'tensor', got {mode!r}")
        features = self.extract_feat(inputs)
        if mode == 'tensor':
            return features
        assert data_samples is not None
        action, region = self.classify(features, data_samples)
        if mode == 'loss':
            return self.loss(action, region, data_samples)
        return self.predict(action, region, data_samples)

    def classify(self, features: Tensor, data_samples: Sequence[ActionDataSample]) -> tuple[Tensor, Tensor]:
        """Return logits of actions (N, num_classes) and of regions (N, 2).

        Args:
            features (Tensor): (N, in_channels) of the clips.
            data_samples (Sequence[ActionDataSample]): The clips.

        Raises:
            ValueError: If a sample has no feature of its film or one of another length.
        """
        context = features
        if self.global_channels:
            context = torch.cat([features, self._films(data_samples).to(features)], dim=1)
        return self.action_head(features), self.region_head(context)

    def _films(self, data_samples: Sequence[ActionDataSample]) -> Tensor:
        for sample in data_samples:
            shape = tuple(sample.video_feature.shape) if 'video_feature' in sample else None
            if shape != (self.global_channels,):
                told = 'have no video_feature' if shape is None else f'have a video_feature of shape {shape}'
                raise ValueError(f'the samples {told}, global_channels says {self.global_channels}')
        return torch.stack([sample.video_feature for sample in data_samples])

    def loss(self, action: Tensor, region: Tensor, data_samples: Sequence[ActionDataSample]) -> dict[str, Tensor]:
        """Return the losses, and the accuracies of the batch for the log.

        The loss of actions is the mean over the clips that have one, counted over all ranks; without any it is 0.

        Args:
            action (Tensor): (N, num_classes) logits.
            region (Tensor): (N, 2) logits.
            data_samples (Sequence[ActionDataSample]): The clips.
        """
        actions = torch.cat([sample.gt_label for sample in data_samples]).to(action.device)
        regions = torch.cat([sample.gt_region for sample in data_samples]).to(region.device)
        labelled = actions != NO_LABEL
        count = labelled.sum().float()
        all_reduce(count, 'mean')
        summed = F.cross_entropy(action.float(), actions, ignore_index=NO_LABEL, reduction='sum')
        found = {
            # The count is the mean over ranks, for gradients are: together they are those of all labelled clips.
            'loss_action': self.action_weight * summed / torch.where(count > 0, count, 1),
            'loss_region': self.region_weight * F.cross_entropy(region.float(), regions),
            'region_acc': (region.argmax(1) == regions).float().mean(),
        }
        if labelled.any():
            found['action_acc'] = (action.argmax(1) == actions)[labelled].float().mean()
        return found

    def predict(
        self, action: Tensor, region: Tensor, data_samples: Sequence[ActionDataSample]
    ) -> list[ActionDataSample]:
        """Return the samples with ``pred_score``, ``pred_label`` and ``pred_region``.

        Args:
            action (Tensor): (N, num_classes) logits.
            region (Tensor): (N, 2) logits.
            data_samples (Sequence[ActionDataSample]): The clips.
        """
        actions, regions = action.float().softmax(1), region.float().softmax(1)
        for sample, of_actions, of_regions in zip(data_samples, actions, regions):
            sample.set_pred_score(of_actions)
            sample.set_pred_label(of_actions.argmax(keepdim=True))
            sample.set_field(of_regions, 'pred_region')
        return list(data_samples)
