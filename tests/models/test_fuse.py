"""A model that was made faster says the same."""

import copy

import pytest
import torch
from mmcv.cnn import ConvModule
from mmengine.registry import DefaultScope
from torch import nn

from mmtube.models.fuse import fuse_batch_norms, speed_up
from mmtube.registry import MODELS


def shaken(model):
    """Give batch norms statistics and weights that change something."""
    torch.manual_seed(0)
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.running_mean.uniform_(-1, 1)
            module.running_var.uniform_(0.5, 2)
            module.weight.data.uniform_(0.5, 2)
            module.bias.data.uniform_(-1, 1)
    model.eval()
    return model


def resnet():
    return MODELS.build(
        dict(
            type='mmaction.ResNet3dSlowOnly',
            depth=18,
            pretrained=None,
            base_channels=4,
            lateral=False,
            conv1_kernel=(1, 7, 7),
            conv1_stride_t=1,
            pool1_stride_t=1,
            inflate=(0, 0, 1, 1),
        )
    )


def r2plus1d():
    config = dict(
        type='mmaction.ResNet2Plus1d',
        depth=18,
        pretrained=None,
        pretrained2d=False,
        norm_eval=False,
        conv_cfg=dict(type='Conv2plus1d'),
        norm_cfg=dict(type='BN3d', eps=1e-3),
        conv1_kernel=(3, 7, 7),
        conv1_stride_t=1,
        pool1_stride_t=1,
        inflate=(1, 1, 1, 1),
        base_channels=8,
        spatial_strides=(1, 2, 2, 2),
        temporal_strides=(1, 2, 2, 2),
    )
    with DefaultScope.overwrite_default_scope('mmaction'):
        return MODELS.build(config)


def batch_norms(model):
    return sum(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in model.modules())


@pytest.mark.parametrize('build', [resnet, r2plus1d])
def test_networks_of_mmaction2_lose_all_batch_norms_and_keep_their_values(build):
    model = shaken(build())
    clip = torch.randn(2, 3, 4, 32, 40)
    with torch.no_grad():
        expected = model(clip)
        count = batch_norms(model)
        fused = copy.deepcopy(model)
        assert fuse_batch_norms(fused) == count > 10 and batch_norms(fused) == 0
        torch.testing.assert_close(fused(clip), expected, rtol=1e-4, atol=1e-4 * float(expected.abs().max()))
        fast = speed_up(copy.deepcopy(model))
        assert batch_norms(fast) == 0 and not any(p.requires_grad for p in fast.parameters())
        torch.testing.assert_close(fast(clip), expected, rtol=1e-4, atol=1e-4 * float(expected.abs().max()))


def test_a_worked_case_of_one_channel():
    conv, norm = nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1, eps=0)
    model = nn.Sequential(conv, norm).eval()
    for parameter, value in ((conv.weight, 2), (conv.bias, 1), (norm.weight, 3), (norm.bias, 5)):
        nn.init.constant_(parameter, value)
    norm.running_mean.fill_(7)
    norm.running_var.fill_(4)
    assert fuse_batch_norms(model) == 1
    # (2 x + 1 - 7) * 3 / 2 + 5 = 3 x - 4
    assert model[0].weight.item() == 3 and model[0].bias.item() == -4
    assert model(torch.full((1, 1, 1, 1), 2.0)).item() == 2


def test_what_is_no_pair_is_left_alone():
    before = ConvModule(2, 2, 3, norm_cfg=dict(type='BN'), order=('norm', 'conv', 'act'))
    without = nn.BatchNorm2d(2, track_running_stats=False)
    model = shaken(nn.Sequential(before)).eval()
    assert fuse_batch_norms(model) == 0
    others = nn.Sequential(nn.Conv2d(2, 2, 1), nn.ReLU(), nn.BatchNorm2d(2), nn.Conv2d(2, 2, 1), without).eval()
    assert fuse_batch_norms(others) == 0


def test_a_model_in_training_is_refused():
    with pytest.raises(ValueError, match='training mode'):
        fuse_batch_norms(resnet())


def test_padding_by_reflection_and_other_types_go_their_own_way():
    conv = nn.Conv3d(2, 3, 3, padding=1, padding_mode='circular')
    clip = torch.randn(1, 2, 4, 5, 6)
    with torch.no_grad():
        expected = conv(clip)
        fast = speed_up(nn.Sequential(copy.deepcopy(conv)))
        torch.testing.assert_close(fast(clip), expected)
        double = speed_up(nn.Sequential(nn.Conv3d(2, 3, 1))).double()
        assert double(clip.double()).dtype == torch.float64


def test_a_convolution_that_changes_its_weights_keeps_its_norm():
    torch.manual_seed(0)
    model = ConvModule(3, 4, 3, conv_cfg=dict(type='ConvAWS'), norm_cfg=dict(type='BN')).eval()
    nn.init.uniform_(model.norm.running_var, 0.5, 2)
    inputs = torch.randn(1, 3, 8, 8)
    with torch.inference_mode():
        expected = model(inputs)
        assert fuse_batch_norms(model) == 0
        torch.testing.assert_close(model(inputs), expected)
