"""The metric of a Runner gives what the protocol gives."""

import argparse
import json

import numpy as np
import pytest
import torch
from mmaction.structures import ActionDataSample
from mmengine.evaluator import Evaluator

from mmtube.errors import InputError
from mmtube.evaluation.metrics.recognition import RecognitionMetric
from mmtube.evaluation.protocols import recognition


def sample(scores, label):
    return ActionDataSample().set_pred_score(torch.as_tensor(scores)).set_gt_label(label)


def run(metric, samples):
    """Score samples as a loop of a Runner does, two at a time."""
    evaluator = Evaluator(metric)
    for first in range(0, len(samples), 2):
        evaluator.process(samples[first : first + 2])
    return evaluator.evaluate(len(samples))


def random_samples(size=21, classes=6):
    random = np.random.default_rng(2)
    return random.random((size, classes)), random.integers(classes - 1, size=size)


def test_it_takes_what_acc_metric_takes():
    from mmaction.evaluation import AccMetric

    scores, labels = random_samples()
    samples = [sample(row, int(label)) for row, label in zip(scores, labels)]
    mine, theirs = run(RecognitionMetric(), samples), run(AccMetric(), samples)
    assert mine['recognition/top1'] == theirs['acc/top1']
    assert mine['recognition/top5'] == theirs['acc/top5']
    assert mine['recognition/mean_class_accuracy'] >= theirs['acc/mean1']  # class 5 is never true


def test_other_fields_are_scored_and_samples_without_a_label_left_out():
    scores, labels = random_samples()
    samples = [
        sample(row, -1 if number % 3 == 0 else int(label)) for number, (row, label) in enumerate(zip(scores, labels))
    ]
    for one, row in zip(samples, scores):
        one.set_field(torch.as_tensor(row[::-1].copy()), 'pred_other')
        one.set_field(one.gt_label, 'gt_other')
    kept = [one for number, one in enumerate(samples) if number % 3]
    for score_field, chosen in (('pred_score', scores), ('pred_other', scores[:, ::-1])):
        metric = RecognitionMetric(score_field=score_field, label_field='gt_other', ignore_label=-1)
        expected = np.mean([chosen[number].argmax() == labels[number] for number in range(21) if number % 3])
        assert run(metric, samples)['recognition/top1'] == pytest.approx(expected)
    assert run(RecognitionMetric(ignore_label=-1), samples) == run(RecognitionMetric(), kept)
    with pytest.raises(InputError, match='class -1'):
        run(RecognitionMetric(), samples)


def test_multi_hot_labels_are_scored_as_mean_average_precision():
    from mmaction.evaluation import AccMetric

    scores, _ = random_samples()
    truth = np.random.default_rng(4).random(scores.shape) < 0.4
    truth[:, 0] |= ~truth.any(axis=1)
    samples = [sample(row, torch.as_tensor(line).float()) for row, line in zip(scores, truth)]
    theirs = run(AccMetric(metric_list='mean_average_precision'), samples)['acc/mean_average_precision']
    assert run(RecognitionMetric(), samples)['recognition/mAP'] == pytest.approx(theirs, abs=1e-12)


@pytest.mark.parametrize('task', ['single', 'multi'])
def test_metric_and_protocol_never_differ(tmp_path, task):
    scores, labels = random_samples()
    metric = RecognitionMetric(task=task, out_file=str(tmp_path / 'out.json'))
    numbers = run(metric, [sample(row, int(label)) for row, label in zip(scores, labels)])
    (tmp_path / 'gt.txt').write_text(''.join(f'{row:08d} {label}\n' for row, label in enumerate(labels)))
    np.savez(tmp_path / 'pred.npz', names=np.array([f'{row:08d}' for row in range(len(labels))]), scores=scores)
    parser = argparse.ArgumentParser()
    parser.add_argument('--gt')
    parser.add_argument('--pred')
    recognition.add_arguments(parser)
    options = ['--gt', f'{tmp_path}/gt.txt', '--pred', f'{tmp_path}/pred.npz', '--task', task]
    result = recognition.evaluate(parser.parse_args(options))
    assert numbers == {f'recognition/{name}': value for name, value in result.metrics.items()}
    assert metric.result.document() == result.document()
    assert json.loads((tmp_path / 'out.json').read_text())['metrics'] == result.metrics


def test_streams_are_scored_alone_and_by_their_sum():
    samples = [{'pred_score': {'rgb': torch.tensor([0.6, 0.4]), 'pose': torch.tensor([0.1, 0.9])}, 'gt_label': [0]}]
    numbers = run(RecognitionMetric(topk=1), samples)
    assert numbers['recognition/rgb_top1'] == 1.0
    assert numbers['recognition/pose_top1'] == 0.0
    assert numbers['recognition/top1'] == 0.0  # 0.7 against 1.3


def test_names_attributes_and_subsets_are_taken(tmp_path):
    rank = {'task': 'atomic', 'source': 'x', 'order': [1, 0], 'counts': [2, 1]}
    (tmp_path / 'rank.json').write_text(json.dumps(rank))
    metric = RecognitionMetric(
        topk=1,
        class_names=['salto forward', 'salto backward'],
        attributes='finegym',
        class_rank=str(tmp_path / 'rank.json'),
        subset='top1',
    )
    numbers = run(metric, [sample([0.2, 0.8], 0), sample([0.2, 0.8], 1)])
    assert numbers['recognition/mean_class_accuracy_top1'] == 1.0
    assert numbers['recognition/errors_in_direction_only'] == 1.0
    assert metric.result.tables['classes']['class'] == ['salto forward', 'salto backward']


def test_wrong_arguments_are_refused():
    for cause, wrong in {
        'task must be': {'task': 'many'},
        'at least 1': {'topk': 0},
        'class_names is missing': {'attributes': 'finegym'},
        'class_rank is missing': {'subset': 'top1'},
        'finegym': {'attributes': 'gym', 'class_names': ['a']},
    }.items():
        with pytest.raises(ValueError, match=cause):
            RecognitionMetric(**wrong)
    with pytest.raises(ValueError, match='has 3 names, the model gives 2 scores'):
        run(RecognitionMetric(class_names=['a', 'b', 'c']), [sample([0.5, 0.5], 0)])


def test_scores_that_are_no_numbers_are_refused():
    from mmtube.errors import InputError

    with pytest.raises(InputError, match='not a finite number'):
        run(RecognitionMetric(), [sample([float('nan'), 0.5], 0)])
