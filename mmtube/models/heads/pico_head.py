"""The detection head of PP-PicoDet's 2022 release."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule, DepthwiseSeparableConvModule
from mmdet.models.dense_heads import GFLHead
from mmengine.model import bias_init_with_prob
from torch import Tensor, nn

from mmtube.registry import MODELS


class PicoLevel(nn.Module):
    """One level of the head: a tower, then class, box distribution and alignment.

    Args:
        channels (int): Channels of the map.
        num_classes (int): Class scores per cell.
        num_distances (int): Box distribution logits per cell.
        num_convs (int): Separable convolutions of the tower.
        kernel_size (int): Side of their depthwise kernels, and of the alignment's.
        style (dict): Norm and activation of the convolutions.
    """

    def __init__(
        self, channels: int, num_classes: int, num_distances: int, num_convs: int, kernel_size: int, style: dict
    ) -> None:
        super().__init__()
        half = kernel_size // 2
        self.tower = nn.Sequential(
            *(
                DepthwiseSeparableConvModule(channels, channels, kernel_size, padding=half, **style)
                for _ in range(num_convs)
            )
        )
        self.attention_fc = nn.Conv2d(channels, channels, 1)
        self.attention_conv = ConvModule(channels, channels, 1, **style)
        self.align = nn.Sequential(
            ConvModule(channels, 1, kernel_size, padding=half, **style),
            ConvModule(1, 1, 1, norm_cfg=style['norm_cfg'], act_cfg=None),
        )
        self.cls = nn.Conv2d(channels, num_classes, 1)
        self.reg = nn.Conv2d(channels, num_distances, 1)
        nn.init.constant_(self.cls.bias, bias_init_with_prob(0.01))  # otherwise the class loss starts above 100

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map ``x`` (N, C, H, W) to score logits (N, K, H, W) and box distribution logits (N, D, H, W)."""
        tower = self.tower(x)
        weights = self.attention_fc(tower.mean((2, 3), keepdim=True)).sigmoid()
        attended = self.attention_conv(tower * weights)
        return joint_logit(self.cls(attended), self.align(tower)), self.reg(attended).float()


@MODELS.register_module()
class PicoHeadV2(GFLHead):
    """The head of PP-PicoDet (2022 release): a tower per level, nothing shared between levels.

    The score of a cell is the geometric mean of its class probability and its alignment. It is returned as a logit,
    so that loss, decoding and NMS are those of :class:`mmdet.models.GFLHead`, whose recipe (QFL, DFL, GIoU on ATSS
    assignment) suits fine-tuning; the published weights were trained with varifocal loss and task-aligned assignment.

    Args:
        num_classes (int): Number of classes.
        in_channels (int): Channels of every input map, and of the head.
        stacked_convs (int): Separable convolutions per tower. Defaults to 2.
        kernel_size (int): Side of the depthwise kernels. Defaults to 5.
        norm_cfg (dict): Config of the norm layers. Defaults to batch norm.
        act_cfg (dict): Config of the activation. Defaults to hard swish.
        reg_max (int): Largest distance to a side, in strides. Defaults to 7.
        init_cfg (dict | list[dict] | None): MMEngine initialisation. Defaults to None, PyTorch's own with a class bias
            for a probability of 0.01.
        **kwargs: As of ``GFLHead``: ``anchor_generator``, ``bbox_coder``, ``loss_cls``, ``loss_bbox``, ``loss_dfl``,
            ``train_cfg``, ``test_cfg``. The anchor generator needs ``center_offset=0.5``.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        stacked_convs: int = 2,
        kernel_size: int = 5,
        norm_cfg: dict = dict(type='BN', eps=1e-5),  # noqa: B006  never changed
        act_cfg: dict = dict(type='HSwish'),  # noqa: B006  never changed
        reg_max: int = 7,
        init_cfg: dict | list[dict] | None = None,
        **kwargs,
    ) -> None:
        self.kernel_size = kernel_size
        self.act_cfg = act_cfg
        # GFLHead's own init_cfg names a layer that this head does not have, so None is passed on.
        super().__init__(
            num_classes, in_channels, stacked_convs, norm_cfg=norm_cfg, reg_max=reg_max, init_cfg=init_cfg, **kwargs
        )

    def _init_layers(self) -> None:
        style = dict(norm_cfg=self.norm_cfg, act_cfg=self.act_cfg)
        distances = 4 * (self.reg_max + 1)
        self.levels = nn.ModuleList(
            PicoLevel(self.in_channels, self.cls_out_channels, distances, self.stacked_convs, self.kernel_size, style)
            for _ in self.prior_generator.strides
        )

    def forward(self, x: Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """Return score logits and box distribution logits, a map per level.

        Args:
            x (Sequence[Tensor]): Maps (N, C, H_i, W_i), finest first, one per stride.
        """
        scores, distances = zip(*(level(feature) for level, feature in zip(self.levels, x)))
        return list(scores), list(distances)


def joint_logit(class_logit: Tensor, align_logit: Tensor) -> Tensor:
    """Logit of sqrt(sigmoid(class) * sigmoid(align)), in float32.

    Args:
        class_logit (Tensor): (N, K, H, W).
        align_logit (Tensor): (N, 1, H, W).

    Returns:
        Tensor: (N, K, H, W) float32, at most 13.8 (the logarithm of the score is kept below -1e-6).
    """
    log_score = 0.5 * (F.logsigmoid(class_logit.float()) + F.logsigmoid(align_logit.float()))
    log_score = log_score.clamp(max=-1e-6)
    return log_score - torch.log(-torch.expm1(log_score))
