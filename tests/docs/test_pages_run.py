"""The pages of docs/ are threads for a newcomer: their commands and code run in order, in an empty folder."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r'^```(bash|python)\n(.*?)^```', re.MULTILINE | re.DOTALL)
NEEDS_WEIGHTS = 'demo/tube_demo.py'
EXPECTED = {
    'annotation': ['relabel proposed', ' merges undone', 'work/a4.json: 4 films', '1 file checked: 0 findings'],
    'evaluation': [
        'HOTA',
        'gain_localization',
        '  *',
        'runs/report.html: 2 results',
        '\n0.9\n',
        'OK: the val data set of my_tubes.py',
    ],
    'features': [
        'features: 2 films written, 0 could not be used',
        'frames: 1 films written, 0 could not be used',
        'val_0000_p00 (45, 96) 1.0 0.8\nval_0000_p01 (42, 96) 1.0 1.28\n',
    ],
    'linking': [
        'val_0000.json: 3 tubes, 1 merges',
        'IDs of the ground truth end at shot changes',
        '0 of 11 merges wrong, at most 23.84 %',
        'val_0000.proposals.json: 1 proposals',
        'undone.json: 4 tubes, 0 merges',
    ],
    'new_dataset': ['OK: the val data set of my_clips.py'],
    'reid': ['train: 13 identities', 'reid/rank-1', 'features of length 80', 'features of length 128', '126 tensors'],
}


@pytest.fixture
def workplace(tmp_path):
    """A folder in which ``.venv/bin/python tools/...`` is this project."""
    for name in ('tools', 'demo'):
        (tmp_path / name).symlink_to(ROOT / name)
    python = tmp_path / '.venv' / 'bin' / 'python'
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    return tmp_path


def run(kind, code, folder):
    """Run a block and return what it printed."""
    command = ['bash', '-euc', code] if kind == 'bash' else [sys.executable, '-c', code]
    environment = {**os.environ, 'PYTHONPATH': str(ROOT)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, f'{code}\n{done.stdout}\n{done.stderr}'
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize('page', list(EXPECTED))
def test_every_command_of_a_page_runs(workplace, page):
    text = (ROOT / 'docs' / f'{page}.md').read_text(encoding='utf-8')
    printed = ''
    for found in BLOCK.finditer(text):
        kind, code = found.groups()
        if NEEDS_WEIGHTS in code:
            continue
        if code.startswith(('_base_', 'default_scope')):
            name = re.findall(r'[Tt]his one is `(\w+\.py)`', text[: found.start()])[-1]
            (workplace / name).write_text(code)
            continue
        printed += run(kind, code, workplace)
    for words in EXPECTED[page]:
        assert words in printed, printed
    made = [f'{path.name}/' if path.is_dir() else path.name for path in workplace.iterdir() if not path.is_symlink()]
    done = subprocess.run(['git', 'check-ignore', *made], cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 128:  # not a checkout
        assert sorted(done.stdout.split()) == sorted(made), 'a checkout should ignore what the commands write'
