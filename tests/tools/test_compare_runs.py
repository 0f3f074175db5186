"""tools/analysis/compare.py: two results side by side."""

import csv
import json

import numpy as np
import pytest

from mmtube.evaluation.evidence import RatioEvidence, write_evidence
from mmtube.evaluation.result import EvaluationResult

SCRIPT = 'tools/analysis/compare.py'
LONG = 'a class with a name that is longer than the columns of a terminal, ' * 2 + 'end'


def ratio_evidence(hits, labels):
    rows = np.arange(len(hits), dtype=np.int32)
    return RatioEvidence(
        'accuracy',
        [f's{row:02d}' for row in rows],
        [LONG, 'run'],
        rows,
        labels.astype(np.int32),
        hits,
        np.ones(len(hits)),
    )


@pytest.fixture
def write(tmp_path):
    """Write a result of 20 samples of each of two classes; the first ``right`` of each are right."""

    def make(name, right, *, evidence=True, sha='f00d', **changed):
        labels = np.repeat([0, 1], 20)
        hits = np.concatenate([np.arange(20) < count for count in right]).astype(float)
        recall = [count / 20 for count in right]
        result = EvaluationResult(
            changed.pop('protocol', 'recognition'),
            changed.pop('convention', 'one class a sample'),
            {'accuracy': sum(recall) / 2, 'hits': int(hits.sum()), 'late_s': 0.5 * right[0], **changed},
            tables={'classes': {'class': [LONG, 'run'], 'num_gt': [20, 20], 'recall': recall}},
            inputs={'gt': {'path': 'gt.txt', 'sha256': sha}},
            evidence=ratio_evidence(hits, labels) if evidence else None,
        )
        path = tmp_path / name
        result.write(path)
        return path

    return make


def test_two_runs_are_shown_side_by_side_with_intervals(write, run_tool, tmp_path):
    a, b = write('a.json', (4, 10)), write('b.json', (16, 11))
    done = run_tool(SCRIPT, a, b, '--csv', tmp_path / 'out.csv', '--json', tmp_path / 'out.json')
    assert done.returncode == 0, done.stderr
    lines = {line.split('  ')[0]: line.split() for line in done.stdout.splitlines()}
    assert lines['accuracy'][1:4] == ['35.00', '67.50', '+32.50'] and lines['accuracy'][-1] == '*'
    assert lines['hits'][1:] == ['14', '27', '+13']
    assert lines['late_s'][1:] == ['2.000', '8.000', '+6.000']
    assert lines[LONG][-7:-3] == ['20', '20.00', '80.00', '+60.00'] and lines[LONG][-1] == '*'
    assert lines['run'][1:5] == ['20', '50.00', '55.00', '+5.00'] and lines['run'][-1] != '*'
    assert '1 of 2 classes differ at the level of 95 %' in done.stdout
    assert '\x1b' not in done.stdout
    document = json.loads((tmp_path / 'out.json').read_text())
    low, high = document['headline'][0]['low'], document['headline'][0]['high']
    # 0.6 of one class and 0.05 of the other: the standard error of the mean is 0.5 * sqrt((0.24 + 0.0475) / 20).
    np.testing.assert_allclose([low, high], 0.325 + 1.96 * 0.06 * np.array([-1, 1]), atol=0.02)
    rows = list(csv.DictReader((tmp_path / 'out.csv').open()))
    assert [row['name'] for row in rows] == [LONG, 'run']
    assert float(rows[0]['delta']) == pytest.approx(0.6) and rows[0]['significant'] == 'True'


def test_a_run_against_itself_differs_in_nothing(write, run_tool):
    a = write('a.json', (4, 10))
    done = run_tool(SCRIPT, a, a, '--replicates', 50)
    assert done.returncode == 0 and '[+0.00, +0.00]' in done.stdout and '*' not in done.stdout


def test_output_is_the_same_for_the_same_seed(write, run_tool):
    a, b = write('a.json', (4, 10)), write('b.json', (9, 8))
    outputs = [run_tool(SCRIPT, a, b, '--replicates', 50, '--seed', seed).stdout for seed in (1, 1, 2)]
    assert outputs[0] == outputs[1] != outputs[2]


@pytest.mark.parametrize(('sort', 'first'), [('delta', 'run'), ('class', LONG), ('num_gt', LONG)])
def test_classes_are_sorted_as_asked(write, run_tool, tmp_path, sort, first):
    a, b = write('a.json', (4, 2)), write('b.json', (5, 12))
    run_tool(SCRIPT, a, b, '--replicates', 20, '--sort', sort, '--csv', tmp_path / 'out.csv')
    assert next(csv.DictReader((tmp_path / 'out.csv').open()))['name'] == first


def test_without_evidence_there_are_differences_only_and_it_says_so(write, run_tool):
    a, b = write('a.json', (4, 10)), write('b.json', (16, 11), evidence=False)
    done = run_tool(SCRIPT, a, b)
    assert done.returncode == 0, done.stderr
    assert 'differences without intervals' in done.stdout and '[' not in done.stdout
    assert 'class, by recall' in done.stdout and '+60.00' in done.stdout


def test_a_long_name_moves_its_own_line_only(write, run_tool):
    a, b = write('a.json', (4, 10)), write('b.json', (16, 11))
    done = run_tool(SCRIPT, a, b, '--replicates', 20)
    (row,) = [line for line in done.stdout.splitlines() if line.startswith('run ')]
    assert len(row) < 120 and LONG in done.stdout


def test_columns_that_are_no_numbers_are_not_compared(write, run_tool, refused):
    a, b = write('a.json', (4, 10), evidence=False), write('b.json', (16, 11), evidence=False)
    for path in (a, b):
        document = json.loads(path.read_text())
        classes = document['tables']['classes']
        document['tables']['classes'] = {'class': classes['class'], 'group': ['x', None], 'recall': classes['recall']}
        path.write_text(json.dumps(document))
    assert 'class, by recall' in run_tool(SCRIPT, a, b).stdout
    for name in ('class', 'group'):
        assert f'both runs have no {name!r}' in refused(SCRIPT, a, b, '--metric', name)


def test_a_metric_is_taken_from_the_tables_when_asked(write, run_tool, refused):
    a, b = write('a.json', (4, 10)), write('b.json', (16, 11))
    done = run_tool(SCRIPT, a, b, '--metric', 'recall', '--replicates', 20)
    assert 'class, by recall' in done.stdout and 'run' in done.stdout
    assert "both runs have no 'mAP'; there is accuracy, hits, late_s, recall" in refused(
        SCRIPT, a, b, '--metric', 'mAP'
    )


@pytest.mark.parametrize(
    ('changed', 'cause'),
    [
        ({'protocol': 'ava'}, "another protocol: 'recognition' and 'ava'"),
        ({'convention': 'another'}, "another convention: 'one class a sample' and 'another'"),
        ({'sha': 'beef'}, "another ground truth: 'f00d...' and 'beef...'"),
    ],
)
def test_runs_that_do_not_belong_together_are_refused_unless_forced(write, run_tool, refused, changed, cause):
    a, b = write('a.json', (4, 10)), write('b.json', (16, 11), **changed)
    assert cause in refused(SCRIPT, a, b)
    done = run_tool(SCRIPT, a, b, '--force', '--replicates', 20)
    assert done.returncode == 0 and f'note: {cause}' in done.stdout


def test_a_ground_truth_without_hash_is_told(write, run_tool):
    a, b = write('a.json', (4, 10)), write('b.json', (16, 11), sha=None)
    assert 'is not known by its hash' in run_tool(SCRIPT, a, b, '--replicates', 20).stdout


def test_metrics_of_one_run_only_are_told(write, run_tool):
    a, b = write('a.json', (4, 10)), write('b.json', (16, 11), top5=0.5)
    assert 'note: only one of the runs has top5' in run_tool(SCRIPT, a, b, '--replicates', 20).stdout


def test_evidence_of_another_result_is_refused(write, refused):
    a, b = write('a.json', (4, 10)), write('b.json', (16, 11))
    other = ratio_evidence(np.ones(40), np.repeat([0, 1], 20))
    write_evidence(other, b.with_suffix('.evidence.npz'))
    assert 'is of another result: it gives accuracy 1.000000' in refused(SCRIPT, a, b)


def test_a_result_that_came_without_its_evidence_has_no_intervals(write, run_tool):
    a, b = write('a.json', (4, 10)), write('b.json', (16, 11))
    assert '[' in run_tool(SCRIPT, a, b, '--replicates', 20).stdout.partition('metric')[2]
    b.with_suffix('.evidence.npz').unlink()
    printed = run_tool(SCRIPT, a, b, '--replicates', 20).stdout
    assert 'b.evidence.npz is not beside it: no confidence intervals' in printed
    assert '[' not in printed.partition('metric')[2]


def test_what_cannot_be_used_is_refused(write, refused, tmp_path):
    a = write('a.json', (4, 10))
    assert 'cannot be read' in refused(SCRIPT, a, tmp_path / 'none.json')
    assert '--replicates' in refused(SCRIPT, a, a, '--replicates', 0)
    (tmp_path / 'x.json').write_text('{}')
    assert 'is no result' in refused(SCRIPT, a, tmp_path / 'x.json')
