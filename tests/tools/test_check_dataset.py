"""The check of a data set as a command: exit codes, first line, configs of the project over SEAL-mini."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

TOOL = 'tools/data/check_dataset.py'


@pytest.fixture(scope='module')
def mini(tmp_path_factory):
    """SEAL-mini, the smoke set."""
    root = tmp_path_factory.mktemp('mini')
    script = Path(__file__).parents[2] / 'tools' / 'data' / 'seal_mini' / 'render.py'
    subprocess.run([sys.executable, str(script), '--smoke', '--out', str(root)], check=True, capture_output=True)
    return root


@pytest.mark.parametrize(
    'name, loader', [('seal_mini_clips', 'val'), ('seal_mini_clips', 'train'), ('seal_tubes', 'val')]
)
def test_the_projects_configs_are_100(run_tool, mini, name, loader):
    options = ('--split', loader, '--cfg-options', f'data_root={mini}/')
    done = run_tool(TOOL, f'_base_/datasets/{name}', *options)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith(f'OK: the {loader} data set of _base_/datasets/{name}')
    assert done.stdout.splitlines()[0].endswith('a perfect model scores 100.0000') and not done.stderr


def test_ava_style_over_converted_annotations_is_100(run_tool, mini, tmp_path):
    maps = mini / 'annotations' / 'label_map_atomic.json'
    convert = ('--from', 'seal', mini / 'annotations' / 'val.json', '--to', 'ava', tmp_path / 'val.csv')
    assert run_tool('tools/data/convert.py', *convert, '--label-map', maps).returncode == 0
    (tmp_path / 'labels.txt').write_text('\n'.join(json.loads(maps.read_text())['names']) + '\n')
    files = f"ann_file='{tmp_path}/val.csv', label_file='{tmp_path}/labels.txt', exclude_file=None"
    (tmp_path / 'mine.py').write_text(
        "_base_ = 'mmtube::_base_/datasets/ava_style.py'\n"
        f"val_dataloader = dict(dataset=dict({files}, data_prefix=dict(video='{mini}/videos')))\n"
        f'val_evaluator = dict({files})\n'
    )
    done = run_tool(TOOL, tmp_path / 'mine.py')
    assert done.returncode == 0 and done.stdout.startswith('OK: '), done.stdout + done.stderr
    rows = [line.split(',') for line in (tmp_path / 'val.csv').read_text().splitlines()]
    for row in rows:
        row[6] = str(int(row[6]) - 1)
    (tmp_path / 'val.csv').write_text('\n'.join(','.join(row) for row in [*rows, [*rows[0][:6], '0', '1']]) + '\n')
    done = run_tool(TOOL, tmp_path / 'mine.py')
    assert done.returncode == 1 and done.stdout.startswith('FOUND: ') and not done.stderr
    assert 'label-offset' in done.stdout.splitlines()[0] and 'they count from 0 where 1 is expected' in done.stdout


def test_what_cannot_be_used_is_refused_with_one_line(refused, mini, tmp_path):
    assert 'none.py: no such config' in refused(TOOL, tmp_path / 'none.py')
    assert 'no_such_set' in refused(TOOL, '_base_/datasets/seal_mini_clips', '--cfg-options', 'data_root=no_such_set/')
    (tmp_path / 'bare.py').write_text(
        "_base_ = 'mmtube::_base_/datasets/seal_mini_clips.py'\nval_evaluator = None\ntest_evaluator = None\n"
    )
    assert "val_evaluator = dict(type='FrameMAP')" in refused(TOOL, tmp_path / 'bare.py')
    assert '--decode' in refused(TOOL, '_base_/datasets/seal_mini_clips', '--decode', '-1')
