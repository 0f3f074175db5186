from __future__ import annotations

import hashlib
import importlib.util
import pickle
import re
import struct
from pathlib import Path

import numpy as np
import pytest
import torch

from mmtube.errors import InputError
from mmtube.models.checkpoint import ASSETS

ROOT = Path(__file__).parents[2]
SOURCE = ROOT.parent / 'shared' / 'data' / 'weights' / 'picodet_s'
ASSET = ASSETS / 'picodet_s_person_fp16.pth'
needs_source = pytest.mark.skipif(not SOURCE.is_dir(), reason='the released weights are not here')


def load_tool():
    path = ROOT / 'tools' / 'model_converters' / 'picodet_to_mmtube.py'
    spec = importlib.util.spec_from_file_location('picodet_to_mmtube', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


tool = load_tool()


def message(number: int, content: bytes | int) -> bytes:
    """One protobuf field; numbers below 128 only."""
    if isinstance(content, int):
        return bytes([number << 3, content])
    return bytes([number << 3 | 2, len(content)]) + content


def tensor(values: np.ndarray, dtype: int = 5) -> bytes:
    description = message(1, dtype) + b''.join(message(2, side) for side in values.shape)
    return struct.pack('<IQIi', 0, 0, 0, len(description)) + description + values.astype('<f4').tobytes()


def write_model(folder, arrays, names=None):
    """The three files of a model that has the variables ``arrays``, and one that is not stored."""
    variables = [message(1, name.encode()) + message(3, 1) for name in (*arrays, 'feed', 'fetch')]
    variables.append(message(1, b'temporary') + message(3, 0))
    block = b''.join(message(3, variable) for variable in variables)
    (folder / 'model.pdmodel').write_bytes(message(1, block))
    (folder / 'model.pdiparams').write_bytes(b''.join(tensor(arrays[name]) for name in sorted(arrays)))
    names = names or {name: {'structured_name': f'layer.{name}'} for name in arrays}
    (folder / 'model.pdiparams.info').write_bytes(pickle.dumps(names))


def test_tensors_are_taken_in_the_order_of_strings(tmp_path):
    arrays = {f'conv2d_{i}': np.full((2, 3), i, np.float32) for i in (1, 2, 10)}  # as strings: 1, 10, 2
    write_model(tmp_path, arrays)
    layers, _ = tool.read_source(tmp_path, any_source=True)
    assert {name: float(array[0, 0]) for name, array in layers.items()} == {
        'layer.conv2d_1': 1.0,
        'layer.conv2d_2': 2.0,
        'layer.conv2d_10': 10.0,
    }


def test_varints_of_several_bytes():
    assert tool.varint(b'\xac\x02', 0) == (300, 2)


def test_other_files_than_the_released_ones_are_refused(tmp_path):
    write_model(tmp_path, {'a': np.zeros(1, np.float32)})
    with pytest.raises(InputError, match=r'model\.pdmodel: sha256 is .*, expected da078fd5.*--any-source'):
        tool.read_source(tmp_path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r'model\.pdmodel: cannot be read'):
        tool.read_source(tmp_path)


@pytest.mark.parametrize('change', [lambda data: data[:-4], lambda data: data + b'\0', lambda data: b'\1' + data[1:]])
def test_a_weight_file_that_does_not_end_with_its_last_tensor_is_refused(tmp_path, change):
    write_model(tmp_path, {'a': np.zeros(3, np.float32)})
    path = tmp_path / 'model.pdiparams'
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(InputError, match=r'model\.pdiparams: is not a file of this model'):
        tool.read_source(tmp_path, any_source=True)


def test_a_pickle_that_wants_to_import_is_refused(tmp_path):
    write_model(tmp_path, {'a': np.zeros(1, np.float32)})
    (tmp_path / 'model.pdiparams.info').write_bytes(pickle.dumps(Path))
    with pytest.raises(InputError, match=r'model\.pdiparams\.info: .*asks for pathlib'):
        tool.read_source(tmp_path, any_source=True)


@needs_source
def test_sums_of_known_layers():
    layers, _ = tool.read_source(SOURCE)
    state = tool.convert(layers)
    assert len(state) == 443
    assert state['backbone.conv1.conv.weight'].sum() == pytest.approx(3.86093, abs=1e-5)
    assert state['bbox_head.levels.0.cls.weight'][0].sum() == pytest.approx(-4.18952, abs=1e-5)
    assert state['bbox_head.levels.0.cls.bias'][0] == pytest.approx(-0.06452, abs=1e-5)
    variance = state['neck.second_top_conv.pointwise_conv.bn.running_var']
    assert variance.sum() == pytest.approx(0.06729, abs=1e-5)


@needs_source
def test_the_command_makes_the_shipped_file(tmp_path, capsys):
    out = tmp_path / 'out.pth'
    tool.main([str(SOURCE), str(out), '--person-only', '--half'])
    made, shipped = (torch.load(path, weights_only=True) for path in (out, ASSET))
    assert made['meta'] == shipped['meta']
    assert list(made['state_dict']) == list(shipped['state_dict'])
    assert all(torch.equal(made['state_dict'][name], t) for name, t in shipped['state_dict'].items())
    again = tmp_path / 'again.pth'
    tool.main([str(SOURCE), str(again), '--person-only', '--half'])
    assert again.read_bytes() == out.read_bytes()
    assert '443 tensors' in capsys.readouterr().out


def test_shipped_file_is_the_one_that_its_readme_describes():
    content = ASSET.read_bytes()
    readme = (ASSETS / 'README.md').read_text()
    assert re.search(r'our file \| sha256 `(\w+)`', readme)[1] == hashlib.sha256(content).hexdigest()
    assert f'{len(content):,} bytes' in readme
    meta = torch.load(ASSET, weights_only=True)['meta']
    assert meta['dataset_meta'] == {'classes': ('person',)}
    assert all(digest in readme for digest in meta['source_sha256'].values())
