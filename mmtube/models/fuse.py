"""A network as fast as it can be where it is only looked at, not trained."""

from __future__ import annotations

from itertools import pairwise

import torch
from mmcv.cnn import ConvModule
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd
from torch.nn.utils.fusion import fuse_conv_bn_eval

# Where convolutions are defined that only convolve; a class of its own may do more, such as to scale its weights.
PLAIN_CONVS = ('torch.nn.modules.conv', 'mmcv.cnn.bricks.wrappers')
LAYOUTS = {4: torch.channels_last, 5: torch.channels_last_3d}


def fuse_batch_norms(model: nn.Module) -> int:
    """Fold batch norms into the convolutions before them, in place.

    A batch norm in testing multiplies and adds per channel, which the convolution can do itself: the values are the
    same up to rounding. Looked for are ``ConvModule`` of MMCV (which the networks of MMAction2 and mmdet are made of),
    the two convolutions of a ``Conv2plus1d`` of MMAction2, and batch norms that follow a convolution in an
    ``nn.Sequential``. A fused model must not be trained, and its weights have other names: load them before.

    Args:
        model (nn.Module): In testing mode.

    Returns:
        int: How many batch norms are gone.

    Raises:
        ValueError: If the model is in training mode.
    """
    if model.training:
        raise ValueError('a model in training mode cannot be fused')
    fused = 0
    for module in list(model.modules()):
        if isinstance(module, ConvModule):
            order = module.order
            if module.with_norm and order.index('norm') == order.index('conv') + 1:
                owner, name = _last_convolution(module, 'conv')
                fused += _fold(owner, name, module, module.norm_name)
        elif isinstance(module, nn.Sequential):
            names = list(module._modules)
            fused += sum(_fold(module, first, module, second) for first, second in pairwise(names))
        elif isinstance(getattr(module, 'bn_s', None), _BatchNorm) and hasattr(module, 'conv_s'):
            fused += _fold(module, 'conv_s', module, 'bn_s')
    return fused


def _last_convolution(owner: nn.Module, name: str) -> tuple[nn.Module, str]:
    """Where the convolution is whose output a ``ConvModule`` normalises."""
    conv = getattr(owner, name)
    return (conv, 'conv_t') if hasattr(conv, 'conv_t') else (owner, name)


def _fold(conv_owner: nn.Module, conv_name: str, norm_owner: nn.Module, norm_name: str) -> int:
    conv, norm = getattr(conv_owner, conv_name), getattr(norm_owner, norm_name)
    plain = isinstance(conv, _ConvNd) and type(conv).__module__ in PLAIN_CONVS and not conv.transposed
    # A norm without statistics is none in testing.
    if not plain or not isinstance(norm, _BatchNorm) or norm.running_mean is None:
        return 0
    setattr(conv_owner, conv_name, fuse_conv_bn_eval(conv, norm))
    setattr(norm_owner, norm_name, nn.Identity())
    return 1


class _OneDNNConv3d(nn.Conv3d):
    """A convolution over time and space by oneDNN, also where PyTorch would not take it.

    With one thread and fewer than 16 clips PyTorch sends convolutions of 1x1 cells, which three in four of a SlowFast
    are, to its own code, which copies its input and knows one layout only.
    """

    def forward(self, input: Tensor) -> Tensor:
        if input.device.type != 'cpu' or input.dtype != torch.float32 or self.padding_mode != 'zeros':
            return super().forward(input)
        return torch.mkldnn_convolution(
            input, self.weight, self.bias, self.padding, self.stride, self.dilation, self.groups
        )


def speed_up(model: nn.Module) -> nn.Module:
    """Make a model that is only looked at faster, in place; values stay the same up to rounding.

    Batch norms are folded into convolutions, weights are laid out channels last, which maps then follow, and on a CPU
    all convolutions over time go to oneDNN.

    Args:
        model (nn.Module): With its weights, on its device; put into testing mode.

    Returns:
        nn.Module: The same model.
    """
    model.eval()  # the networks of MMAction2 return nothing here
    fuse_batch_norms(model)
    onednn = torch.backends.mkldnn.is_available()
    for module in model.modules():
        if isinstance(module, _ConvNd) and module.weight.dim() in LAYOUTS:
            module.weight.data = module.weight.data.contiguous(memory_format=LAYOUTS[module.weight.dim()])
        if onednn and type(module) is nn.Conv3d and isinstance(module.padding, tuple):
            module.__class__ = _OneDNNConv3d
    return model.requires_grad_(False)
