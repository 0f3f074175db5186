from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from mmtube.structures.seal import read_seal_json

ROOT = Path(__file__).parents[2]
TOOL = ROOT / 'tools' / 'data' / 'seal_mini' / 'render.py'
TINY = ('--films', 'train=1,val=1', '--seconds', '7', '7')


def run(*args: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, str(TOOL), *args], capture_output=True, text=True, check=False)


def test_the_command_makes_a_set_and_goes_on_where_it_stopped(tmp_path):
    out = str(tmp_path / 'set')
    first = run('--out', out, *TINY, '--workers', '2')
    assert first.returncode == 0, first.stderr
    assert '2 films, 2 of them made now' in first.stdout and '2 of 2 films' in first.stderr
    part = read_seal_json(tmp_path / 'set' / 'annotations' / 'train.json')
    assert list(part.videos) == ['train_0000'] and len(part.aa)
    assert 'made by: python render.py --out' in (tmp_path / 'set' / 'README.txt').read_text()
    second = run('--out', out, *TINY, '--workers', '2')
    assert second.returncode == 0 and '2 films, 0 of them made now' in second.stdout
    other = run('--out', out, *TINY, '--seed', '3')
    assert other.returncode == 2 and len(other.stderr.splitlines()) == 1
    assert 'options.json: the films were made with other options' in other.stderr


def test_the_preview_is_a_picture(tmp_path):
    done = run('--smoke', '--films', 'train=1', '--preview', str(tmp_path / 'sheet.png'))
    assert done.returncode == 0, done.stderr
    assert cv2.imread(str(tmp_path / 'sheet.png')).shape[2] == 3
    assert [path.name for path in tmp_path.iterdir()] == ['sheet.png']


@pytest.mark.parametrize(
    ('args', 'cause'),
    [
        (('--films', 'training=3'), "'training=3' is not a split with a number"),
        (('--films', 'train=-1'), "'train=-1' is not a split with a number"),
        (('--films', 'train=0'), 'at least one film'),
        (('--films', 'train=³'), 'is not a split with a number'),
        (('--preview', 'sheet.jpg'), '--preview sheet.jpg: must end in .png'),
        (('--preview', '.'), 'must end in .png'),
        (('--preview', '/proc/none/sheet.png'), 'cannot be written'),
        (('--seed', '-4'), 'seed must be >= 0'),
        (('--size', '321', '240'), 'size must be even'),
        (('--look-alike', '2'), 'look_alike must be within 0 and 1'),
        (('--preset', 'quick'), 'preset must be one of'),
        (('--workers', '0'), '--workers must be positive'),
    ],
)
def test_wrong_options_are_one_line_and_code_2(tmp_path, args, cause):
    done = run('--out', str(tmp_path / 'set'), *args)
    assert done.returncode == 2 and cause in done.stderr and len(done.stderr.splitlines()) == 1
    assert not (tmp_path / 'set').exists()


def test_a_folder_that_cannot_be_is_one_line(tmp_path):
    (tmp_path / 'file').touch()
    done = run('--out', str(tmp_path / 'file'), *TINY)
    assert done.returncode == 2 and 'error:' in done.stderr.splitlines()[-1]


def test_the_benchmark_prints_frames_per_second_and_its_parts():
    tool = ROOT / 'tools' / 'benchmarks' / 'seal_mini.py'
    done = subprocess.run(
        [sys.executable, str(tool), '--films', '1', '--seconds', '5'], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert 'frames/s on one core' in done.stdout and 'draw:' in done.stdout and 'encode:' in done.stdout
