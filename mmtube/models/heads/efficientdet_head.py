"""The detection head of EfficientDet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch.nn.functional as F
from mmcv.cnn import build_norm_layer
from mmdet.models.dense_heads import AnchorHead
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmtube.models.layers import SeparableConv
from mmtube.models.necks.bifpn import INIT_CFG, NORM_CFG
from mmtube.registry import MODELS


class SharedTower(BaseModule):
    """Separable convolutions that all levels share, with norms that each level has for itself, and an output layer.

    Args:
        channels (int): Channels of the maps.
        out_channels (int): Channels of the output.
        num_convs (int): Convolutions before the output layer.
        num_levels (int): Number of levels.
        norm_cfg (dict): Config of the norms.
        out_prob (float): Probability whose logit is the bias of the output layer at first. Defaults to 0.5.
    """

    def __init__(
        self,
        channels: int,
        out_channels: int,
        num_convs: int,
        num_levels: int,
        norm_cfg: dict,
        out_prob: float = 0.5,
    ) -> None:
        last = {**INIT_CFG, 'name': 'out', 'bias_prob': out_prob}
        super().__init__({**INIT_CFG, 'override': last})
        self.convs = nn.ModuleList(SeparableConv(channels, channels) for _ in range(num_convs))
        self.norms = nn.ModuleList(
            nn.ModuleList(build_norm_layer(norm_cfg, channels)[1] for _ in range(num_convs)) for _ in range(num_levels)
        )
        self.out = SeparableConv(channels, out_channels)

    def forward(self, x: Tensor, level: int) -> Tensor:
        """Map (N, C, H, W) of a level to (N, out, H, W)."""
        for conv, norm in zip(self.convs, self.norms[level]):
            x = F.silu(norm(conv(x)))
        return self.out(x)


@MODELS.register_module()
class EfficientDetHead(AnchorHead):
    """RetinaNet's head of separable convolutions (EfficientDet, https://arxiv.org/abs/1911.09070, Sec. 4.1).

    The convolutions are shared by the levels, the batch norms are not. Losses, targets and decoding are those of
    mmdet's ``AnchorHead``.

    Args:
        num_classes (int): Number of classes.
        in_channels (int): Channels of every input map, and of the towers.
        stacked_convs (int): Convolutions of a tower before its output layer. Defaults to 3, D0 to D2.
        norm_cfg (dict): Config of the norm layers. Defaults to batch norm as in the authors' code.
        init_cfg (dict | list[dict] | None): MMEngine initialisation. Defaults to None: that of the towers, a variance
            of 1 / fan in and a class bias for a probability of 0.01.
        **kwargs: As of ``AnchorHead``: ``anchor_generator``, ``bbox_coder``, ``loss_cls``, ``loss_bbox``,
            ``train_cfg``, ``test_cfg``.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        stacked_convs: int = 3,
        norm_cfg: dict = NORM_CFG,  # never changed
        init_cfg: dict | list[dict] | None = None,
        **kwargs: Any,
    ) -> None:
        self.stacked_convs = stacked_convs
        self.norm_cfg = norm_cfg
        super().__init__(num_classes, in_channels, init_cfg=init_cfg, **kwargs)

    def _init_layers(self) -> None:
        levels, anchors = len(self.prior_generator.strides), self.num_base_priors
        shape = (self.stacked_convs, levels, self.norm_cfg)
        self.cls_tower = SharedTower(self.in_channels, anchors * self.cls_out_channels, *shape, out_prob=0.01)
        self.reg_tower = SharedTower(self.in_channels, anchors * self.bbox_coder.encode_size, *shape)

    def forward(self, x: Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """Return score logits (N, A K, H_i, W_i) and box deltas (N, 4 A, H_i, W_i), a map per level.

        Args:
            x (Sequence[Tensor]): Maps (N, C, H_i, W_i), finest first, one per stride.
        """
        scores = [self.cls_tower(feature, level) for level, feature in enumerate(x)]
        return scores, [self.reg_tower(feature, level) for level, feature in enumerate(x)]
