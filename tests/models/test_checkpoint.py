from __future__ import annotations

import os
import pickle

import pytest
import torch
from mmengine.runner.checkpoint import CheckpointLoader
from torch import nn

from mmtube.errors import InputError
from mmtube.models.checkpoint import load_weights, read_checkpoint


class Bomb:
    """Its pickle makes a folder when it is read without care."""

    def __init__(self, folder):
        self.folder = str(folder)

    def __reduce__(self):
        return os.mkdir, (self.folder,)


def small_model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(2, 3, 1), nn.BatchNorm2d(3))


def save(tmp_path, content, name='w.pth'):
    torch.save(content, tmp_path / name)
    return str(tmp_path / name)


@pytest.mark.parametrize(
    'wrap', [lambda s: s, lambda s: {'state_dict': s}, lambda s: {'model': s}, lambda s: {'state_dict': s, 'meta': {}}]
)
def test_bare_and_wrapped_state_dicts_load(tmp_path, wrap):
    source, target = small_model(), small_model()
    nn.init.constant_(source[0].weight, 0.25)
    load_weights(target, save(tmp_path, wrap(source.state_dict())))
    assert (target[0].weight == 0.25).all()


def test_meta_is_returned(tmp_path):
    path = save(
        tmp_path, {'state_dict': small_model().state_dict(), 'meta': {'dataset_meta': {'classes': ('person',)}}}
    )
    assert load_weights(small_model(), path) == {'dataset_meta': {'classes': ('person',)}}


def test_the_prefix_of_a_parallel_wrapper_is_dropped(tmp_path):
    state = {f'module.{name}': tensor for name, tensor in small_model().state_dict().items()}
    assert load_weights(small_model(), save(tmp_path, state)) == {}


def test_float16_becomes_float32(tmp_path):
    state = {name: t.half() if t.is_floating_point() else t for name, t in small_model().state_dict().items()}
    model, path = small_model(), save(tmp_path, state)
    load_weights(model, path)
    assert {t.dtype for t in model.parameters()} == {torch.float32}
    assert read_checkpoint(path)['state_dict']['0.weight'].dtype is torch.float32


def test_a_missing_counter_is_no_reason_to_refuse(tmp_path):
    state = small_model().state_dict()
    del state['1.num_batches_tracked']
    load_weights(small_model(), save(tmp_path, state))


@pytest.mark.parametrize('name', ['0.bias', '1.running_var'])
def test_a_missing_tensor_is_refused_and_counted(tmp_path, name):
    state = small_model().state_dict()
    del state[name]
    with pytest.raises(InputError, match=rf'w\.pth: is of another model, 1 of 6 tensors are missing, .* {name}$'):
        load_weights(small_model(), save(tmp_path, state))


def test_another_shape_is_refused_and_the_model_stays_as_it_was(tmp_path):
    state = {name: torch.zeros_like(tensor) for name, tensor in small_model().state_dict().items()}
    state['1.weight'] = torch.zeros(4)
    model = small_model()
    before = model[0].weight.clone()
    with pytest.raises(InputError, match=r'1 of 6 .* another shape, .* 1\.weight \(\(4,\) in the file, \(3,\) in the'):
        load_weights(model, save(tmp_path, state))
    assert torch.equal(model[0].weight, before)


def test_tensors_without_a_place_are_reported(tmp_path):
    state = {**small_model().state_dict(), 'head.weight': torch.zeros(1)}
    with pytest.warns(UserWarning, match=r'1 tensors are not used, the first is head\.weight'):
        load_weights(small_model(), save(tmp_path, state))


def test_a_pickle_bomb_is_refused_and_does_not_run(tmp_path):
    crater = tmp_path / 'crater'
    path = save(tmp_path, {'state_dict': small_model().state_dict(), 'meta': Bomb(crater)})
    with pytest.raises(InputError, match=r'w\.pth: is refused, its pickle asks for posix\.mkdir') as raised:
        load_weights(small_model(), path)
    assert '\n' not in str(raised.value) and not crater.exists()
    pickle.loads(pickle.dumps(Bomb(crater)))  # the bomb is a real one
    assert crater.is_dir()


def test_a_bare_pickle_bomb_is_refused_and_does_not_run(tmp_path):
    (tmp_path / 'b.pth').write_bytes(pickle.dumps(Bomb(tmp_path / 'crater'), protocol=2))
    with pytest.raises(InputError, match=r'b\.pth: is '):
        read_checkpoint(str(tmp_path / 'b.pth'))
    assert not (tmp_path / 'crater').exists()


@pytest.mark.parametrize('content', [b'', b'hello world', b'PK\x03\x04 cut short', b'\x80\x02}q\x00.'])
def test_what_is_no_checkpoint_is_refused_in_one_line(tmp_path, content):
    (tmp_path / 'x.pth').write_bytes(content)
    with pytest.raises(InputError, match=r'x\.pth: is not a checkpoint') as raised:
        read_checkpoint(str(tmp_path / 'x.pth'))
    assert '\n' not in str(raised.value)


def test_a_checkpoint_without_tensors_is_refused(tmp_path):
    with pytest.raises(InputError, match='holds no tensors'):
        read_checkpoint(save(tmp_path, {'state_dict': {}}))
    with pytest.raises(InputError, match='holds a list'):
        read_checkpoint(save(tmp_path, [torch.zeros(1)]))


@pytest.mark.parametrize('path', ['nowhere/w.pth', 'mmtube://nothing.pth', 'http://127.0.0.1:9/nothing.pth'])
def test_what_cannot_be_had_is_named(path):
    with pytest.raises(InputError, match=f'^{path}: cannot be (read|fetched)'):
        read_checkpoint(path)


def test_package_names_work_in_a_config():
    name = 'mmtube://picodet_s_person_fp16.pth'
    checkpoint = CheckpointLoader.load_checkpoint(name, map_location='cpu')
    assert checkpoint['meta']['dataset_meta']['classes'] == ('person',)
    assert {t.dtype for t in checkpoint['state_dict'].values() if t.is_floating_point()} == {torch.float32}
