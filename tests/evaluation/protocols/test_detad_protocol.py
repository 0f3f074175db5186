import argparse
import json
import random
from pathlib import Path

import numpy as np
import pytest

from mmtube.errors import InputError
from mmtube.evaluation.functional.average_precision import average_precision, mean_over_classes
from mmtube.evaluation.protocols import activitynet, detad, protocol
from mmtube.structures.seal import (
    BoxTable,
    InstanceTable,
    SEALAnnotations,
    TubeletRecord,
    VideoRecord,
    write_seal_json,
)

SAMPLE = Path(__file__).parents[4] / 'shared/data/eval/mmaction2_tests/eval_localization'
ERRORS = ('double_detection', 'wrong_label', 'localization', 'confusion', 'background')


def note(label, start, end, score=None):
    row = {'segment': [start, end], 'label': label}
    return row if score is None else {**row, 'score': score}


def database(duration=100.0, **videos):
    return {
        'database': {
            name: {'subset': 'validation', 'duration': duration, 'annotations': notes} for name, notes in videos.items()
        }
    }


def run(module, gt, pred, *options):
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)
    args = parser.parse_args([str(option) for option in options])
    args.gt, args.pred = str(gt), str(pred)
    return module.evaluate(args)


@pytest.fixture
def evaluate(tmp_path):
    """Write both documents, run the protocol with the options of a command line."""

    def evaluate(truth, results, *options):
        for name, document in (('gt', truth), ('pred', {'results': results})):
            (tmp_path / f'{name}.json').write_text(json.dumps(document))
        return run(detad, tmp_path / 'gt.json', tmp_path / 'pred.json', *options)

    return evaluate


TWO = database(a=[note('run', 0, 10), note('jump', 20, 30)], b=[note('run', 5, 15)])
PERFECT = {'a': [note('run', 0, 10, 0.9), note('jump', 20, 30, 0.3)], 'b': [note('run', 5, 15, 0.2)]}


def test_the_command_finds_the_protocol():
    assert protocol('detad') is detad


def test_perfect_predictions_give_exactly_one_and_nothing_to_gain(evaluate):
    result = evaluate(TWO, PERFECT)
    gains = {f'gain_{name}': 0 for name in ERRORS}
    assert result.metrics == {'average_mAP': 1.0, 'average_mAP_N': 1.0, **gains, 'missed_share': 0}
    assert result.tables['worst']['text'] == []
    assert {value for value in result.tables['characteristics']['average_mAP_N'] if value is not None} == {1.0}


def test_a_hand_worked_case(evaluate):
    # Of jump all is right. Of run the first is of the other class's segment, the second found at 0.8 and below.
    results = {'a': [note('run', 20, 30, 0.9), note('run', 0, 8, 0.8), note('jump', 20, 30, 0.1)]}
    result = evaluate(TWO, results, '--thresholds', 0.5, 0.9)
    # run at 0.5: a hit at rank 2 of 2 truths, N = 3 / 2: precision .75 / (.75 + 1), half the recall.
    ap_n = 0.75 / 1.75 / 2
    assert result.metrics['average_mAP'] == pytest.approx(((1 + 0.25) / 2 + (1 + 0) / 2) / 2)
    assert result.metrics['average_mAP_N'] == pytest.approx(((1 + ap_n) / 2 + (1 + 0) / 2) / 2)
    assert result.metrics['gain_wrong_label'] == pytest.approx((0.5 - ap_n) / 4)
    assert result.metrics['gain_localization'] == 0  # at 0.9 run has no hit that deleting it could help
    assert result.metrics['missed_share'] == pytest.approx((1 / 3 + 2 / 3) / 2)
    told = result.details['detad']
    # 2 of run and 1 of jump in the first slice: wrong label at both, at 0.5 two hits, at 0.9 one and a localization.
    np.testing.assert_allclose(told['profile'][0], [0.5, 0, 1 / 3, 1 / 6, 0, 0])
    assert told['instances_per_class'] == 1.5 and told['profile_counts'].tolist() == [3] + 9 * [0]
    classes = result.tables['classes']
    assert classes['class'] == ['jump', 'run'] and classes['num_pred'] == [1, 2]
    assert classes['main_error'] == [None, 'wrong label']
    assert result.tables['worst']['text'][0] == 'wrong label: run 0.900, 20.0 to 30.0 s'
    assert result.tables['worst']['text'][1] == 'missed: run, 5.0 to 15.0 s'
    json.dumps(result.document(), allow_nan=False)


def test_the_known_figure_of_the_sample_of_mmaction2():
    if not SAMPLE.is_dir():
        pytest.skip('the sample is not there')
    assert run(detad, SAMPLE / 'gt.json', SAMPLE / 'result.json').metrics['average_mAP'] == pytest.approx(
        0.617758, abs=1e-6
    )


def simulated(seed, videos=12):
    rng = random.Random(seed)
    truth, results = {}, {}
    for name in (f'v{number}' for number in range(videos)):
        truth[name], results[name] = [], []
        for place in range(rng.randint(1, 4)):
            start, length = place * 24 + rng.random(), rng.uniform(1, 20)
            label = rng.choice(['run', 'jump', 'sit'])
            truth[name].append(note(label, start, start + length))
            for _ in range(rng.randint(0, 4)):
                shift, other = rng.gauss(0, length / 5), rng.choice([label, label, 'sit'])
                results[name].append(note(other, start + shift, start + shift + length, round(rng.random(), 1)))
    return database(**truth), results


@pytest.mark.parametrize('seed', range(5))
def test_average_map_is_that_of_the_protocol_activitynet_and_the_mean_of_the_evidence(evaluate, tmp_path, seed):
    result = evaluate(*simulated(seed))
    other = run(activitynet, tmp_path / 'gt.json', tmp_path / 'pred.json')
    assert result.metrics['average_mAP'] == other.metrics['mAP']
    evidence = result.evidence
    num_gts = np.bincount(evidence.gt_labels, minlength=len(evidence.classes))
    mean = mean_over_classes(average_precision(evidence.hits, evidence.labels, num_gts)).mean()
    assert mean == pytest.approx(result.metrics['average_mAP'], abs=1e-12) and evidence.metric == 'average_mAP'


def test_the_order_of_rows_and_videos_does_not_matter(evaluate):
    truth, results = simulated(7)
    first, rng = evaluate(truth, results), random.Random(0)
    names = list(results)
    rng.shuffle(names)
    for name in names:
        rng.shuffle(truth['database'][name]['annotations'])
        rng.shuffle(results[name])
    again = evaluate(
        {'database': {name: truth['database'][name] for name in names}}, {name: results[name] for name in names}
    )
    assert first.document() == again.document()


def test_empty_predictions_are_all_missed_and_the_print_says_so(evaluate):
    result = evaluate(TWO, {})
    assert result.metrics['average_mAP'] == result.metrics['average_mAP_N'] == 0
    assert result.metrics['missed_share'] == 1
    assert 'no predictions, everything is missed' in result.text()
    json.dumps(result.document(), allow_nan=False)


def test_predictions_in_other_videos_are_background_and_counted(evaluate):
    result = evaluate(TWO, {**PERFECT, 'c': [note('run', 0, 10, 1.0)]})
    assert result.counts['predictions_in_other_videos'] == 1
    assert result.metrics['gain_background'] > 0 and result.metrics['gain_confusion'] == 0


def test_truth_longer_than_its_video_is_left_out_and_counted(evaluate):
    truth = database(duration=50.0, a=[note('run', 0, 10), note('run', 20, 70.5)])
    result = evaluate(truth, {'a': [note('run', 0, 10, 0.9)]})
    assert result.metrics['average_mAP'] == 1.0
    assert any('1 ground truths longer than their video left out' in note for note in result.notes)


def test_missing_durations_leave_out_coverage_and_say_so(evaluate):
    truth = database(a=[note('run', 0, 10)])
    del truth['database']['a']['duration']
    result = evaluate(truth, {'a': [note('run', 0, 10, 0.9)]})
    assert set(result.tables['characteristics']['characteristic']) == {'length', 'instances'}
    assert any('no analysis by coverage' in note for note in result.notes)


def test_bins_are_an_option(evaluate):
    told = evaluate(TWO, PERFECT, '--bins', 'thumos', '--length-bins', 5, 20).tables['characteristics']
    rows = list(zip(told['characteristic'], told['bin'], told['range'], told['num_gt']))
    assert [row[1:] for row in rows if row[0] == 'length'] == [
        ('S', 'up to 5 s', 0),
        ('M', '5 to 20 s', 3),
        ('L', 'over 20 s', 0),
    ]
    assert ('coverage', 'XL', 'over 0.08', 3) in rows
    assert ('instances', 'S', '2 to 40', 0) in rows


@pytest.mark.parametrize(
    ('truth', 'results', 'options', 'cause'),
    [
        (database(a=[]), PERFECT, ['--subset', 'all'], 'no ground truth'),
        (TWO, {'x': PERFECT['a']}, [], 'no video of it is in'),
        (TWO, {'a': [note('fly', 0, 10, 0.5)]}, [], r"results\[\"a\"\]\[0\].*'?fly"),
        (
            TWO,
            {'a': [note('run', 0, 10, float('nan'))]},
            [],
            r'results\[\"a\"\]\[0\]: the score is not a finite number',
        ),
        (TWO, {'a': [note('run', 10, 10, 0.5)]}, [], 'does not end after its start'),
        (database(a=2 * [note('run', 0, 10)]), {}, [], 'stands twice'),
        (TWO, PERFECT, ['--subset', 'testing'], "no subset 'testing'"),
        (TWO, PERFECT, ['--floor', 0.6], 'floor 0.6'),
        (TWO, PERFECT, ['--limit', 0], 'limit 0'),
        (TWO, PERFECT, ['--limit', 10**12], 'limit 1000000000000: must be from 1'),
        (TWO, PERFECT, ['--length-bins', 'nan'], 'edges of length must increase'),
        (TWO, PERFECT, ['--min-precision', 1], 'least precision 1'),
        (TWO, PERFECT, ['--thresholds', 0.7, 0.5], 'thresholds must increase'),
        (TWO, PERFECT, ['--coverage-bins', 0.5, 0.1], 'edges of coverage must increase'),
        (TWO, PERFECT, ['--label-map', 'x.json'], '--label-map: has no meaning without --task'),
        (TWO, PERFECT, ['--task', 'atomic', '--subset', 'top60'], '--subset: has no meaning with --task'),
        (database(duration=5.0, a=[note('run', 0, 10)]), {}, [], 'every ground truth is longer'),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line(evaluate, truth, results, options, cause):
    with pytest.raises(InputError, match=cause) as caught:
        evaluate(truth, results, *options)
    assert '\n' not in str(caught.value)


def test_tubelets_take_the_place_of_videos(tmp_path):
    boxes = {'t1': (range(200), [[0, 0, 9, 9]] * 200, [1.0] * 200, [0] * 200)}
    annotations = SEALAnnotations(
        {'film': VideoRecord('web', 200, 50, 10.0, 1000, 100.0, 'val')},
        {'t1': TubeletRecord('film', 1, (0, 200), 't1')},
        InstanceTable.from_rows([('t1', 0, 'pose', 0.0, 10.0), ('t1', 1, 'pose', 10.0, 15.0)]),
        InstanceTable.from_rows([('t1', 0, '', 0.0, 12.0)]),
        BoxTable.from_tracks(boxes),
    )
    write_seal_json(annotations, tmp_path / 'val.json')
    results = {'t1': [note(0, 0, 10, 0.9), note(1, 0, 10, 0.8), note(0, 16, 19, 0.95)]}
    (tmp_path / 'pred.json').write_text(json.dumps({'results': results}))
    result = run(detad, tmp_path / 'val.json', tmp_path / 'pred.json', '--task', 'atomic')
    # What has its centre beyond the activity (12 s) is left out: a prediction and the truth of class 1.
    assert any('1 predictions and 1 ground truths outside' in note for note in result.notes)
    assert result.metrics['average_mAP'] == 1.0
    told = result.tables['characteristics']
    rows = [row for row in zip(told['characteristic'], told['range'], told['num_gt']) if row[2]]
    assert rows == [('coverage', '0.4 to 0.6', 1), ('length', '5 to 10 s', 1), ('instances', '1', 1)]

    whole = run(detad, tmp_path / 'val.json', tmp_path / 'pred.json', '--task', 'atomic', '--no-restrict')
    assert whole.metrics['gain_background'] > 0 and whole.metrics['gain_wrong_label'] == 0
    worst = whole.tables['worst']
    assert worst['text'][0] == 'background: atomic 0 0.950, 16.0 to 19.0 s in t1'
    assert [worst[name][0] for name in ('video', 'time_s', 'x1', 'y1', 'x2', 'y2')] == ['film', 17.5, 0, 0, 9, 9]


def test_the_coverage_of_a_tubelet_is_that_of_the_time_of_its_boxes():
    annotations = SEALAnnotations(
        {'film': VideoRecord('web', 200, 50, 10.0, 1000, 100.0, 'val')},
        {tid: TubeletRecord('film', 1, (0, 200), tid) for tid in ('t1', 't2')},
        boxes=BoxTable.from_tracks({'t1': ([50, 60, 99], [[0, 0, 9, 9]] * 3, [1.0] * 3, [0] * 3)}),
    )
    truth = detad.with_durations(detad.tubelet_table(annotations, 'atomic'), annotations)
    np.testing.assert_array_equal(truth.durations_s, [5.0, np.nan])


def test_predictions_of_other_tubelets_are_refused_before_anything_is_left_out(tmp_path):
    annotations = SEALAnnotations(
        {'film': VideoRecord('web', 200, 50, 10.0, 1000, 100.0, 'val')},
        {'t1': TubeletRecord('film', 1, (0, 200), 't1')},
        InstanceTable.from_rows([('t1', 0, 'pose', 0.0, 10.0)]),
        InstanceTable.from_rows([('t1', 0, '', 0.0, 12.0)]),
        BoxTable.from_tracks({'t1': (range(200), [[0, 0, 9, 9]] * 200, [1.0] * 200, [0] * 200)}),
    )
    write_seal_json(annotations, tmp_path / 'val.json')
    (tmp_path / 'pred.json').write_text(json.dumps({'results': {'other': [note(0, 0, 10, 0.9)]}}))
    with pytest.raises(InputError, match=r'pred.json: no video of it is in .*val.json'):
        run(detad, tmp_path / 'val.json', tmp_path / 'pred.json', '--task', 'atomic')
