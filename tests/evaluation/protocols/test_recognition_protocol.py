"""The protocol `recognition`: from files to numbers."""

import json

import numpy as np
import pytest

SCRIPT = 'tools/evaluate.py'
LABELS = 'a 0\nb 0\nc 1\nd 1\n'
SCORES = {'a': [0.8, 0.1, 0.1], 'b': [0.2, 0.3, 0.5], 'c': [0.1, 0.9, 0.0], 'd': [0.0, 1.0, 0.0]}


@pytest.fixture
def files(tmp_path):
    def make(labels=LABELS, scores=SCORES):
        gt, pred = tmp_path / 'gt.txt', tmp_path / 'pred.json'
        gt.write_text(labels)
        pred.write_text(json.dumps(scores))
        return gt, pred

    return make


@pytest.fixture
def scored(tmp_path):
    """Run the protocol in this process."""
    import argparse

    from mmtube.evaluation.protocols import recognition

    def run(gt, pred, *options):
        parser = argparse.ArgumentParser()
        parser.add_argument('--gt')
        parser.add_argument('--pred')
        recognition.add_arguments(parser)
        return recognition.evaluate(parser.parse_args(['--gt', str(gt), '--pred', str(pred), *map(str, options)]))

    return run


@pytest.fixture
def refusal(scored):
    from mmtube.errors import InputError

    def run(*args):
        with pytest.raises(InputError) as caught:
            scored(*args)
        return str(caught.value)

    return run


def test_the_tool_prints_and_writes_the_numbers(files, run_tool, tmp_path):
    gt, pred = files()
    done = run_tool(SCRIPT, 'recognition', '--gt', gt, '--pred', pred, '--topk', 1, 2, '--json', tmp_path / 'out.json')
    assert done.returncode == 0, done.stderr
    assert 'top1                    75.0000' in done.stdout
    assert 'mean_class_accuracy     75.0000' in done.stdout
    document = json.loads((tmp_path / 'out.json').read_text())
    assert document['metrics'] == {'top1': 0.75, 'top2': 0.75, 'mean_class_accuracy': 0.75}
    assert document['tables']['classes'] == {
        'class': ['0', '1', '2'],
        'num_gt': [2, 2, 0],
        'num_pred': [1, 2, 1],
        'recall': [0.5, 1.0, None],
        'precision': [1.0, 1.0, 0.0],
        'ap': [1.0, 1.0, None],
    }
    assert document['tables']['worst']['text'] == ['true 0 (0.2), predicted 2 (0.5)']
    assert document['tables']['confused'] == {'true': ['0'], 'predicted': ['2'], 'count': [1], 'share_of_true': [0.5]}
    assert (tmp_path / 'out.evidence.npz').is_file()


def test_the_help_says_which_files_are_read(run_tool):
    done = run_tool(SCRIPT, 'recognition', '--help')
    assert done.returncode == 0 and 'name class [class ...]' in done.stdout


def test_perfect_predictions_give_exactly_one(files, scored):
    random = np.random.default_rng(0)
    labels = random.integers(7, size=43)
    scores = {f's{row}': (np.eye(7)[label] * 0.3).tolist() for row, label in enumerate(labels)}
    gt, pred = files(''.join(f's{row} {label}\n' for row, label in enumerate(labels)), scores)
    assert set(scored(gt, pred).metrics.values()) == {1.0}
    truth = random.random((43, 7)) < 0.4
    truth[:, 0] |= ~truth.any(axis=1)
    text = ''.join(f's{row} {" ".join(map(str, np.flatnonzero(line)))}\n' for row, line in enumerate(truth))
    gt, pred = files(text, {f's{row}': (line * 0.3).tolist() for row, line in enumerate(truth)})
    assert set(scored(gt, pred, '--task', 'multi').metrics.values()) == {1.0}


@pytest.mark.parametrize('task', ['single', 'multi'])
def test_the_order_of_rows_changes_nothing(files, scored, task):
    random = np.random.default_rng(3)
    lines = [f's{row:02d} {random.integers(4)}\n' for row in range(30)]
    scores = {f's{row:02d}': (random.integers(0, 3, 4) / 2).tolist() for row in range(28)}
    first = scored(*files(''.join(lines), scores), '--task', task).document()
    lines = [lines[row] for row in random.permutation(30)]
    scores = {name: scores[name] for name in random.permutation(list(scores))}
    assert scored(*files(''.join(lines), scores), '--task', task).document() == first


def test_a_sample_without_prediction_is_wrong_and_counted(files, scored):
    result = scored(*files(scores={name: SCORES[name] for name in 'abc'}))
    assert result.metrics['top1'] == 0.5
    assert result.metrics['mean_class_accuracy'] == 0.5
    assert result.counts['samples_without_predictions'] == 1
    multi = scored(*files(scores={name: SCORES[name] for name in 'abc'}), '--task', 'multi')
    assert multi.metrics['mAP'] == 0.75  # class 1: one of two found, first


def test_an_empty_prediction_file_is_all_missed(files, scored):
    for task in ('single', 'multi'):
        result = scored(*files(scores={}), '--task', task)
        assert set(result.metrics.values()) == {0.0}
        assert 'there are no predictions, everything is missed' in result.notes


def test_a_class_beyond_reason_is_refused_where_nothing_else_says_how_many_there_are(files, refusal):
    assert 'has class 999999999999; --labels says how many' in refusal(*files('a 0\nb 999999999999\n', {}))


def test_several_classes_are_scored_as_average_precision(files, scored):
    # Class 0: ranked a (hit), b (miss), c (hit): (1 + 2/3) / 2. Class 1: c (hit). Class 2 has no positive.
    scores = {'a': [0.9, 0.1, 0], 'b': [0.8, 0.2, 1], 'c': [0.7, 0.9, 0]}
    result = scored(*files('a 0\nb 1\nc 0 1\n', scores), '--task', 'multi')
    assert result.metrics['mAP'] == pytest.approx(((1 + 2 / 3) / 2 + 1.0) / 2, abs=1e-15)
    assert result.tables['classes']['num_gt'] == [2, 2, 0]


def test_the_mean_over_a_subset_is_over_its_classes(files, scored, refusal, tmp_path):
    rank = tmp_path / 'rank.json'
    rank.write_text(json.dumps({'task': 'atomic', 'source': 'x', 'order': [1, 2, 0], 'counts': [3, 2, 1]}))
    result = scored(*files(), '--rank', rank, '--subset', 'top1', 'top1-3')
    assert result.metrics['mean_class_accuracy_top1'] == 1.0
    assert result.metrics['mean_class_accuracy_top1-3'] == 0.5
    assert '1 classes of top1-3 have no ground truth' in result.notes
    assert "'top4' goes to rank 4" in refusal(*files(), '--rank', rank, '--subset', 'top4')
    assert "'best' is neither" in refusal(*files(), '--rank', rank, '--subset', 'best')
    assert 'no class of top1-2 has ground truth' in refusal(*files(), '--rank', rank, '--subset', 'top1-2')
    assert 'needs the list of classes' in refusal(*files(), '--subset', 'top1')


def test_streams_are_fused_by_their_probabilities(files, scored, tmp_path):
    gt, pred = files('a 0\n', {'a': [2.0, 0.0]})  # probabilities 0.88, 0.12
    other = tmp_path / 'flow.json'
    other.write_text(json.dumps({'a': [0.0, 9.0]}))  # 0.0, 1.0
    assert scored(gt, pred).metrics['top1'] == 1.0
    fused = scored(gt, pred, '--fuse', other)
    assert fused.metrics['top1'] == 0.0
    assert fused.notes[0] == 'fused: 1 x pred.json (softmax of scores) + 1 x flow.json (softmax of scores)'
    assert scored(gt, pred, '--fuse', f'{other}:0.5').metrics['top1'] == 1.0  # 0.88 against 0.12 + 0.5
    assert scored(gt, pred, '--fuse', other, '--fuse-on', 'score', '--pred-weight', 5).metrics['top1'] == 1.0
    assert scored(gt, pred, '--fuse', other, '--fuse-on', 'score').metrics['top1'] == 0.0
    assert scored(gt, pred, '--fuse', f'{other}:0.2', '--fuse-on', 'score').metrics['top1'] == 1.0


def test_probabilities_are_fused_as_they_are_and_a_lost_sample_is_told(files, scored, tmp_path):
    gt, pred = files('a 0\nb 1\n', {'a': [0.6, 0.4], 'b': [0.25, 0.75]})
    other = tmp_path / 'flow.json'
    other.write_text(json.dumps({'a': [0.5, 0.5]}))
    result = scored(gt, pred, '--fuse', other)
    assert result.notes[0] == (
        'fused: 1 x pred.json (probabilities as they are) + 1 x flow.json (probabilities as they are)'
    )
    assert '1 samples are missing in one of the fused files and have no prediction' in result.notes
    assert result.metrics['top1'] == 0.5


def test_a_k_above_the_number_of_classes_is_left_out(files, scored):
    result = scored(*files())
    assert 'top5' not in result.metrics
    assert any('above 3 classes are left out' in note for note in result.notes)


def test_errors_are_laid_to_attributes(files, scored, refusal, tmp_path):
    names, patterns = tmp_path / 'names.txt', tmp_path / 'attributes.json'
    names.write_text('salto forward\nsalto backward\nleap backward\n')
    scores = {**SCORES, 'a': [0.0, 1.0, 0.0]}  # a forward for a backward; b salto forward for leap backward
    result = scored(*files(scores=scores), '--labels', names, '--attributes', 'finegym')
    assert result.metrics['errors_in_direction_only'] == 0.5
    assert result.metrics['errors_in_turns_only'] == 0.0
    assert result.tables['attributes'] == {
        'differs': ['direction', 'direction + other words'],
        'errors': [1, 1],
        'share': [0.5, 0.5],
    }
    patterns.write_text('{"kind": "salto|leap"}')
    result = scored(*files(scores=scores), '--labels', names, '--attributes', patterns)
    assert result.metrics['errors_in_kind_only'] == 0.0
    assert result.metrics['errors_in_other_words_only'] == 0.5
    assert 'needs the names' in refusal(*files(), '--attributes', 'finegym')
    patterns.write_text('{"kind": "("}')
    assert 'is not a regular expression' in refusal(*files(), '--labels', names, '--attributes', patterns)


def test_dumps_without_names_are_taken_in_order_and_checked_by_their_labels(files, scored, refusal, tmp_path):
    import pickle

    gt, _ = files()
    pred = tmp_path / 'dump.pkl'
    samples = [
        {'pred_score': np.array(SCORES[name]), 'gt_label': np.array([label])}
        for name, label in zip('abcd', [0, 0, 1, 1])
    ]
    pred.write_bytes(pickle.dumps(samples))
    result = scored(gt, pred)
    assert result.metrics['top1'] == 0.75
    assert any('has no names' in note for note in result.notes)
    pred.write_bytes(pickle.dumps(samples[:3]))
    assert 'has no names and 3 samples' in refusal(gt, pred)
    pred.write_bytes(pickle.dumps([samples[0], samples[2], samples[1], samples[3]]))
    assert 'sample 2: has the classes (1,), ' in refusal(gt, pred)


@pytest.mark.parametrize(
    ('labels', 'scores', 'options', 'cause'),
    [
        (LABELS, {**SCORES, 'e': [1, 0, 0]}, [], 'pred.json: "e": sample \'e\' is not in '),
        (LABELS, {'x': [1, 0, 0]}, [], 'no sample of it is in'),
        (LABELS, {'x': [1, 0, 0]}, ['--ignore-extra'], 'no sample of it is in'),
        ('', SCORES, [], 'has no ground truth'),
        ('a 7\n', {'a': [0, 1]}, [], 'line 1: class 7, there are 2 from 0'),
        ('a 0 1\n', {'a': [0, 1]}, [], "sample 'a' has several classes, which needs the task multi"),
        (LABELS, {'a': [0, float('nan'), 0]}, [], 'a score is not a finite number'),
        (LABELS, SCORES, ['--topk', '0'], '--topk: 0 is not at least 1'),
        (LABELS, SCORES, ['--fuse', 'missing.json'], 'missing.json: cannot be read'),
    ],
)
def test_what_cannot_be_scored_is_refused(files, refusal, labels, scores, options, cause):
    assert cause in refusal(*files(labels, scores), *options)


def test_other_refusals(files, refusal, scored, refused, tmp_path):
    gt, pred = files()
    names = tmp_path / 'names.txt'
    names.write_text('walk\nrun\n')
    assert 'has scores of 3 classes, there are 2' in refusal(gt, pred, '--labels', names)
    assert 'weight -1 is not positive' in refusal(gt, pred, '--fuse', f'{pred}:-1')
    assert 'has no ground truth' in refused(SCRIPT, 'recognition', '--gt', files('')[0], '--pred', pred)
    gt, pred = files(scores={**SCORES, 'e': [1, 0, 0]})
    result = scored(gt, pred, '--ignore-extra')
    assert result.metrics['top1'] == 0.75
    assert any('1 samples of' in note and 'are left out' in note for note in result.notes)


def test_names_are_compared_without_folder_and_suffix_when_asked(files, scored, refusal):
    gt, pred = files('train/a.mp4 0\n', {'a': [1.0, 0.0]})
    assert '--names stem' in refusal(gt, pred)
    assert scored(gt, pred, '--names', 'stem').metrics['top1'] == 1.0


def test_evidence_gives_the_headline_and_names_its_units(files, scored):
    from mmtube.evaluation.paired import class_mean, evidence_values

    for task, name in (('single', 'mean_class_accuracy'), ('multi', 'mAP')):
        result = scored(*files(), '--task', task)
        assert (result.evidence.metric, result.evidence.units) == (name, ['a', 'b', 'c', 'd'])
        values = evidence_values(result.evidence, np.ones((1, 4), np.int32))
        assert class_mean(values)[0] == result.metrics[name]


def test_evidence_of_several_classes_knows_equal_scores(files, scored):
    from mmtube.evaluation.paired import class_mean, evidence_values

    # Class 0: a and b share a score, one is right: 1/2 whatever comes first. Class 1: c is right and in front.
    scores = {'a': [0.5, 0.5], 'b': [0.5, 0.2], 'c': [0.1, 0.9]}
    result = scored(*files('a 0\nb 1\nc 1\n', scores), '--task', 'multi')
    assert result.metrics['mAP'] == (1 / 2 + (1 + 2 / 3) / 2) / 2
    weights = np.array([[1, 1, 1], [3, 1, 0]], np.int32)
    whole, drawn = evidence_values(result.evidence, weights)
    assert class_mean(whole[None])[0] == result.metrics['mAP']
    # a three times, b once: 3 of 4 in the step of class 0; b is the last of 4 in class 1.
    assert drawn == pytest.approx([3 / 4, 1 / 4], abs=1e-15)


def test_the_curve_rises_to_what_was_predicted(files, scored):
    curve = scored(*files()).curves['accuracy against k']
    assert (curve['x'], curve['y']) == ([1, 2, 3], [0.75, 0.75, 1.0])


def test_classes_of_finegym_keep_apart_under_one_name(shared_data, tmp_path, scored):
    folder = shared_data / 'finegym'
    lines = [line.split() for line in (folder / 'gym99_val_element.txt').read_text().splitlines()]
    scores = np.eye(99)[[int(label) for _, label in lines]]
    np.savez(tmp_path / 'pred.npz', names=np.array([name for name, _ in lines]), scores=scores)
    options = ['--labels', folder / 'gym99_categories.txt', '--attributes', 'finegym']
    result = scored(folder / 'gym99_val_element.txt', tmp_path / 'pred.npz', *options)
    assert result.metrics['top1'] == result.metrics['mean_class_accuracy'] == 1.0
    assert result.counts['samples'] == 8521
    assert len(set(result.tables['classes']['class'])) == 99
