"""BiFPN: a feature pyramid whose maps are fused up and down, several times, by learned weights."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmcv.cnn import build_norm_layer
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmtube.models.layers import SeparableConv
from mmtube.registry import MODELS

NORM_CFG = dict(type='BN', eps=1e-3, momentum=0.01)
INIT_CFG = dict(type='Kaiming', layer='Conv2d', mode='fan_in', nonlinearity='linear')  # a variance of 1 / fan in


def halve(x: Tensor, edge: float = 0.0) -> Tensor:
    """Max pooling 3x3 with stride 2 and TensorFlow's padding: an even side is padded behind its end only.

    Args:
        x (Tensor): (N, C, H, W).
        edge (float): What lies beyond the edges. Defaults to 0.

    Returns:
        Tensor: (N, C, ceil(H / 2), ceil(W / 2)).

    Examples:
        >>> halve(torch.arange(4.0).reshape(1, 1, 1, 4)).tolist()
        [[[[2.0, 3.0]]]]
    """
    height, width = x.shape[-2:]
    x = F.pad(x, (width % 2, 1, height % 2, 1), value=edge)
    return F.max_pool2d(x, 3, 2)


def fuse(weights: Tensor, maps: Sequence[Tensor], epsilon: float) -> Tensor:
    """Fast normalised fusion (EfficientDet, Sec. 3.3): a mean with weights that are kept from being negative.

    Args:
        weights (Tensor): (M,) learned weights.
        maps (Sequence[Tensor]): M maps of one shape.
        epsilon (float): Added to the sum of the weights.
    """
    positive = F.relu(weights)
    shares = positive / (positive.sum() + epsilon)
    return sum(share * x for share, x in zip(shares, maps))


class BiFPNLayer(nn.Module):
    """One pass down and one up over the levels.

    Args:
        channels (int): Channels of all maps.
        num_levels (int): Number of levels.
        norm_cfg (dict): Norm behind each separable convolution.
        epsilon (float): As in :func:`fuse`.
        edge (float): As in :func:`halve`.
    """

    def __init__(self, channels: int, num_levels: int, norm_cfg: dict, epsilon: float, edge: float) -> None:
        super().__init__()
        self.epsilon = epsilon
        self.edge = edge
        steps = num_levels - 1
        self.down_convs = nn.ModuleList(SeparableConv(channels, channels, norm_cfg) for _ in range(steps))
        self.up_convs = nn.ModuleList(SeparableConv(channels, channels, norm_cfg) for _ in range(steps))
        # Going up, all levels but the coarsest have three inputs: its own, the one of the way down, the finer level.
        self.down_weights = nn.ParameterList(torch.ones(2) for _ in range(steps))
        self.up_weights = nn.ParameterList(torch.ones(3 if step < steps - 1 else 2) for step in range(steps))

    def forward(self, inputs: Sequence[Tensor], skips: Sequence[Tensor]) -> list[Tensor]:
        """Fuse.

        Args:
            inputs (Sequence[Tensor]): Maps (N, C, H_i, W_i), finest first, for the way down.
            skips (Sequence[Tensor]): Maps of the same shapes that enter on the way up; the first is not used.

        Returns:
            list[Tensor]: Maps of the same shapes.
        """
        down = [inputs[-1]]  # coarsest first
        for level in reversed(range(len(inputs) - 1)):
            larger = F.interpolate(down[-1], size=inputs[level].shape[-2:], mode='nearest')
            fused = fuse(self.down_weights[level], (inputs[level], larger), self.epsilon)
            down.append(self.down_convs[level](F.silu(fused)))
        down.reverse()
        outputs = [down[0]]
        for step, (weights, conv) in enumerate(zip(self.up_weights, self.up_convs)):
            level = step + 1
            own = (skips[level], down[level]) if len(weights) == 3 else (skips[level],)
            fused = fuse(weights, (*own, halve(outputs[-1], self.edge)), self.epsilon)
            outputs.append(conv(F.silu(fused)))
        return outputs


@MODELS.register_module()
class BiFPN(BaseModule):
    """The neck of EfficientDet (https://arxiv.org/abs/1911.09070, Sec. 3), which the mmdet wheel lacks.

    The levels behind the backbone's last are made by max pooling. In the first layer the backbone's maps, save the
    finest, enter the way up by projections of their own, as in the authors' code.

    Args:
        in_channels (Sequence[int]): Channels of the inputs, finest first, each half the size of the one before.
        out_channels (int): Channels of every output.
        num_layers (int): Fusion layers. Defaults to 3, D0.
        num_outs (int): Levels, more than inputs. Defaults to 5.
        epsilon (float): Added to the sum of the fusion weights. Defaults to 1e-4.
        edge (float): What max pooling sees beyond the edges of a map. Defaults to 0, which mmdet's published weights
            are trained with; TensorFlow has minus infinity.
        norm_cfg (dict): Config of the norm layers. Defaults to batch norm as in the authors' code.
        init_cfg (dict | list[dict] | None): MMEngine initialisation. Defaults to a variance of 1 / fan in.

    Raises:
        ValueError: If there are not more outputs than inputs.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        out_channels: int,
        num_layers: int = 3,
        num_outs: int = 5,
        epsilon: float = 1e-4,
        edge: float = 0.0,
        norm_cfg: dict = NORM_CFG,  # never changed
        init_cfg: dict | list[dict] | None = INIT_CFG,  # never changed
    ) -> None:
        super().__init__(init_cfg)
        if num_outs <= len(in_channels):
            raise ValueError(f'num_outs must exceed the {len(in_channels)} inputs, got {num_outs}')
        self.edge = edge
        self.num_outs = num_outs

        def project(channels: int) -> nn.Module:
            return nn.Sequential(nn.Conv2d(channels, out_channels, 1), build_norm_layer(norm_cfg, out_channels)[1])

        self.laterals = nn.ModuleList(project(channels) for channels in in_channels)
        self.skips = nn.ModuleList(project(channels) for channels in in_channels[1:])
        self.top = project(in_channels[-1])
        self.layers = nn.ModuleList(
            BiFPNLayer(out_channels, num_outs, norm_cfg, epsilon, edge) for _ in range(num_layers)
        )

    def forward(self, inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Return ``num_outs`` maps, finest first.

        Args:
            inputs (Sequence[Tensor]): Maps (N, C_i, H_i, W_i), finest first.
        """
        maps = [project(x) for project, x in zip(self.laterals, inputs)]
        added = [halve(self.top(inputs[-1]), self.edge)]
        while len(maps) + len(added) < self.num_outs:
            added.append(halve(added[-1], self.edge))
        skips = [maps[0], *(project(x) for project, x in zip(self.skips, inputs[1:])), *added]
        maps += added
        for layer in self.layers:
            maps = skips = layer(maps, skips)
        return tuple(maps)
