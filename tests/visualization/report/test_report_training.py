"""Logs of trainings as curves: one axis for training and validation, resumed trainings joined."""

import json
import math

import pytest

from mmtube.errors import InputError
from mmtube.visualization.report import read_training
from mmtube.visualization.report.charts import line_chart
from mmtube.visualization.report.sections import training_charts


def log(folder, *rows, end='\n'):
    folder = folder / 'vis_data'
    folder.mkdir(parents=True)
    (folder / 'scalars.json').write_text('\n'.join(json.dumps(row) for row in rows) + end)


def train(step, loss, **more):
    return dict(lr=0.1, loss=loss, time=0.3, data_time=0.1, epoch=1, iter=step, memory=900, step=step, **more)


def test_validation_by_epoch_stands_at_the_last_iteration_before_it(tmp_path):
    log(tmp_path / '1', train(10, 2.0), train(20, 1.0), {'ava/mAP': 0.3, 'time': 0.1, 'step': 1}, train(30, 0.5))
    assert read_training(tmp_path).series == {
        'lr': ([10, 20, 30], [0.1] * 3),
        'loss': ([10, 20, 30], [2.0, 1.0, 0.5]),
        'ava/mAP': ([20], [0.3]),
    }


def test_a_resumed_training_goes_on_where_it_was_resumed(tmp_path):
    log(tmp_path / '20260101_000000', train(10, 2.0), {'a/m': 0.1, 'step': 1}, train(20, 9.0), {'a/m': 0.9, 'step': 2})
    log(tmp_path / '20260102_000000', train(20, 1.0), {'a/m': 0.2, 'step': 2})
    training = read_training(tmp_path)
    assert training.series['loss'] == ([10, 20], [2.0, 1.0])
    assert training.series['a/m'] == ([10, 20], [0.1, 0.2])


def test_starts_that_only_tested_are_left_out_and_told(tmp_path):
    log(tmp_path / '1', train(10, 2.0))
    log(tmp_path / '2', {'a/m': 0.9, 'step': 0})
    training = read_training(tmp_path)
    assert 'a/m' not in training.series and training.notes == ['1 start without training left out']


def test_a_log_of_tests_alone_is_shown_at_its_steps(tmp_path):
    log(tmp_path / '1', {'a/m': 0.5, 'step': 3}, {'a/m': 0.6, 'step': 4})
    assert read_training(tmp_path).series == {'a/m': ([3, 4], [0.5, 0.6])}


def test_one_start_can_be_named_itself(tmp_path):
    log(tmp_path / '1', train(10, 2.0))
    assert read_training(tmp_path / '1').series['loss'] == ([10], [2.0])


def test_a_last_line_that_was_cut_off_is_told_and_another_broken_one_refused(tmp_path):
    log(tmp_path / '1', train(10, 2.0), end='\n{"loss": 1.')
    training = read_training(tmp_path)
    assert training.series['loss'] == ([10], [2.0]) and 'cut off' in training.notes[0]
    log(tmp_path / '2', train(10, 2.0), end='\n{"loss": 1.\n')
    with pytest.raises(InputError, match=r'scalars\.json:2: is not JSON'):
        read_training(tmp_path)


@pytest.mark.parametrize('line', ['[1]', '3'])
def test_a_line_that_is_no_object_is_refused(tmp_path, line):
    log(tmp_path / '1', end=f'{line}\n')
    with pytest.raises(InputError, match=r'scalars\.json:1: is no JSON object'):
        read_training(tmp_path)


def test_a_folder_without_a_log_is_refused(tmp_path):
    with pytest.raises(InputError, match='has no vis_data'):
        read_training(tmp_path)


def test_a_loss_that_is_no_number_is_a_gap(tmp_path):
    log(tmp_path / '1', *(train(step, float('nan') if step == 3 else 1.0) for step in range(1, 41)))
    values = read_training(tmp_path).series['loss'][1]
    assert math.isnan(values[2]) and values[3] == 1.0
    chart = line_chart('Loss', {'loss': (range(40), values)}, 'iteration')
    assert chart.count('<path') == 1 and chart.split(' d="')[1].partition('"')[0].count('M') == 2
    assert 'nan' not in chart


def test_losses_stand_first_then_validation_then_the_rest(tmp_path):
    log(tmp_path / '1', train(10, 2.0, grad_norm=3.0, loss_cls=1.0), {'ava/mAP': 0.3, 'ava/AR': 0.5, 'step': 1})
    page = training_charts(read_training(tmp_path))
    titles = [part.partition('<')[0] for part in page.split('class="name">')[1:]]
    assert titles == ['Loss', 'ava', 'Learning rate', 'grad_norm']
    assert page.index('>loss <') < page.index('>loss_cls <')


def test_more_lines_than_colours_are_more_charts():
    from mmtube.visualization.report import Training

    page = training_charts(Training('t', {f'coco/m{place}': ([1], [0.5]) for place in range(9)}))
    assert page.count('<figure') == 2 and 'coco (2)' in page
    with pytest.raises(ValueError, match='at most 7'):
        line_chart('x', {str(place): ([1], [1]) for place in range(8)}, 'x')


def test_a_long_line_is_thinned_by_means_and_that_is_told():
    chart = line_chart('Loss', {'loss': (range(1000), [1.0, 3.0] * 500)}, 'iteration')
    assert 'each point is the mean of 4 logged ones' in chart
    path = chart.split('<path d="M')[1].partition('"')[0].split('L')
    assert len(path) == 250 and len({point.partition(',')[2] for point in path}) == 1  # all means are 2


@pytest.mark.parametrize('values', [[], [0.0], [5.0, 5.0], [float('nan')], [-1e9, 1e9]])
def test_odd_series_are_drawn_too(values):
    chart = line_chart('x', {'y': (range(len(values)), values)}, 'iteration')
    assert 'nan' not in chart and 'inf' not in chart
