"""The built wheel, installed where no checkout is near, imports every module and carries its configs and assets."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CHECK = """
import importlib, pkgutil, sys
from pathlib import Path
import mmtube
home = Path(mmtube.__file__).parent
assert home.is_relative_to(sys.argv[1]), home
names = [module.name for module in pkgutil.walk_packages(mmtube.__path__, 'mmtube.')]
for name in names:
    importlib.import_module(name)
from mmtube.apis import TubeInferencer
from mmtube.structures.io import result_schema
assert result_schema()
from mmtube.structures import VideoInfo, VideoResult
from mmtube.visualization.viewer import viewer_page
assert '</html>' in viewer_page(VideoResult(VideoInfo('film.mp4', 64, 48, 25.0, 25, 1.0)))
Path('mine.py').write_text("_base_ = 'mmtube::seal/tube_pipeline.py'\\ntracker = dict(max_age=7)\\n")
inferencer = TubeInferencer('mine.py')  # builds the detector from the config and the weights in the wheel
assert inferencer.stages['tracker'].max_age == 7
loaded = {name.partition('.')[0] for name in sys.modules}
assert not loaded & {'torchvision', 'torchaudio'}
print(len(names), 'modules')
"""


def run(*command, **kwargs):
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=600, **kwargs)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_wheel_stands_alone(tmp_path):
    source = tmp_path / 'source'
    files = run('git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard', cwd=ROOT).split('\0')[:-1]
    for name in files:  # a copy, because a build leaves folders in its source
        target = source / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_symlink():
            target.symlink_to((ROOT / name).readlink())
        elif (ROOT / name).exists():
            target.write_bytes((ROOT / name).read_bytes())
    pip = sys.executable, '-m', 'pip', '--disable-pip-version-check'
    run(*pip, 'wheel', '--no-deps', '--no-build-isolation', '--wheel-dir', tmp_path, source)
    (wheel,) = tmp_path.glob('mmtube-*.whl')
    # An environment that has the dependencies but not this checkout.
    run(*pip, 'install', '--no-deps', '--target', tmp_path / 'site', wheel)
    env = {'PYTHONPATH': str(tmp_path / 'site'), 'PATH': '', 'HOME': str(tmp_path)}
    printed = run(sys.executable, '-W', 'ignore', '-c', CHECK, tmp_path / 'site', cwd=tmp_path, env=env)
    modules = len([name for name in files if name.startswith('mmtube/') and name.endswith('.py')]) - 1
    assert printed.strip() == f'{modules} modules'


def test_exactly_one_opencv_is_locked():
    lines = (ROOT / 'requirements' / 'lock.txt').read_text().splitlines()
    assert [line for line in lines if line.startswith('opencv')] == ['opencv-contrib-python-headless==4.11.0.86']


def test_everything_else_is_locked_exactly():
    for name in ('lock.txt', 'lock-dev.txt'):
        for line in (ROOT / 'requirements' / name).read_text().splitlines():
            assert line.startswith('#') or '==' in line.partition(';')[0], line
            assert not line.startswith(('torch==', 'nvidia'))
