"""Frames one by one first, time afterwards."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmaction.models.backbones.resnet3d import BasicBlock3d
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmtube.registry import MODELS

from ..checkpoint import backbone_names, load_weights

CONV_CFG = dict(type='Conv3d')
NORM_CFG = dict(type='BN3d')


@MODELS.register_module()
class FramesThenTime(BaseModule):
    """A 2D backbone on every frame, then residual 3D blocks on its maps.

    The order of ECO (Zolfaghari et al., 2018) and of the top-heavy S3D (Xie et al., 2018): images teach what things
    look like, and only what is above the first stages has to learn motion from films. The 2D backbone may be that of a
    person detector and stay as it is, which leaves little to train.

    Args:
        frames (dict): The 2D backbone; its first map is taken.
        in_channels (int): Channels of that map.
        channels (Sequence[int]): Of the 3D blocks, of which there is one each. Defaults to (64, 96).
        temporal_strides (Sequence[int]): Of the 3D blocks. Defaults to (2, 1).
        frozen (bool): Whether the 2D backbone stays as it is, its batch norms too. Defaults to True.
        pretrained (str | None): Weights of the 2D backbone or of a detector that has it as ``backbone.``, an address or
            a file. Defaults to None.
        init_cfg (dict | list[dict] | None): As MMEngine's. Defaults to None.

    Raises:
        ValueError: If there are not as many strides as channels.
    """

    def __init__(
        self,
        frames: dict,
        in_channels: int,
        channels: Sequence[int] = (64, 96),
        temporal_strides: Sequence[int] = (2, 1),
        frozen: bool = True,
        pretrained: str | None = None,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if len(channels) != len(temporal_strides):
            raise ValueError(f'channels and temporal_strides differ in number: {channels} and {temporal_strides}')
        self.frames = MODELS.build(frames)
        self.frozen = frozen
        self.pretrained = pretrained
        blocks = []
        for width, stride in zip(channels, temporal_strides):
            shortcut = ConvModule(
                in_channels, width, 1, (stride, 1, 1), conv_cfg=CONV_CFG, norm_cfg=NORM_CFG, act_cfg=None
            )
            blocks.append(BasicBlock3d(in_channels, width, temporal_stride=stride, downsample=shortcut))
            in_channels = width
        self.time = nn.Sequential(*blocks)
        self.frames.requires_grad_(not frozen)
        self.train()

    def init_weights(self) -> None:
        """Initialise the 3D blocks and load the weights of the 2D backbone."""
        super().init_weights()
        if self.pretrained:
            # Left out: the rest of a detector, and stages of PPLCNet behind the map that is taken.
            load_weights(
                self.frames, self.pretrained, ignored=('neck.', 'bbox_head.', 'blocks'), prepare=backbone_names
            )

    def train(self, mode: bool = True) -> FramesThenTime:
        """Change the mode; a frozen 2D backbone stays in evaluation."""
        super().train(mode)
        if self.frozen:
            self.frames.eval()
        return self

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, 3, T, H, W) normalised clips to (N, C, T', h, w)."""
        number, _, length = x.shape[:3]
        maps = self.look(x.transpose(1, 2).flatten(0, 1))
        return self.over_time(maps.unflatten(0, (number, length)).transpose(1, 2))

    def look(self, images: Tensor) -> Tensor:
        """Map (N, 3, H, W) normalised images to (N, in_channels, h, w), each for itself."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            return self.frames(images.contiguous(memory_format=torch.channels_last))[0]

    def over_time(self, maps: Tensor) -> Tensor:
        """Map (N, in_channels, T, h, w), the maps of frames, to (N, C, T', h, w)."""
        return self.time(maps)
