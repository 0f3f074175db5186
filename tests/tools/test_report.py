"""The report as a command: results in, one page out; what cannot be used is one line."""

import json
import os
import re

import numpy as np
import pytest

from mmtube.evaluation.result import EvaluationResult
from mmtube.testing import make_film

TOOL = 'tools/analysis/report.py'


def write_result(path, metric=0.5, **changes):
    rows = [
        ('film', 0.5, 10.0, 8.0, 30.0, 40.0, 'false positive: walk 0.93'),
        ('gone', 0.5, None, None, None, None, 'missed: run'),
        ('film.mp4', 9.0, None, None, None, None, 'missed: sit'),
        ('film', None, None, None, None, None, 'missed: jump'),
    ]
    worst = dict(zip(('video', 'time_s', 'x1', 'y1', 'x2', 'y2', 'text'), map(list, zip(*rows))))
    classes = {'class': ['walk', 'run'], 'num_gt': [10, 2], 'num_pred': [30, 4], 'ap': [metric, 0.25]}
    curve = {'x': [0.0, 1.0], 'y': [1.0, 0.5], 'x_label': 'recall', 'y_label': 'precision'}
    parts = dict(tables={'classes': classes, 'worst': worst}, curves={'precision and recall': curve})
    result = EvaluationResult('ava', 'frame mAP', {'mAP': metric}, **{**parts, **changes})
    path.parent.mkdir(exist_ok=True)
    result.write(path)
    os.utime(path, (1_700_000_000, 1_700_000_000))
    return path


@pytest.fixture
def result(tmp_path):
    return write_result(tmp_path / 'base' / 'ava.json')


def test_a_page_has_numbers_figures_and_pictures(run_tool, result, tmp_path):
    films = tmp_path / 'films'
    films.mkdir()
    make_film(films / 'film.mp4', num_frames=25)
    done = run_tool(TOOL, result, '--out', tmp_path / 'a.html', '--videos', films)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f'{tmp_path / "a.html"}: 1 result, 1 of 4 pictures, ')
    page = (tmp_path / 'a.html').read_text()
    assert page.count('data:image/jpeg;base64,') == 1 and 'alt="walk 0.93, film at 0.50 s"' in page
    for told in ('no film &#x27;gone&#x27;', 'the film ends at 1.00 s', 'no time is known'):
        assert told in page, told
    assert str(films) not in page
    assert '<svg ' in page and 'precision and recall' in page
    assert '50.00<span class="unit">%</span>' in page and '<h1>ava</h1>' in page
    assert '2023-11-14 22:13 UTC' in page  # when the result was written, not now
    first = (tmp_path / 'a.html').read_bytes()
    assert run_tool(TOOL, result, '--out', tmp_path / 'b.html', '--videos', films).returncode == 0
    assert (tmp_path / 'b.html').read_bytes() == first


def test_two_results_are_compared_and_named_by_their_folders(run_tool, result, tmp_path):
    other = write_result(tmp_path / 'new' / 'ava.json', 0.75)
    log = tmp_path / 'work' / '1' / 'vis_data' / 'scalars.json'
    log.parent.mkdir(parents=True)
    log.write_text(json.dumps({'loss': 1.5, 'iter': 1, 'step': 1}) + '\n')
    out = tmp_path / 'out.html'
    done = run_tool(TOOL, result, other, '--out', out, '--title', 'A & B', '--log-dir', tmp_path / 'work')
    assert done.returncode == 0, done.stderr
    page = out.read_text()
    assert '<h1>A &amp; B</h1>' in page and '▲ +25.00' in page and 'aria-label="Loss over iteration"' in page
    headings = re.findall('<h2[^>]*>([^<]*)', page)
    assert headings == ['Comparison', 'base/ava', 'new/ava', 'Training']


def test_what_is_no_result_is_refused(refused, result, tmp_path):
    other = tmp_path / 'other.json'
    cases = {
        'is no result of tools/evaluate.py': '{"a": 1}',
        'is not JSON': '{',
        'has columns of different lengths': json.dumps(
            json.loads(result.read_text()) | {'tables': {'bins': {'a': [1], 'b': []}}}
        ),
        "'y_label' is missing": json.dumps(
            json.loads(result.read_text()) | {'curves': {'c': {'x': [1], 'y': [1], 'x_label': 'x'}}}
        ),
    }
    for cause, written in cases.items():
        other.write_text(written)
        message = refused(TOOL, other, '--out', tmp_path / 'a.html')
        assert cause in message and str(other) in message
    assert 'cannot be read' in refused(TOOL, tmp_path / 'none.json', '--out', tmp_path / 'a.html')
    assert not (tmp_path / 'a.html').exists()


def test_wrong_arguments_are_refused(refused, result, tmp_path):
    out = tmp_path / 'a.html'
    assert 'is given twice' in refused(TOOL, result, result, '--out', out)
    assert 'is no folder of films' in refused(TOOL, result, '--out', out, '--videos', tmp_path / 'none')
    assert 'has no vis_data/scalars.json' in refused(TOOL, result, '--out', out, '--log-dir', tmp_path)
    assert 'is a folder' in refused(TOOL, result, '--out', tmp_path)
    assert not out.exists()


def test_twenty_four_pictures_of_noise_stay_below_three_megabytes(run_tool, tmp_path):
    films = tmp_path / 'films'
    films.mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (10, 360, 480, 3), np.uint8)
    make_film(films / 'noise.mp4', frames=noise, num_frames=10, size=(480, 360))
    rows = [('noise', 0.1, None, None, None, None, f'missed: {place}') for place in range(50)]
    worst = dict(zip(('video', 'time_s', 'x1', 'y1', 'x2', 'y2', 'text'), map(list, zip(*rows))))
    names = [f'a class with a long name, number {place}' for place in range(200)]
    classes = {'class': names, 'num_gt': list(range(1, 201)), **{f'ap@{place}': [0.5] * 200 for place in range(11)}}
    result = write_result(tmp_path / 'x' / 'big.json', tables={'classes': classes, 'worst': worst})
    done = run_tool(TOOL, result, '--out', tmp_path / 'a.html', '--videos', films)
    assert '24 of 24 pictures' in done.stdout, done.stderr
    assert 300_000 < (tmp_path / 'a.html').stat().st_size < 3_000_000
