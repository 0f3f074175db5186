"""A 2D backbone on frames, 3D blocks on its maps."""

import pytest
import torch
from torch import nn

from mmtube.errors import InputError
from mmtube.models.backbones import FramesThenTime
from mmtube.registry import MODELS

FRAMES = dict(type='PPLCNet', scale=0.25, out_stages=(4,))


def network(**changes):
    torch.manual_seed(0)
    made = FramesThenTime(**{'frames': FRAMES, 'in_channels': 32, 'channels': (8, 12), **changes})
    for module in made.modules():
        if isinstance(module, (nn.BatchNorm2d, nn.BatchNorm3d)):
            nn.init.uniform_(module.running_mean, -0.1, 0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    return made


def test_frames_are_looked_at_one_by_one_and_in_their_order():
    made = network(channels=(), temporal_strides=()).eval()  # nothing behind the frames
    clips = torch.randn(2, 3, 5, 32, 48)
    with torch.inference_mode():
        maps = made(clips)
        assert maps.shape == (2, 32, 5, 4, 6)
        for clip in range(2):
            for time in range(5):
                alone = made.frames(clips[clip : clip + 1, :, time])[0]
                torch.testing.assert_close(maps[clip, :, time], alone[0], atol=1e-5, rtol=1e-5)


def test_time_is_halved_and_mixed_and_clips_are_not():
    made = network().eval()
    clips = torch.randn(2, 3, 8, 32, 32)
    with torch.inference_mode():
        maps = made(clips)
        assert maps.shape == (2, 12, 4, 4, 4)
        changed = clips.clone()
        changed[0, :, 4] += 1
        moved = (made(changed) - maps).abs().amax((1, 3, 4))
    assert (moved[0] > 1e-6).sum() >= 2  # a frame is seen in several slices
    assert moved[1].max() == 0


def test_a_frozen_2d_backbone_keeps_weights_and_statistics_and_the_rest_learns():
    made = network().train()
    before = {name: tensor.clone() for name, tensor in made.frames.state_dict().items()}
    optimizer = torch.optim.SGD([weight for weight in made.parameters() if weight.requires_grad], lr=0.1)
    first = made.time[0].conv1.conv.weight.detach().clone()
    made(torch.randn(2, 3, 4, 32, 32)).square().mean().backward()
    optimizer.step()
    assert all(torch.equal(before[name], tensor) for name, tensor in made.frames.state_dict().items())
    assert not torch.equal(first, made.time[0].conv1.conv.weight)
    assert not made.frames.training and made.time.training


def test_without_freezing_frames_learn_too():
    made = network(frozen=False).train()
    made(torch.randn(2, 3, 4, 32, 32)).square().mean().backward()
    assert all(weight.grad is not None for weight in made.frames.parameters())


def test_weights_come_out_of_a_detector(tmp_path):
    torch.manual_seed(1)
    frames = MODELS.build(FRAMES)
    state = {f'backbone.{name}': tensor for name, tensor in frames.state_dict().items()}
    state |= {'neck.conv.weight': torch.zeros(1), 'bbox_head.conv.weight': torch.zeros(1)}
    torch.save(dict(state_dict=state), tmp_path / 'detector.pth')
    made = network(pretrained=str(tmp_path / 'detector.pth'))
    made.init_weights()
    assert all(torch.equal(tensor, frames.state_dict()[name]) for name, tensor in made.frames.state_dict().items())

    del state['backbone.conv1.conv.weight']
    torch.save(dict(state_dict=state), tmp_path / 'part.pth')
    with pytest.raises(InputError, match=r'part\.pth'):
        network(pretrained=str(tmp_path / 'part.pth')).init_weights()


def test_the_detector_of_seal_mini_fits():
    made = FramesThenTime(dict(type='PPLCNet', out_stages=(4,)), 96, pretrained='mmtube://picodet_s_seal_mini.pth')
    before = made.frames.conv1.conv.weight.clone()
    made.init_weights()
    assert not torch.equal(before, made.frames.conv1.conv.weight)


def test_channels_and_strides_go_together():
    with pytest.raises(ValueError, match='differ in number'):
        network(channels=(8,), temporal_strides=(1, 2))
