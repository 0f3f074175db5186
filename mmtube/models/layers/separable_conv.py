"""Depthwise separable convolution as EfficientDet has it."""

from __future__ import annotations

from mmcv.cnn import build_norm_layer
from torch import Tensor, nn


class SeparableConv(nn.Module):
    """A depthwise 3x3 convolution without bias, then a pointwise one with bias and, if asked for, a norm.

    mmcv's ``DepthwiseSeparableConvModule`` gives both convolutions a bias or neither, and no bias before a norm.

    Args:
        in_channels (int): Channels in.
        out_channels (int): Channels out.
        norm_cfg (dict | None): Norm behind the pointwise convolution. Defaults to None.
    """

    def __init__(self, in_channels: int, out_channels: int, norm_cfg: dict | None = None) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(in_channels, in_channels, 3, padding=1, groups=in_channels, bias=False)
        self.pointwise = nn.Conv2d(in_channels, out_channels, 1)
        self.norm = build_norm_layer(norm_cfg, out_channels)[1] if norm_cfg else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C_in, H, W) to (N, C_out, H, W)."""
        return self.norm(self.pointwise(self.depthwise(x)))
