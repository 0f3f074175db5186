"""What tests of all rooms share."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / 'shared' / 'data'


# One thread each, here and in the processes that tests start: two that share a busy core wait for each other.
os.environ.setdefault('OMP_NUM_THREADS', '1')
# The same examples in each run, and no test on time.
settings.register_profile('mmtube', deadline=None, derandomize=True)
settings.load_profile('mmtube')


@pytest.fixture(autouse=True)
def no_scope_left_behind():
    """Undo what a runner leaves behind: its default scope, in which names are then looked up."""
    from mmengine.registry import DefaultScope

    before = DefaultScope._instance_dict.copy()
    yield
    DefaultScope._instance_dict.clear()
    DefaultScope._instance_dict.update(before)


@pytest.fixture
def shared_data():
    """Folder of real films and samples beside the checkout; the test is skipped where it is absent."""
    if not SHARED.is_dir():
        pytest.skip('the folder of real films and samples is not beside the checkout')
    return SHARED


@pytest.fixture
def run_tool():
    """Run a script of the project in a process of its own."""

    def run(script, *args, **kwargs):
        command = [sys.executable, str(ROOT / script), *map(str, args)]
        return subprocess.run(command, capture_output=True, text=True, timeout=600, **kwargs)

    return run


@pytest.fixture
def refused(run_tool):
    """Run a script that must refuse its input: exit code 2 and one line on stderr, which is returned."""

    def run(script, *args, **kwargs):
        done = run_tool(script, *args, **kwargs)
        lines = [line for line in done.stderr.splitlines() if line.startswith('error: ')]
        assert done.returncode == 2, done.stderr
        assert len(lines) == 1 and 'Traceback' not in done.stderr, done.stderr
        return lines[0]

    return run
