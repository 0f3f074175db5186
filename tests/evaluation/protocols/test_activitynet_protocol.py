import argparse
import json

import numpy as np
import pytest

from mmtube.errors import InputError
from mmtube.evaluation.evidence import APEvidence
from mmtube.evaluation.functional.average_precision import average_precision, mean_over_classes
from mmtube.evaluation.protocols import activitynet


def note(label, start, end, score=None, **more):
    row = {'segment': [start, end], 'label': label, **more}
    return row if score is None else {**row, 'score': score}


def database(**videos):
    return {
        'database': {
            name: {'subset': 'validation', 'duration': 100.0, 'annotations': notes} for name, notes in videos.items()
        }
    }


@pytest.fixture
def evaluate(tmp_path):
    """Write both documents, run the protocol with the options of a command line."""

    def run(truth, results, *options):
        for name, document in (('gt', truth), ('pred', {'results': results})):
            (tmp_path / f'{name}.json').write_text(json.dumps(document))
        parser = argparse.ArgumentParser()
        activitynet.add_arguments(parser)
        args = parser.parse_args([str(option) for option in options])
        args.gt, args.pred = str(tmp_path / 'gt.json'), str(tmp_path / 'pred.json')
        return activitynet.evaluate(args)

    return run


def evidence_mean(evidence: APEvidence) -> float:
    num_gts = np.bincount(evidence.gt_labels, minlength=len(evidence.classes))
    return float(mean_over_classes(average_precision(evidence.hits, evidence.labels, num_gts)).mean())


TWO = database(v_1=[note('run', 0, 10), note('jump', 20, 30)], v_2=[note('run', 5, 15)])
PERFECT = {'v_1': [note('run', 0, 10, 0.9), note('jump', 20, 30, 0.3)], 'v_2': [note('run', 5, 15, 0.2)]}
RUN = {'v_1': [note('run', 0, 10, 0.9)]}


def test_perfect_predictions_give_exactly_one(evaluate):
    result = evaluate(TWO, PERFECT)
    assert set(result.metrics.values()) == {1.0} and list(result.metrics)[:3] == ['mAP', 'mAP@0.50', 'mAP@0.55']
    assert result.tables['classes']['ap'] == [1.0, 1.0] and result.tables['worst']['text'] == []


def test_a_hand_worked_case(evaluate):
    # run: the most confident is wrong, the second finds one of two at IoU 0.8: AP 0.5 / 2 up to 0.80, then 0.
    results = {'v_1': [note('run', 40, 50, 0.9), note('run', 0, 8, 0.8), note('jump', 20, 30, 0.1)]}
    result = evaluate(TWO, results)
    assert result.tables['classes']['class'] == ['jump', 'run']
    assert result.tables['classes']['ap@0.80'] == [1.0, 0.25]
    assert result.tables['classes']['ap@0.85'] == [1.0, 0.0]
    assert result.metrics['mAP@0.80'] == 0.625
    assert result.metrics['mAP'] == pytest.approx((7 * 0.625 + 3 * 0.5) / 10, abs=1e-15)
    assert result.counts == {
        'videos': 2,
        'videos_without_predictions': 1,
        'ground_truths': 3,
        'predictions': 3,
        'predictions_in_other_videos': 0,
    }
    worst = result.tables['worst']
    assert worst['text'] == ['false positive: run 0.900, 40.0 to 50.0 s', 'missed: run, 5.0 to 15.0 s']
    assert worst['time_s'] == [45.0, 10.0] and worst['video'] == ['v_1', 'v_2']
    assert evidence_mean(result.evidence) == pytest.approx(result.metrics['mAP'], abs=1e-15)
    curve = result.curves['precision and recall at temporal IoU 0.50, classes together']
    assert (curve['x'], curve['y']) == ([0, 1 / 3, 2 / 3], [0, 1 / 2, 2 / 3])


def test_no_predictions_give_zero_and_are_told(evaluate):
    result = evaluate(TWO, {})
    assert result.metrics['mAP'] == 0.0 and 'there are no predictions, everything is missed' in result.notes
    assert result.counts['videos_without_predictions'] == 2 and result.tables['worst']['text'][0].startswith('missed')


def test_predictions_in_a_video_without_ground_truth_are_wrong_and_counted(evaluate):
    result = evaluate(TWO, {**PERFECT, 'v_9': [note('jump', 0, 10, 0.95)]})
    assert result.tables['classes']['ap'] == [0.5, 1.0] and result.counts['predictions_in_other_videos'] == 1


def test_a_class_of_the_full_list_without_ground_truth_is_not_averaged(evaluate, tmp_path):
    (tmp_path / 'labels.txt').write_text('swim\nrun\njump\n')
    result = evaluate(
        TWO, {**PERFECT, 'v_2': [note('swim', 0, 5, 1.0), *PERFECT['v_2']]}, '--labels', tmp_path / 'labels.txt'
    )
    assert (
        result.metrics['mAP'] == 1.0 and '1 predictions of classes without ground truth are not scored' in result.notes
    )
    assert result.tables['classes']['ap'][0] is None and result.tables['classes']['num_pred'][0] == 1
    assert 'mean over 2 classes' in result.convention


def test_classes_of_other_subsets_are_known(evaluate):
    truth = json.loads(json.dumps(TWO))
    truth['database']['v_3'] = {'subset': 'training', 'duration': 9.0, 'annotations': [note('swim', 0, 1)]}
    result = evaluate(truth, {**PERFECT, 'v_2': [note('swim', 0, 5, 1.0), *PERFECT['v_2']]}, '--subset', 'validation')
    assert result.metrics['mAP'] == 1.0 and result.counts['ground_truths'] == 3


def test_the_flat_form_of_mmaction2_is_the_same(evaluate):
    flat = {
        name: {'duration_second': 100.0, 'duration_frame': 3000, 'annotations': video['annotations']}
        for name, video in TWO['database'].items()
    }
    assert evaluate(flat, PERFECT).metrics == evaluate(TWO, PERFECT).metrics


def test_names_without_v_agree_only_if_no_other_name_does(evaluate):
    bare = {name.removeprefix('v_'): rows for name, rows in PERFECT.items()}
    result = evaluate(TWO, bare)
    assert result.metrics['mAP'] == 1.0 and 'without the v_' in result.notes[0]
    result = evaluate(TWO, {'v_1': PERFECT['v_1'], '2': PERFECT['v_2']})
    assert result.counts['predictions_in_other_videos'] == 1 and not any('v_' in told for told in result.notes)


def test_excluded_videos_count_on_neither_side(evaluate, tmp_path):
    (tmp_path / 'blocked.json').write_text('["1"]')
    results = {'v_1': [note('run', 70, 80, 1.0)], 'v_2': PERFECT['v_2']}
    result = evaluate(TWO, results, '--exclude-videos', tmp_path / 'blocked.json')
    assert result.metrics['mAP'] == 1.0 and result.counts['videos'] == 1 and result.evidence.units == ['v_2']
    assert result.notes[0] == '1 videos of the ground truth and 1 of the predictions left out as excluded'


def test_repeated_and_empty_ground_truth_is_removed_on_demand_and_counted(evaluate):
    rows = [note('run', 0, 10), note('run', 0, 10), note('run', 3, 3), note('run', 5, 4)]
    result = evaluate(database(v_1=rows), {'v_1': [note('run', 0, 10, 0.5)]}, '--dedup')
    assert result.metrics['mAP'] == 1.0 and result.counts['ground_truths'] == 1
    assert [told.split(' (')[0] for told in result.notes] == [
        '2 ground truths without length removed',
        '1 repeated ground truths removed',
    ]


def test_ground_truth_beyond_the_end_of_its_video_is_told(evaluate):
    result = evaluate(database(v_1=[note('run', 90, 101)]), {'v_1': [note('run', 90, 101, 1)]})
    assert result.metrics['mAP'] == 1.0
    assert result.notes == [
        '1 ground truths end after their video does (first: database["v_1"].annotations[0]), kept as they are'
    ]


@pytest.mark.parametrize('seed', range(5))
def test_the_order_of_files_and_rows_does_not_matter(evaluate, seed):
    rng = np.random.default_rng(seed)

    def notes(scored):
        for _ in range(6):
            start = int(rng.integers(0, 9))
            score = int(rng.integers(1, 4)) / 4 if scored else None
            yield note(['run', 'jump'][rng.integers(0, 2)], start, start + int(rng.integers(1, 9)), score)

    truth = {f'v_{n}': list({json.dumps(row): row for row in notes(False)}.values()) for n in range(4)}
    results = {f'v_{n}': list(notes(True)) for n in range(5)}
    before = evaluate(database(**truth), results)

    def shuffled(videos):
        return {
            name: [videos[name][n] for n in rng.permutation(len(videos[name]))]
            for name in rng.permutation(list(videos))
        }

    after = evaluate(database(**shuffled(truth)), shuffled(results))
    assert before.metrics == after.metrics and before.tables == after.tables


@pytest.mark.parametrize(
    'truth, results, options, cause',
    [
        (database(), PERFECT, (), 'has no ground truth'),
        (database(v_1=[]), PERFECT, (), 'has no ground truth'),
        (TWO, {'w': PERFECT['v_1']}, (), "pred.json: no video of it is in .*gt.json .*'w'.*'v_1'"),
        (TWO, {'v_1': [note('fly', 0, 1, 0.5)]}, (), r'results\["v_1"\]\[0\]: label "fly" is none of 2 classes'),
        (TWO, {'v_1': [note('run', 0, 1, float('nan'))]}, (), r'results\["v_1"\]\[0\]: the score is not a finite'),
        (TWO, {'v_1': [note('run', 0, float('inf'), 1)]}, (), r'\["v_1"\]\[0\]: a time is not a finite number'),
        (TWO, {'v_1': PERFECT['v_1'] + [note('run', 5, 5, 1)]}, (), r'\["v_1"\]\[2\]: the segment does not end after'),
        (TWO, {'v_1': [{'segment': [0, 1], 'label': 'run'}]}, (), r'results\["v_1"\]\[0\]: "score" is missing'),
        (TWO, {'v_1': [note('run', 0, 1, 'high')]}, (), r'\[0\].score: must be a number, not "high"'),
        (TWO, {'v_1': [{**note('run', 0, 1, 1), 'segment': [0, 1, 2]}]}, (), 'segment: has 3 numbers, not 2'),
        (TWO, {'v_1': {}}, (), r'results\["v_1"\]: must be a list'),
        (
            database(v_1=[note('run', 5, 4)]),
            RUN,
            (),
            r'gt.json: database\["v_1"\].annotations\[0\]: the segment does',
        ),
        (database(v_1=[note('run', 0, 1)] * 2), RUN, (), r'annotations\[1\]: the ground truth stands twice'),
        (database(v_1=[note('run', 0, 'x')]), PERFECT, (), r'annotations\[0\].segment\[1\]: must be a number'),
        (database(v_1=[{'segment': [0, 1]}]), PERFECT, (), r'annotations\[0\]: "label" is missing'),
        (TWO, PERFECT, ('--subset', 'val'), "has no subset 'val', it has validation"),
        ({'v_1': {'annotations': []}}, PERFECT, ('--subset', 'val'), "no subset 'val', its videos name none"),
        (TWO, PERFECT, ('--thresholds', '0.5', '1.5'), r'must increase within \(0, 1\]'),
        (TWO, PERFECT, ('--thresholds', 'nan'), 'must increase within'),
        (TWO, PERFECT, ('--thresholds', '0.6', '0.5'), 'must increase within'),
        ([], PERFECT, (), 'must be an object'),
        ({'v_1': {'duration': 3}}, PERFECT, (), '"annotations" is missing'),
    ],
)
def test_what_cannot_be_scored_is_refused_in_one_line(evaluate, truth, results, options, cause):
    with pytest.raises(InputError, match=cause) as error:
        evaluate(truth, results, *options)
    assert '\n' not in str(error.value)


def test_several_subsets_must_be_chosen_from(evaluate):
    truth = json.loads(json.dumps(TWO))
    truth['database']['v_2']['subset'] = 'training'
    with pytest.raises(InputError, match='has the subsets training, validation; say which'):
        evaluate(truth, PERFECT)
    assert evaluate(truth, PERFECT, '--subset', 'training').counts['ground_truths'] == 1
    assert evaluate(truth, PERFECT, '--subset', 'all').counts['ground_truths'] == 3


def test_labels_that_are_not_in_the_given_list_are_refused_in_the_ground_truth(evaluate, tmp_path):
    (tmp_path / 'labels.txt').write_text('run\n')
    with pytest.raises(InputError, match=r'v_1"\].annotations\[1\]: label "jump" is none of 1 classes'):
        evaluate(TWO, PERFECT, '--labels', tmp_path / 'labels.txt')


def test_the_sample_of_mmaction2_gives_its_known_figure(shared_data, run_tool, tmp_path):
    folder = shared_data / 'eval/mmaction2_tests/eval_localization'
    files = ('--gt', folder / 'gt.json', '--pred', folder / 'result.json', '--json', tmp_path / 'out.json')
    done = run_tool('tools/evaluate.py', 'activitynet', *files)
    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / 'out.json').read_text())
    assert result['metrics']['mAP'] == pytest.approx(0.617758, abs=5e-7)
    assert (tmp_path / 'out.evidence.npz').is_file() and 'mAP          61.7758' in done.stdout


def test_numbers_equal_those_of_mmaction2_on_files(evaluate, tmp_path):
    reference = pytest.importorskip('mmaction.evaluation.functional.eval_detection').ActivityNetLocalization
    rng = np.random.default_rng(4)

    def notes(count, scored):
        for start in rng.uniform(0, 40, count):
            score = float(rng.random()) if scored else None
            yield note('abc'[rng.integers(0, 3)], float(start), float(start + rng.uniform(1, 25)), score)

    truth = {f'v_{n}': {'duration': 99.0, 'annotations': list(notes(6, False))} for n in range(6)}
    ours = evaluate(truth, {f'{n}': list(notes(30, True)) for n in range(6)})
    maps, average = reference(str(tmp_path / 'gt.json'), str(tmp_path / 'pred.json')).evaluate()
    assert ours.metrics['mAP'] == pytest.approx(average, abs=1e-9) and average > 0.01
    np.testing.assert_allclose(list(ours.metrics.values())[1:], maps, rtol=0, atol=1e-9)


def test_ground_truth_a_rounding_beyond_the_end_is_not_told(evaluate):
    result = evaluate(database(v_1=[note('run', 90, 100.0005)]), {'v_1': [note('run', 90, 100.0005, 1)]})
    assert result.metrics['mAP'] == 1.0 and result.notes == []
