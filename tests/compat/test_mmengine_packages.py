import importlib
import sys
from importlib import metadata
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.config.utils import MODULE2PACKAGE
from mmengine.hub import get_config
from mmengine.utils import get_installed_path, is_installed

import mmtube
from mmtube.compat.mmengine_packages import package2module


@pytest.fixture(autouse=True)
def without_pkg_resources(monkeypatch):
    monkeypatch.setitem(sys.modules, 'pkg_resources', None)  # importing it raises ImportError, as with setuptools 81


@pytest.fixture
def own_package(tmp_path, monkeypatch):
    """An importable package without a distribution and without an index of models, with one named config."""
    configs = tmp_path / 'own_pkg' / '.mim' / 'configs' / 'group'
    configs.mkdir(parents=True)
    (tmp_path / 'own_pkg' / '__init__.py').touch()
    (configs / 'leaf.py').write_text('answer = 42')
    monkeypatch.setattr(sys, 'path', [str(tmp_path), *sys.path])
    importlib.invalidate_caches()
    monkeypatch.setitem(MODULE2PACKAGE, 'own_pkg', 'own_pkg')
    return tmp_path / 'own_pkg'


def test_distributions_and_importable_packages_are_installed():
    assert is_installed('mmaction2') and is_installed('mmaction') and is_installed('mmtube')
    assert not is_installed('no-such-distribution')


def test_the_path_is_found_by_module_and_by_distribution_and_for_an_editable_install():
    import mmaction

    folder = str(Path(mmaction.__file__).parent)
    assert get_installed_path('mmaction') == get_installed_path('mmaction2') == folder
    assert get_installed_path('mmtube') == str(Path(mmtube.__file__).parent)
    assert package2module('mmaction2') == 'mmaction'


def test_a_package_that_is_not_there_and_one_without_a_folder_are_refused(tmp_path, monkeypatch):
    with pytest.raises(metadata.PackageNotFoundError):
        get_installed_path('no-such-distribution')
    (tmp_path / 'name_space' / 'inner').mkdir(parents=True)
    monkeypatch.setattr(sys, 'path', [str(tmp_path), *sys.path])
    assert not is_installed('name_space')
    with pytest.raises(RuntimeError, match='namespace'):
        get_installed_path('name_space')


@pytest.mark.parametrize(
    ('name', 'weights'),
    [
        ('mmdet::rtmdet/rtmdet_tiny_8xb32-300e_coco.py', 'rtmdet_tiny'),
        ('mmaction::detection/slowfast/slowfast_kinetics400-pretrained-r50_8xb8-8x8x1-20e_ava21-rgb.py', 'slowfast'),
    ],
)
def test_zoo_names_resolve_to_a_config_and_the_address_of_its_weights(name, weights):
    config = get_config(name, pretrained=True)
    assert config.model.type and config.model_path.startswith('http') and weights in config.model_path


def test_a_package_without_an_index_has_configs_by_path(own_package, tmp_path):
    assert get_config('own_pkg::group/leaf.py').answer == 42
    (tmp_path / 'child.py').write_text("_base_ = ['own_pkg::group/leaf.py']\nother = 1")
    child = Config.fromfile(tmp_path / 'child.py')
    assert (child.answer, child.other) == (42, 1)
    with pytest.raises(FileNotFoundError):
        get_config('own_pkg::group/nothing.py')


def test_names_of_this_package_are_known(tmp_path):
    configs = Path(mmtube.__file__).parent / '.mim' / 'configs'
    leaf = next(path for path in sorted(configs.rglob('*.py')))
    (tmp_path / 'child.py').write_text(f"_base_ = ['mmtube::{leaf.relative_to(configs).as_posix()}']")
    assert Config.fromfile(tmp_path / 'child.py')._cfg_dict.keys() >= Config.fromfile(leaf)._cfg_dict.keys()
