"""PP-LCNet: depthwise separable convolutions, no residuals, squeeze and excitation only at the end."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmtube.registry import MODELS

# (channels at scale 1, kernel, stride, squeeze and excitation) of every block; a stage per row.
STAGES = (
    ((32, 3, 1, False),),
    ((64, 3, 2, False), (64, 3, 1, False)),
    ((128, 3, 2, False), (128, 3, 1, False)),
    ((256, 3, 2, False),) + ((256, 5, 1, False),) * 5,
    ((512, 5, 2, True), (512, 5, 1, True)),
)
FIRST_STAGE = 2  # upstream counts the stem as stage 1
STEM_CHANNELS = 16
NORM_CFG = dict(type='BN', eps=1e-5)
ACT_CFG = dict(type='HSwish')


class SqueezeExcitation(nn.Module):
    """Channel weights from the mean of the map, squashed by a hard sigmoid.

    Args:
        channels (int): Channels in and out.
        ratio (int): Channels over hidden channels. Defaults to 4.
    """

    def __init__(self, channels: int, ratio: int = 4) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels // ratio, 1)
        self.conv2 = nn.Conv2d(channels // ratio, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Weigh the channels of ``x`` (N, C, H, W)."""
        hidden = F.relu(self.conv1(x.mean((2, 3), keepdim=True)))
        return x * F.hardsigmoid(self.conv2(hidden))


class LCBlock(nn.Module):
    """Depthwise convolution, squeeze and excitation if asked for, pointwise convolution.

    Args:
        in_channels (int): Channels in.
        out_channels (int): Channels out.
        kernel_size (int): Side of the depthwise kernel.
        stride (int): Stride of the depthwise convolution.
        use_se (bool): Whether squeeze and excitation sits between the two.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, stride: int, use_se: bool) -> None:
        super().__init__()
        self.dw_conv = ConvModule(
            in_channels,
            in_channels,
            kernel_size,
            stride,
            kernel_size // 2,
            groups=in_channels,
            norm_cfg=NORM_CFG,
            act_cfg=ACT_CFG,
        )
        self.se = SqueezeExcitation(in_channels) if use_se else nn.Identity()
        self.pw_conv = ConvModule(in_channels, out_channels, 1, norm_cfg=NORM_CFG, act_cfg=ACT_CFG)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``x`` (N, C_in, H, W) to (N, C_out, ceil(H / stride), ceil(W / stride))."""
        return self.pw_conv(self.se(self.dw_conv(x)))


@MODELS.register_module()
class PPLCNet(BaseModule):
    """The backbone of PP-PicoDet.

    PP-LCNet (https://arxiv.org/abs/2109.15099, Table 1) in the form that the 2022 release of PP-PicoDet uses: without
    the pooling and the classifier at its end. Neither mmdet nor mmcv has it.

    Args:
        scale (float): Width factor; channels become multiples of 8. Defaults to 0.75, which is PicoDet-S.
        out_stages (Sequence[int]): Stages whose last map is returned, from 2 (stride 2) to 6 (stride 32). Defaults to
            (4, 5, 6), strides 8, 16 and 32.
        init_cfg (dict | list[dict] | None): MMEngine initialisation. Defaults to None, PyTorch's own.

    Raises:
        ValueError: If a stage does not exist.
    """

    def __init__(
        self, scale: float = 0.75, out_stages: Sequence[int] = (4, 5, 6), init_cfg: dict | list[dict] | None = None
    ) -> None:
        super().__init__(init_cfg)
        names = range(FIRST_STAGE, FIRST_STAGE + len(STAGES))
        if not out_stages or not set(out_stages) <= set(names):
            raise ValueError(f'out_stages must lie in {list(names)}, got {out_stages}')
        self.out_stages = tuple(out_stages)
        channels = _scaled(STEM_CHANNELS, scale)
        self.conv1 = ConvModule(3, channels, 3, 2, 1, norm_cfg=NORM_CFG, act_cfg=ACT_CFG)
        self.stages = range(FIRST_STAGE, max(out_stages) + 1)  # stages behind the last map asked for are not built
        for stage, rows in zip(self.stages, STAGES):
            blocks = []
            for width, kernel_size, stride, use_se in rows:
                blocks.append(LCBlock(channels, _scaled(width, scale), kernel_size, stride, use_se))
                channels = _scaled(width, scale)
            self.add_module(f'blocks{stage}', nn.Sequential(*blocks))

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Return the maps of ``out_stages`` for images (N, 3, H, W)."""
        x = self.conv1(x)
        maps = []
        for stage in self.stages:
            x = getattr(self, f'blocks{stage}')(x)
            if stage in self.out_stages:
                maps.append(x)
        return tuple(maps)


def _scaled(channels: int, scale: float) -> int:
    """``channels * scale`` to the nearest multiple of 8, halves up."""
    return max(8, int(channels * scale + 4) // 8 * 8)
