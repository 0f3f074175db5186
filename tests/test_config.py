from __future__ import annotations

from pathlib import Path

import pytest

from mmtube.config import CONFIG_DIR, load_config
from mmtube.errors import InputError

NAME = 'person/picodet_s_coco_person.py'


@pytest.mark.parametrize(
    'name', [NAME, NAME[:-3], f'mmtube::{NAME}', f'mmtube::{NAME[:-3]}', CONFIG_DIR / NAME, str(CONFIG_DIR / NAME)]
)
def test_a_config_has_many_names(name):
    assert load_config(name).model.bbox_head.num_classes == 1


def test_a_path_goes_before_the_package(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path('person').mkdir()
    Path(NAME).write_text('mine = True')
    assert load_config(NAME).mine
    assert 'mine' not in load_config(f'mmtube::{NAME}')


def test_a_name_of_another_package_brings_the_address_of_its_weights():
    cfg = load_config('mmdet::rtmdet/rtmdet_tiny_8xb32-300e_coco')
    assert cfg.model.type == 'RTMDet'
    assert cfg.model_path.startswith('https://') and 'rtmdet_tiny' in cfg.model_path


def test_a_base_config_of_another_package_has_no_weights():
    assert 'model_path' not in load_config('mmdet::_base_/default_runtime.py')


def test_the_data_folder_moves_with_every_path_below_it():
    cfg = load_config('person/picodet_s_coco_person', {'data_root': '/elsewhere/'})
    assert cfg.data_root == '/elsewhere/'
    assert cfg.train_dataloader.dataset.data_root == '/elsewhere/'
    assert cfg.val_evaluator.ann_file == '/elsewhere/annotations/instances_val2017.json'
    assert cfg.load_from.startswith('mmtube://')


def test_the_slash_of_the_data_folder_may_be_left_out():
    cfg = load_config('person/picodet_s_coco_person', {'data_root': '/elsewhere'})
    assert cfg.data_root == '/elsewhere/'
    assert cfg.val_evaluator.ann_file == '/elsewhere/annotations/instances_val2017.json'


def test_an_override_that_is_nearly_a_key_is_a_slip():
    with pytest.raises(InputError, match="unknown 'optim_wraper', did you mean 'optim_wrapper'"):
        load_config(NAME, {'optim_wraper.optimizer.lr': 0.1})
    with pytest.raises(InputError, match="did you mean 'data_root'"):
        load_config(NAME, {'data_rot': '/elsewhere/'})
    assert load_config(NAME, {'something_new': 1}).something_new == 1


def test_overrides_reach_into_the_config():
    assert load_config(NAME, {'model.bbox_head.num_classes': 3}).model.bbox_head.num_classes == 3


@pytest.mark.parametrize(
    'name', ['nowhere.py', 'mmtube::nowhere.py', 'mmdet::nowhere/a.py', 'mmdet::rtmdet/nowhere', 'mmdet::nowhere.py']
)
def test_a_missing_config_is_named(name):
    with pytest.raises(InputError, match=f'^{name}: no such config'):
        load_config(name)


def test_an_unknown_package_is_not_installed_behind_the_users_back(monkeypatch):
    monkeypatch.setattr('mmengine.hub.hub.install_package', lambda package: pytest.fail('pip was called'))
    with pytest.raises(InputError, match='the package nosuchpackage is not installed'):
        load_config('nosuchpackage::a.py')


@pytest.mark.parametrize('text', ['a = ', 'a = b', '_base_ = "nowhere.py"'])
def test_a_broken_config_is_refused_in_one_line(tmp_path, text):
    (tmp_path / 'broken.py').write_text(text)
    with pytest.raises(InputError, match=r'broken\.py: ') as raised:
        load_config(tmp_path / 'broken.py')
    assert '\n' not in str(raised.value)


def test_an_override_that_does_not_fit_is_refused(tmp_path):
    (tmp_path / 'a.py').write_text('steps = [1, 2]')
    with pytest.raises(InputError, match=r'the override .* does not fit'):
        load_config(tmp_path / 'a.py', {'steps.5.lr': 1})
