"""Weights channels last change no result and no name."""

from types import SimpleNamespace

import torch
from torch import nn

from mmtube.engine.hooks import ChannelsLastHook


def test_weights_lie_channels_last_and_compute_the_same():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Conv2d(8, 8, 3, groups=8)).eval()
    x = torch.randn(2, 3, 16, 16)
    before, names = model(x), list(model.state_dict())
    ChannelsLastHook().before_run(SimpleNamespace(model=model))
    assert model[0].weight.is_contiguous(memory_format=torch.channels_last)
    after = model(x)
    assert after.is_contiguous(memory_format=torch.channels_last)  # maps follow the weights
    torch.testing.assert_close(after, before)
    assert list(model.state_dict()) == names


def test_weights_over_time_lie_channels_last_too():
    model = nn.Sequential(nn.Conv3d(3, 8, 3), nn.Conv3d(8, 8, (1, 3, 3)), nn.AvgPool3d(2)).eval()
    x = torch.randn(2, 3, 6, 16, 16)
    before = model(x)
    ChannelsLastHook().before_run(SimpleNamespace(model=model))
    assert model[1].weight.is_contiguous(memory_format=torch.channels_last_3d)
    torch.testing.assert_close(model(x), before)
