"""Reading a film does not wait for torch."""

import subprocess
import sys

import pytest

import mmtube.datasets


def test_films_and_clips_are_indexed_without_importing_torch():
    code = 'import sys; from mmtube.datasets import FrameSource, clip_index; print("torch" in sys.modules)'
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == 'False'


def test_every_name_is_there_when_it_is_asked_for():
    for name in mmtube.datasets.__all__:
        assert getattr(mmtube.datasets, name).__name__ == name
    with pytest.raises(AttributeError, match='no attribute'):
        _ = mmtube.datasets.SEALclips
