"""The command that finds actions on tubes on disk, with an untrained network of the smallest size."""

import json
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.registry import DefaultScope

from mmtube.registry import MODELS
from mmtube.structures import Tube, VideoInfo, VideoResult
from mmtube.structures.io import read_result_json, write_result_json
from mmtube.structures.io.features_npz import FeatureMeta, TubeletFeatures, write_features_npz

TOOL = Path(__file__).parents[2] / 'tools/detect_actions.py'
CONFIG = """
default_scope = 'mmtube'
model = dict(
    type='AnchorFreeLocalizer',
    stem=dict(dims=[2], channels=8),
    num_classes=2,
    pyramid=dict(channels=8, num_levels=2, mixer='sgp'),
)
pipeline = [dict(type='LoadTubeletFeatures'), dict(type='PackTubelet')]
features = [dict(folder='x', stream='tiny', fps=25, window=8, stride=8)]
test_dataloader = dict(dataset=dict(task='atomic', features=features, pipeline=pipeline))
"""


@pytest.fixture
def work(tmp_path):
    """Tracks and features of two films, a config and its weights."""
    frames = np.arange(100)
    for vid in ('a', 'b'):
        tube = Tube(3, frames, frames / 25, np.tile(np.float32([0, 0, 9, 9]), (100, 1)))
        write_result_json(
            VideoResult(VideoInfo(f'{vid}.mp4', 64, 48, 25.0, 100, 4.0), [tube]), tmp_path / f'tracks/{vid}.json'
        )
        rows = TubeletFeatures(np.random.default_rng(0).normal(size=(12, 2)), np.ones(12), 0.16, 0.0, 4.0)
        (tmp_path / 'features').mkdir(exist_ok=True)
        write_features_npz(
            tmp_path / f'features/{vid}.npz', FeatureMeta('tiny', 25.0, 8, 8, 4.0, 2), {f'{vid}.3': rows}
        )
    (tmp_path / 'tiny.py').write_text(CONFIG)
    scope = {}
    exec(CONFIG, scope)
    with DefaultScope.overwrite_default_scope('mmtube'):
        network = MODELS.build(scope['model'])
    meta = {'dataset_meta': {'classes': ('walk', 'wave')}}
    torch.save({'state_dict': network.state_dict(), 'meta': meta}, tmp_path / 'tiny.pth')
    return tmp_path


def run(monkeypatch, work, **changes):
    """Run the command; return its exit code."""
    given = {'--tracks': 'tracks', '--features': 'features', '--out': 'found', **changes}
    words = [word for key, value in given.items() for word in (key, str(work / value))]
    network = ['--network', str(work / 'tiny.py'), str(work / 'tiny.pth')]
    monkeypatch.setattr(sys, 'argv', [str(TOOL), *words, *network, '--min-score', '0'])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(TOOL), run_name='__main__')
    return end.value.code


def test_each_film_gets_segments(work, monkeypatch, capsys):
    assert run(monkeypatch, work) == 0
    assert '2 of 2 films done' in capsys.readouterr().out
    found = read_result_json(work / 'found/b.json')
    assert found.label_maps['atomic'] == ['walk', 'wave']
    segments = found.tubes[0].segments
    assert segments
    assert all(0 <= segment.start_s < segment.end_s <= 4.0 for segment in segments)
    assert json.loads((work / 'found/a.json').read_text())['video']['name'] == 'a.mp4'


def test_a_film_without_features_is_told_and_the_rest_is_done(work, monkeypatch, capsys):
    (work / 'features/a.npz').unlink()
    assert run(monkeypatch, work) == 2
    told = capsys.readouterr()
    assert 'a.npz' in told.err
    assert '1 of 2 films done' in told.out
    assert [path.name for path in (work / 'found').iterdir()] == ['b.json']


def test_nothing_to_do_is_told(work, monkeypatch, capsys):
    (work / 'empty').mkdir()
    assert run(monkeypatch, work, **{'--tracks': 'empty'}) == 2
    assert 'empty: has no result' in capsys.readouterr().err
