"""LC-PAN: a path aggregation network of depthwise separable convolutions with one more level on top."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule, DepthwiseSeparableConvModule
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmtube.registry import MODELS


@MODELS.register_module()
class LCPAN(BaseModule):
    """The neck of PP-PicoDet (2022 release).

    A top-down and a bottom-up pass over maps of equal width; where two maps meet, the resampled one comes first. The
    level on top is the sum of the reduced coarsest input and the coarsest output, both downsampled once more.

    Args:
        in_channels (Sequence[int]): Channels of the inputs, finest first.
        out_channels (int): Channels of every output. Defaults to 96.
        kernel_size (int): Side of the depthwise kernels. Defaults to 5.
        num_convs (int): Separable convolutions where two maps meet. Defaults to 2.
        init_cfg (dict | list[dict] | None): MMEngine initialisation. Defaults to None, PyTorch's own.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        out_channels: int = 96,
        kernel_size: int = 5,
        num_convs: int = 2,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        style = dict(norm_cfg=dict(type='BN', eps=1e-5), act_cfg=dict(type='HSwish'))

        def separable(channels: int, out: int, stride: int) -> nn.Module:
            return DepthwiseSeparableConvModule(channels, out, kernel_size, stride, kernel_size // 2, **style)

        def meeting() -> nn.Module:
            widths = [2 * out_channels] * num_convs + [out_channels]
            return nn.Sequential(*(separable(a, b, 1) for a, b in pairwise(widths)))

        steps = len(in_channels) - 1
        self.convs = nn.ModuleList(ConvModule(channels, out_channels, 1, **style) for channels in in_channels)
        self.top_down_blocks = nn.ModuleList(meeting() for _ in range(steps))
        self.downsamples = nn.ModuleList(separable(out_channels, out_channels, 2) for _ in range(steps))
        self.bottom_up_blocks = nn.ModuleList(meeting() for _ in range(steps))
        self.first_top_conv = separable(out_channels, out_channels, 2)
        self.second_top_conv = separable(out_channels, out_channels, 2)

    def forward(self, inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Return one map per input and one of twice the last stride, finest first.

        Args:
            inputs (Sequence[Tensor]): Maps (N, C_i, H_i, W_i), finest first.
        """
        reduced = [conv(x) for conv, x in zip(self.convs, inputs)]
        fine = [reduced[-1]]  # coarsest first while going down
        for block, lateral in zip(self.top_down_blocks, reduced[-2::-1]):
            up = F.interpolate(fine[-1], size=lateral.shape[-2:], mode='nearest')
            fine.append(block(torch.cat([up, lateral], 1)))
        outputs = [fine.pop()]
        for downsample, block in zip(self.downsamples, self.bottom_up_blocks):
            outputs.append(block(torch.cat([downsample(outputs[-1]), fine.pop()], 1)))
        outputs.append(self.first_top_conv(reduced[-1]) + self.second_top_conv(outputs[-1]))
        return tuple(outputs)
