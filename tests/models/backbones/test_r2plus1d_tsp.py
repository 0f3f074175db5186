"""The shape of TSP's backbone, and the way of released weights into it."""

import runpy
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from mmtube.errors import InputError
from mmtube.models.checkpoint import load_weights
from mmtube.registry import MODELS

CONVERTER = Path(__file__).parents[3] / 'tools/model_converters/tsp_to_mmtube.py'
BLOCKS, WIDTHS = (3, 4, 6, 3), (64, 128, 256, 512)


def norm(state, name, width):
    state[f'{name}.weight'], state[f'{name}.bias'] = torch.rand(width) + 0.5, torch.randn(width) * 0.1
    state[f'{name}.running_mean'], state[f'{name}.running_var'] = torch.randn(width) * 0.1, torch.rand(width) + 0.5
    state[f'{name}.num_batches_tracked'] = torch.tensor(7)


def released(prefix='features.'):
    """Tensors of a released file, by torchvision's names."""
    torch.manual_seed(0)
    state = {'stem.0.weight': torch.randn(45, 3, 1, 7, 7) * 0.1, 'stem.3.weight': torch.randn(64, 45, 3, 1, 1) * 0.1}
    norm(state, 'stem.1', 45)
    norm(state, 'stem.4', 64)
    inner = 64
    for layer, (count, width) in enumerate(zip(BLOCKS, WIDTHS), 1):
        for block in range(count):
            name = f'layer{layer}.{block}'
            for conv, into in (('conv1', inner), ('conv2', width)):
                middle = 27 * into * width // (9 * into + 3 * width)
                state[f'{name}.{conv}.0.0.weight'] = torch.randn(middle, into, 1, 3, 3) * (2 / 9 / into) ** 0.5
                norm(state, f'{name}.{conv}.0.1', middle)
                state[f'{name}.{conv}.0.3.weight'] = torch.randn(width, middle, 3, 1, 1) * (2 / 3 / middle) ** 0.5
                norm(state, f'{name}.{conv}.1', width)
            if inner != width:
                state[f'{name}.downsample.0.weight'] = torch.randn(width, inner, 1, 1, 1) * inner**-0.5
                norm(state, f'{name}.downsample.1', width)
            inner = width
    state['fc1.weight'] = torch.zeros(200, 512)
    return {(name if name.startswith('fc') else prefix + name): tensor for name, tensor in state.items()}


def reference(state, x):
    """The network as TSP describes it, straight from the released tensors."""

    def bn(x, name):
        columns = (state[f'{name}.{column}'] for column in ('running_mean', 'running_var', 'weight', 'bias'))
        return F.batch_norm(x, *columns, eps=1e-3)

    x = bn(F.conv3d(x, state['stem.0.weight'], stride=(1, 2, 2), padding=(0, 3, 3)), 'stem.1').relu()
    x = bn(F.conv3d(x, state['stem.3.weight'], padding=(1, 0, 0)), 'stem.4').relu()
    for layer, count in enumerate(BLOCKS, 1):
        for block in range(count):
            name, out = f'layer{layer}.{block}', x
            for conv in ('conv1', 'conv2'):
                step = 2 if conv == 'conv1' and layer > 1 and block == 0 else 1
                spatial = F.conv3d(out, state[f'{name}.{conv}.0.0.weight'], stride=(1, step, step), padding=(0, 1, 1))
                spatial = bn(spatial, f'{name}.{conv}.0.1').relu()
                out = F.conv3d(spatial, state[f'{name}.{conv}.0.3.weight'], stride=(step, 1, 1), padding=(1, 0, 0))
                out = bn(out, f'{name}.{conv}.1')
                out = out.relu() if conv == 'conv1' else out
            if f'{name}.downsample.0.weight' in state:
                x = bn(F.conv3d(x, state[f'{name}.downsample.0.weight'], stride=2), f'{name}.downsample.1')
            x = (x + out).relu()
    return x


@pytest.fixture
def convert(tmp_path):
    """Convert tensors as the command does; returns the file."""

    def run(content):
        torch.save(content, tmp_path / 'released.pth')
        runpy.run_path(str(CONVERTER))['main']([str(tmp_path / 'released.pth'), str(tmp_path / 'out.pth')])
        return tmp_path / 'out.pth'

    return run


def test_converted_weights_compute_what_the_released_ones_do(convert):
    state = released()
    holder = nn.Module()
    holder.backbone = MODELS.build(dict(type='R2Plus1D34TSP'))
    holder.eval()
    load_weights(holder, str(convert(dict(model=state, epoch=5))))
    clip = torch.randn(1, 3, 16, 32, 32)
    with torch.inference_mode():
        found = holder.backbone(clip)
        expected = reference({name.removeprefix('features.'): tensor for name, tensor in state.items()}, clip)
    assert found.shape == (1, 512, 2, 2, 2) and expected.std() > 0.01
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3 * float(expected.abs().max()))


def test_weights_without_a_prefix_are_those_of_ig65m(convert):
    assert convert(released(prefix='')).exists()


def test_a_file_of_another_network_is_refused(convert):
    state = released()
    lacking = {name: tensor for name, tensor in state.items() if 'layer3.5' not in name}
    with pytest.raises(InputError, match=r'is no R\(2\+1\)D-34 \(\d+ tensors missing.*layer3.5'):
        convert(dict(model=lacking))
    narrow = {**state, 'features.stem.3.weight': torch.zeros(64, 83, 3, 1, 1)}
    with pytest.raises(InputError, match=r'conv1\.1\.conv\.weight is .*83'):
        convert(dict(model=narrow))
    with pytest.raises(InputError, match='neither tensors nor a model'):
        convert(dict(epoch=3))


def test_a_frozen_stem_does_not_learn():
    network = MODELS.build(dict(type='R2Plus1D34TSP', frozen_stages=0))
    network.train()
    assert not any(parameter.requires_grad for parameter in network.conv1.parameters())
    assert all(parameter.requires_grad for parameter in network.layer1.parameters())
    assert not network.conv1.training and network.layer1.training
