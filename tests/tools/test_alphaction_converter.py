"""Weights under the names of AlphAction's modules come out under ours, each once, in the right shape."""

import importlib.util
import re
from pathlib import Path

import pytest
import torch
from mmengine.registry import DefaultScope

from mmtube.config import load_config
from mmtube.errors import InputError
from mmtube.models.backbones import AlphActionSlowFast
from mmtube.models.checkpoint import load_weights, read_checkpoint
from mmtube.registry import MODELS

ROOT = Path(__file__).parents[2]
TOOL = 'tools/model_converters/alphaction_to_mmtube.py'
BLOCKS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}


def load_tool():
    spec = importlib.util.spec_from_file_location('alphaction_to_mmtube', ROOT / TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


tool = load_tool()


class Names(dict):
    """A state dict that grows by shapes; each tensor is filled with a number of its own."""

    def add(self, name, *shape):
        self[name] = torch.full(shape, float(len(self)))

    def conv(self, name, *shape, bias=True):
        self.add(f'{name}.weight', *shape)
        if bias:
            self.add(f'{name}.bias', shape[0])

    def norm(self, name, channels):
        for part in ('weight', 'bias', 'running_mean', 'running_var'):
            self.add(f'{name}.{part}', channels)


def backbone_state(depth, prefix='backbone.'):
    """As its modules are called in modeling/backbone/slowfast.py and modeling/common_blocks.py."""
    state = Names()
    fast_widths = (8, 32, 64, 128)
    paths = (('slow', 64, 1, (1, 1, 3, 3), [2 * width for width in fast_widths]), ('fast', 8, 5, (3,) * 4, [0] * 4))
    for path, base, stem, kernels, laterals in paths:
        state.conv(f'{prefix}{path}.conv1', base, 3, stem, 7, 7, bias=False)
        state.norm(f'{prefix}{path}.bn1', base)
        entering = base
        for stage, (count, kernel, lateral) in enumerate(zip(BLOCKS[depth], kernels, laterals), 1):
            inner, outer = base * 2 ** (stage - 1), base * 2 ** (stage + 1)
            for block in range(count):
                name = f'{prefix}{path}.res_nl{stage}.res_{block}'
                came = entering + lateral if block == 0 else outer
                shapes = ((inner, came, kernel, 1, 1), (inner, inner, 1, 3, 3), (outer, inner, 1, 1, 1))
                for number, shape in enumerate(shapes, 1):
                    state.conv(f'{name}.btnk.conv{number}.conv', *shape, bias=False)
                    state.norm(f'{name}.btnk.conv{number}.bn', shape[0])
                if block == 0:
                    state.conv(f'{name}.shortcut.conv', outer, came, 1, 1, 1, bias=False)
                    state.norm(f'{name}.shortcut.bn', outer)
            entering = outer
    for number, width in enumerate(fast_widths, 1):
        state.conv(f'{prefix}fast.Tconv{number}.conv', 2 * width, width, 5, 1, 1)
    return state


def detector_state(depth=50, structure=None, classes=80, d=1024, wide=2304):
    """As roi_heads is called in modeling/roi_heads/action_head/."""
    state = backbone_state(depth)
    features = 'roi_heads.action.feature_extractor'
    if structure:
        for kind in ('person', 'mem', 'person_key', 'object'):
            state.conv(f'{features}.ia_structure.{kind}_dim_reduce', d, wide, 1, 1, 1)
        for turn in (1, 2):
            for kind in 'POM':
                name = f'{features}.ia_structure.{kind}_block_{turn}'
                last = turn == 2 and (structure == 'parallel' or kind == 'M')
                for layer in ('query', 'key', 'value'):
                    state.conv(f'{name}.{layer}', d, d, 1, 1, 1)
                state.conv(f'{name}.out', wide if last else d, d, 1, 1, 1)
                if last:
                    state.conv(f'{name}.shortcut', wide, d, 1, 1, 1)
                if kind == 'M':
                    for part in 'kv':
                        state.add(f'{name}.temporal_position_{part}', 61, 1, d, 1, 1, 1)
        if structure == 'dense':
            for number in range(2, 6):
                state.add(f'{features}.ia_structure.dense_params.{number}', number, d, 1, 1, 1)
    state.conv(f'{features}.fc1', d, wide)
    state.conv(f'{features}.fc2', d, d)
    state.conv('roi_heads.action.predictor.cls_score', classes, d)
    return state


@pytest.fixture(scope='module')
def dense_file(tmp_path_factory):
    path = tmp_path_factory.mktemp('alphaction') / 'resnet50_4x16f_denseserial.pth'
    torch.save(dict(model=dict(detector_state(50, 'dense')), iteration=110000), path)
    return path


def test_every_tensor_of_a_detector_has_its_place_and_fills_the_model(dense_file, tmp_path, capsys):
    tool.main([str(dense_file), str(tmp_path / 'out.pth')])
    assert 'SlowFast R50, dense interaction, 80 classes' in capsys.readouterr().out
    with DefaultScope.overwrite_default_scope('mmtube'):
        model = MODELS.build(load_config('ava/alphaction_dense_r50_ava22').model)
    meta = load_weights(model, str(tmp_path / 'out.pth'))
    assert meta['structure'] == 'dense' and meta['source'] == dense_file.name
    source = detector_state(50, 'dense')
    own = {name: tensor for name, tensor in model.state_dict().items() if not name.endswith('num_batches_tracked')}
    # Each number once: nothing is lost, and nothing is there twice.
    assert sorted(float(tensor.flatten()[0]) for tensor in own.values()) == list(range(len(source)))
    features = 'roi_heads.action.feature_extractor'
    for theirs, ours in {
        'backbone.slow.conv1.weight': 'backbone.slow_path.conv1.conv.weight',
        'backbone.fast.bn1.running_var': 'backbone.fast_path.conv1.bn.running_var',
        'backbone.slow.res_nl3.res_5.btnk.conv2.bn.bias': 'backbone.slow_path.layer3.5.conv2.bn.bias',
        'backbone.fast.res_nl4.res_0.shortcut.conv.weight': 'backbone.fast_path.layer4.0.downsample.conv.weight',
        'backbone.fast.Tconv1.conv.bias': 'backbone.slow_path.conv1_lateral.conv.bias',
        'backbone.fast.Tconv4.conv.weight': 'backbone.slow_path.layer3_lateral.conv.weight',
        f'{features}.ia_structure.person_dim_reduce.weight': 'roi_head.interaction.reduce_query.weight',
        f'{features}.ia_structure.person_key_dim_reduce.bias': 'roi_head.interaction.reduce.P.bias',
        f'{features}.ia_structure.mem_dim_reduce.weight': 'roi_head.interaction.reduce.M.weight',
        f'{features}.ia_structure.O_block_1.key.weight': 'roi_head.interaction.blocks.1.key.weight',
        f'{features}.ia_structure.P_block_2.query.bias': 'roi_head.interaction.blocks.3.query.bias',
        f'{features}.ia_structure.M_block_2.shortcut.weight': 'roi_head.interaction.blocks.5.shortcut.weight',
        f'{features}.ia_structure.M_block_1.temporal_position_v': 'roi_head.interaction.blocks.2.value_time',
        f'{features}.ia_structure.dense_params.2': 'roi_head.interaction.mix.0',
        f'{features}.ia_structure.dense_params.5': 'roi_head.interaction.mix.3',
        f'{features}.fc2.weight': 'roi_head.head.hidden.1.weight',
        'roi_heads.action.predictor.cls_score.bias': 'roi_head.head.classifier.bias',
    }.items():
        assert (own[ours] == source[theirs].flatten()[0]).all(), ours


def test_values_keep_their_order_when_convolutions_become_matrices():
    weight = torch.arange(6.0).view(2, 3, 1, 1, 1)
    times = torch.arange(8.0).view(4, 1, 2, 1, 1, 1)
    structure = 'roi_heads.action.feature_extractor.ia_structure'
    found = tool.convert(
        {f'{structure}.P_block_1.key.weight': weight, f'{structure}.M_block_1.temporal_position_k': times}, 'a file'
    )
    assert found['roi_head.interaction.blocks.0.key.weight'].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert found['roi_head.interaction.blocks.2.key_time'].tolist() == [[0, 1], [2, 3], [4, 5], [6, 7]]


@pytest.mark.parametrize('structure', [None, 'serial', 'parallel'])
def test_structures_are_told_apart(structure, tmp_path, capsys):
    torch.save(dict(model=dict(detector_state(50, structure))), tmp_path / 'in.pth')
    tool.main([str(tmp_path / 'in.pth'), str(tmp_path / 'out.pth')])
    assert f'{structure or "no"} interaction' in capsys.readouterr().out
    assert read_checkpoint(str(tmp_path / 'out.pth'))['meta']['structure'] == structure


@pytest.mark.parametrize('prefix', ['', 'backbone.', 'module.backbone.'])
def test_a_kinetics_backbone_loses_its_classifier_and_starts_a_training(prefix, tmp_path, capsys):
    state = backbone_state(101, prefix)
    state.conv('module.cls_head.fc' if prefix.startswith('module') else 'cls_head.fc', 700, 2304)
    torch.save(dict(state), tmp_path / 'in.pth')
    tool.main([str(tmp_path / 'in.pth'), str(tmp_path / 'out.pth')])
    assert 'SlowFast R101, backbone alone, 2 left out' in capsys.readouterr().out
    model = AlphActionSlowFast(depth=101, pretrained=str(tmp_path / 'out.pth'))
    model.init_weights()
    assert (model.slow_path.layer3_lateral.conv.bias == state[f'{prefix}fast.Tconv4.conv.bias'][0]).all()


def test_the_wrong_depth_is_refused_in_one_line(dense_file, tmp_path, refused):
    out = tmp_path / 'out.pth'
    told = refused(TOOL, dense_file, out, '--config', 'ava/alphaction_dense_r101_ava22')
    assert 'is another model, ' in told and 'missing, such as backbone.fast_path.layer3.10' in told
    assert not out.exists()


def test_what_is_not_alphactions_is_refused(tmp_path):
    short = {name: tensor for name, tensor in backbone_state(50).items() if 'res_nl3.res_5' not in name}
    holed = dict(backbone_state(50))
    del holed['backbone.fast.Tconv2.conv.bias']
    wide = dict(backbone_state(50))
    wide['backbone.fast.Tconv2.conv.bias'] = torch.zeros(65)
    lateral = 'backbone.slow_path.layer1_lateral.conv.bias'
    for state, cause in (
        ({'roi_heads.box.fc.weight': torch.zeros(1)}, 'no place, such as roi_heads.box.fc.weight'),
        (short, 'has 5 blocks in its third stage'),
        (holed, f'1 tensors are missing, such as {lateral}'),
        (wide, f'{lateral} is (65,), not (64,)'),
    ):
        torch.save(state, tmp_path / 'in.pth')
        with pytest.raises(InputError, match=re.escape(cause)):
            tool.main([str(tmp_path / 'in.pth'), str(tmp_path / 'out.pth')])
    assert not (tmp_path / 'out.pth').exists()
