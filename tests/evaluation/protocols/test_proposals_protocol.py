import argparse
import json

import pytest

from mmtube.errors import InputError
from mmtube.evaluation.protocols import proposals


def note(label, start, end):
    return {'segment': [start, end], 'label': label}


def found(start, end, score):
    return {'segment': [start, end], 'score': score}


@pytest.fixture
def evaluate(tmp_path):
    def run(truth, results, *options, duration=100.0):
        facts = {'subset': 'validation', **({} if duration is None else {'duration': duration})}
        database = {name: {**facts, 'annotations': notes} for name, notes in truth.items()}
        (tmp_path / 'gt.json').write_text(json.dumps({'database': database}))
        (tmp_path / 'pred.json').write_text(json.dumps({'results': results}))
        parser = argparse.ArgumentParser()
        proposals.add_arguments(parser)
        args = parser.parse_args([str(option) for option in options])
        args.gt, args.pred = str(tmp_path / 'gt.json'), str(tmp_path / 'pred.json')
        return proposals.evaluate(args)

    return run


TRUTH = {'a': [note('run', 0, 10), note('jump', 50, 51.5)], 'b': [note('run', 20, 23)]}
PERFECT = {'a': [found(0, 10, 0.9), found(50, 51.5, 0.8)], 'b': [found(20, 23, 0.7)]}


def test_perfect_proposals_give_an_average_recall_of_exactly_one(evaluate):
    result = evaluate(TRUTH, PERFECT)
    recalls = {name: value for name, value in result.metrics.items() if name.startswith('AR@100')}
    assert recalls == {
        'AR@100': 1.0,
        'AR@100 of 0-2 s': 1.0,
        'AR@100 of 2-5 s': 1.0,
        'AR@100 of 10 s and longer': 1.0,
    }
    assert result.tables['worst']['text'] == []


def test_the_official_area_of_perfect_recall_is_told_and_the_normalised_one_is_one(evaluate):
    truth, results = {'a': [note('run', 0, 10)]}, {'a': [found(0, 10, 0.9)]}
    official = evaluate(truth, results)
    assert official.metrics['AUC'] == pytest.approx(0.99, abs=1e-12)
    assert official.details['auc_max'] == pytest.approx(0.99, abs=1e-12)
    assert 'AUC of perfect recall is 99.0000' in official.notes[-1]
    assert evaluate(truth, results, '--auc', 'normalised').metrics['AUC'] == 1.0


def test_a_hand_worked_case(evaluate):
    # One video, two proposals: the first finds nothing, the second has IoU 0.8 with one of two: 7 of 10 thresholds.
    result = evaluate({'a': TRUTH['a']}, {'a': [found(70, 80, 0.9), found(0, 8, 0.5)]})
    assert result.metrics['AR@1'] == 0.0 and result.metrics['AR@5'] == pytest.approx(0.35, abs=1e-15)
    assert result.tables['classes'] == {
        'class': ['jump', 'run'],
        'num_gt': [1, 1],
        **{f'AR@{number}': [0.0, pytest.approx(value)] for number, value in ((1, 0), (5, 0.7), (10, 0.7), (100, 0.7))},
    }
    assert result.tables['durations']['num_gt'] == [1, 0, 0, 1]
    assert result.tables['durations']['AR@100'] == [0.0, None, None, pytest.approx(0.7)]
    assert result.tables['worst']['text'] == ['missed: jump, 50.0 to 51.5 s']
    evidence = result.evidence
    assert evidence.metric == 'AR@100'
    assert evidence.numerators.sum() / evidence.denominators.sum() == pytest.approx(0.35, abs=1e-15)


def test_the_area_of_a_hand_worked_case(evaluate):
    # AR is 0 at AN = 1 and 0.35 from AN = 2 on: half a step, then 98 whole ones.
    result = evaluate({'a': TRUTH['a']}, {'a': [found(70, 80, 0.9), found(0, 8, 0.5)]})
    assert result.metrics['AUC'] == pytest.approx(0.35 * 98.5 / 100, abs=1e-12)


def test_an_edge_of_a_bin_belongs_to_the_longer_ones(evaluate):
    result = evaluate({'a': [note('run', 0, 2), note('run', 10, 11.99)]}, PERFECT)
    assert result.tables['durations']['num_gt'] == [1, 1, 0, 0]
    own = evaluate({'a': [note('run', 0, 2), note('run', 10, 14)]}, PERFECT, '--duration-bins', 3, 4)
    assert own.tables['durations']['duration'] == ['3-4 s', '4 s and longer'] and own.tables['durations']['num_gt'] == [
        0,
        1,
    ]


def test_videos_without_proposals_are_missed_and_counted(evaluate):
    result = evaluate(TRUTH, {'a': PERFECT['a'], 'b': []})
    assert result.metrics['AR@100'] == pytest.approx(2 / 3, abs=1e-15)
    assert result.counts['videos_without_predictions'] == 1
    assert evaluate(TRUTH, {}).metrics['AR@100'] == 0.0


def test_proposals_in_other_videos_use_up_the_number(evaluate):
    # At AN = 2 the one video with ground truth may use 2 of all 4 proposals, which is a half of its own 2.
    mine = {'a': [found(0, 10, 0.9), found(50, 51.5, 0.8)]}
    result = evaluate({'a': TRUTH['a']}, {**mine, 'z': [found(0, 1, 0.9), found(0, 2, 0.9)]}, '--max-proposals', 2)
    assert result.metrics['AR@2'] == 0.5
    assert evaluate({'a': TRUTH['a']}, mine, '--max-proposals', 2).metrics['AR@2'] == 1.0
    assert any('use up their share' in told for told in result.notes)


def test_the_duration_aware_iou_is_asked_for(evaluate):
    # In a video of 100 s the IoU of 0.5 becomes 0.4753.
    truth, results = {'a': [note('run', 40, 50)]}, {'a': [found(40, 50, 0.9)]}
    assert evaluate(truth, results, '--iou', 'new').metrics['AR@100'] == 1.0
    near = {'a': [found(42.5, 47.5, 0.9)]}
    assert evaluate(truth, near).metrics['AR@100'] == pytest.approx(0.1, abs=1e-15)
    aware = evaluate(truth, near, '--iou', 'new')
    assert aware.metrics['AR@100'] == 0.0 and 'duration-aware' in aware.convention


def test_labels_of_predictions_are_not_looked_at(evaluate):
    results = {name: [{**row, 'label': 'anything'} for row in rows] for name, rows in PERFECT.items()}
    assert evaluate(TRUTH, results).metrics == evaluate(TRUTH, PERFECT).metrics


@pytest.mark.parametrize(
    'truth, results, options, duration, cause',
    [
        ({'a': []}, PERFECT, (), 9.0, 'has no ground truth'),
        (TRUTH, {'z': PERFECT['a']}, (), 9.0, 'no video of it is in'),
        (TRUTH, {'a': [found(0, 1, float('nan'))]}, (), 9.0, r'results\["a"\]\[0\]: the score is not a finite number'),
        (TRUTH, {'a': [found(1, 0, 1)]}, (), 9.0, r'results\["a"\]\[0\]: the segment does not end after its start'),
        ({'a': TRUTH['a'] * 2}, PERFECT, (), 99.0, 'the ground truth stands twice'),
        (TRUTH, PERFECT, ('--iou', 'new'), None, 'says no duration'),
        (TRUTH, PERFECT, ('--iou', 'new'), 0.0, r'\["a"\].annotations\[0\]: its video has no duration'),
        (TRUTH, PERFECT, ('--duration-bins', '5', '2'), 99.0, 'bins increase'),
        (TRUTH, PERFECT, ('--max-proposals', '0'), 99.0, 'largest AN must be 1 or more'),
        (TRUTH, PERFECT, ('--max-proposals', 'nan'), 99.0, 'largest AN must be 1 or more'),
    ],
)
def test_what_cannot_be_scored_is_refused_in_one_line(evaluate, truth, results, options, duration, cause):
    with pytest.raises(InputError, match=cause) as error:
        evaluate(truth, results, *options, duration=duration)
    assert '\n' not in str(error.value)


def test_the_tool_prints_and_refuses(tmp_path, run_tool, refused):
    truth = {'database': {'a': {'subset': 'validation', 'annotations': TRUTH['a']}}}
    (tmp_path / 'gt.json').write_text(json.dumps(truth))
    (tmp_path / 'pred.json').write_text(json.dumps({'results': {'a': PERFECT['a']}}))
    files = ('--gt', tmp_path / 'gt.json', '--pred', tmp_path / 'pred.json')
    done = run_tool('tools/evaluate.py', 'proposals', *files)
    assert done.returncode == 0 and 'AR@100                       100.0000' in done.stdout
    assert 'says no duration of a video' in refused('tools/evaluate.py', 'proposals', *files, '--iou', 'new')
