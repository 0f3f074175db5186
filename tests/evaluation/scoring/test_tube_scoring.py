import json
from dataclasses import replace

import numpy as np
import pytest

from mmtube.errors import InputError
from mmtube.evaluation.evidence import read_evidence
from mmtube.evaluation.functional.average_precision import average_precision
from mmtube.evaluation.functional.video_tubes import CONVENTIONS
from mmtube.evaluation.scoring.tubes import score_tables
from mmtube.evaluation.tables import TubeTable

ACT, MULTISPORTS, PLAIN = (CONVENTIONS[name] for name in ('act', 'multisports', 'plain'))
CLASSES = ['run', 'jump', 'basketball save']


def table(tubes, truth=False, name='pred'):
    """Table of (video, label, score, first frame, last frame) with one box of 10 x 10."""
    videos = sorted({tube[0] for tube in tubes})
    lengths = [tube[4] - tube[3] + 1 for tube in tubes]
    frames = [np.arange(tube[3], tube[4] + 1) for tube in tubes]
    return TubeTable(
        videos,
        np.array([videos.index(tube[0]) for tube in tubes], np.int64),
        np.array([tube[1] for tube in tubes], np.int64),
        None if truth else np.array([tube[2] for tube in tubes], float),
        name,
        offsets=np.cumsum([0, *lengths]),
        frames=np.concatenate([np.zeros(0, np.int64), *frames]),
        boxes_px=np.tile([0.0, 0, 10, 10], (sum(lengths), 1)),
    )


def truth_of(tubes):
    return table(tubes, truth=True, name='gt')


TRUTH = [('a', 0, 1, 1, 50), ('a', 1, 1, 1, 20), ('b', 0, 1, 1, 50)]


def test_the_names_of_the_numbers_are_those_of_the_convention():
    for convention, names in [
        (ACT, ['mAP@0.2', 'mAP@0.5', 'mAP@0.75', 'mAP@0.5:0.95']),
        (MULTISPORTS, ['mAP@0.2', 'mAP@0.5', 'mAP@0.05:0.45', 'mAP@0.1:0.9', 'mAP@0.5:0.95']),
        (PLAIN, ['mAP@0.5', 'mAP@0.75', 'mAP@0.5:0.95']),
    ]:
        result = score_tables(truth_of(TRUTH), table(TRUTH), CLASSES, convention)
        assert list(result.metrics) == names
        assert set(result.metrics.values()) == {1.0}


def test_a_mean_is_over_its_thresholds_and_over_the_classes_that_have_truth():
    # The only tube of 'jump' is found up to an IoU of 0.7: 5 of the 10 thresholds from 0.5. 'run' is perfect.
    found = [('a', 0, 0.9, 1, 50), ('b', 0, 0.9, 1, 50), ('a', 1, 0.9, 1, 14)]
    result = score_tables(truth_of(TRUTH), table(found), CLASSES, PLAIN)
    assert result.metrics == {'mAP@0.5': 1.0, 'mAP@0.75': 0.5, 'mAP@0.5:0.95': 0.75}
    classes = result.tables['classes']
    assert classes['class'] == CLASSES and classes['num_gt'] == [2, 1, 0] and classes['num_pred'] == [2, 1, 0]
    assert classes['AP@0.5:0.95'] == [1.0, 0.5, None]


def test_predictions_elsewhere_are_false_and_counted():
    found = [('c', 0, 0.95, 1, 50), *[(video, label, 0.9, first, last) for video, label, _, first, last in TRUTH]]
    result = score_tables(truth_of(TRUTH), table(found), CLASSES, replace(PLAIN, means=()))
    assert result.metrics['mAP@0.5'] == pytest.approx((2 / 3 + 1) / 2)
    assert result.counts == {
        'videos': 2,
        'videos_without_predictions': 0,
        'ground_truths': 3,
        'predictions': 4,
        'predictions_in_other_videos': 1,
    }


def test_no_predictions_are_nothing_found_and_said():
    result = score_tables(truth_of(TRUTH), table([]), CLASSES, ACT)
    assert set(result.metrics.values()) == {0.0}
    assert 'there are no predictions, all is missed' in result.text()
    assert result.counts['videos_without_predictions'] == 2
    assert result.tables['errors']['count'][-1] == 3 and result.tables['errors']['share'][-1] == 1.0
    json.dumps(result.document(), allow_nan=False)


def test_skipped_classes_are_left_out_of_truth_and_predictions_and_told():
    truth = [*TRUTH, ('a', 2, 1, 1, 9)]
    found = [*TRUTH, ('a', 2, 1, 60, 90), ('b', 2, 1, 60, 90)]
    result = score_tables(truth_of(truth), table(found), CLASSES, MULTISPORTS)
    assert set(result.metrics.values()) == {1.0}
    assert result.tables['classes']['class'] == ['run', 'jump']
    assert result.notes == ['1 ground truths and 2 predictions of skipped classes are not scored']
    assert score_tables(truth_of(truth), table(found), CLASSES, ACT).metrics['mAP@0.5'] == pytest.approx(2 / 3)
    with pytest.raises(InputError, match='gt: has no ground truth of a class that is scored'):
        score_tables(truth_of(truth[3:]), table(found), CLASSES, MULTISPORTS)


def test_what_is_taken_for_a_skipped_class_is_an_error_of_the_class():
    truth, found = [*TRUTH, ('a', 2, 1, 60, 90)], [('a', 0, 0.9, 60, 90)]
    errors = score_tables(truth_of(truth), table(found), CLASSES, MULTISPORTS).details['errors']['classes']
    assert errors['run'] == {'class': 1, 'missed': 2}


def test_predictions_of_a_class_without_truth_are_told_and_cost_nothing():
    result = score_tables(truth_of(TRUTH), table([*TRUTH, ('a', 2, 1, 1, 9)]), CLASSES, ACT)
    assert set(result.metrics.values()) == {1.0}
    assert result.notes == ['1 predictions are of classes without ground truth, which have no AP']


def test_subsets_are_means_over_their_classes():
    found = [('a', 0, 0.9, 1, 50), ('b', 0, 0.9, 1, 50)]
    subsets = {'top1': [1], 'top2': [0, 2]}
    result = score_tables(truth_of(TRUTH), table(found), CLASSES, PLAIN, subsets=subsets)
    assert (result.metrics['top1/mAP@0.5:0.95'], result.metrics['top2/mAP@0.5:0.95']) == (0.0, 1.0)
    assert 'top2: 1 of 2 classes have no ground truth and are left out' in result.notes
    with pytest.raises(InputError, match='gt: has no ground truth of the subset rare'):
        score_tables(truth_of(TRUTH), table(found), CLASSES, PLAIN, subsets={'rare': [2]})


def test_the_mean_of_the_evidence_is_the_headline(tmp_path):
    rng = np.random.default_rng(0)
    truth, found = [], []
    for number in range(40):
        first, length = rng.integers(1, 30, 2)
        truth.append((f'v{number % 7}', number % 2, 1, first, first + length))
        found += [(f'v{number % 7}', number % 2, rng.random(), first + rng.integers(0, 9), first + length + 9)] * 2
    result = score_tables(truth_of(truth), table(found), CLASSES, MULTISPORTS)
    result.write(tmp_path / 'out.json')
    evidence = read_evidence(tmp_path / 'out.evidence.npz')
    num_gts = np.bincount(evidence.gt_labels, minlength=3)
    ap = average_precision(evidence.hits, evidence.labels, num_gts, integration=evidence.integration)
    assert evidence.metric == list(result.metrics)[-1] == 'mAP@0.5:0.95'
    assert 0 < np.nanmean(ap) == pytest.approx(result.metrics[evidence.metric], abs=1e-15)


def test_errors_add_up_to_the_predictions_and_the_worst_cases_are_shown():
    found = [('a', 0, 0.9, 1, 50), ('a', 1, 0.8, 1, 50), ('c', 0, 0.7, 11, 21)]
    result = score_tables(truth_of(TRUTH), table(found), CLASSES, PLAIN, fps=10.0)
    errors = dict(zip(result.tables['errors']['kind'], result.tables['errors']['count']))
    assert {kind: count for kind, count in errors.items() if count} == {'found': 1, 'class': 1, 'extra': 1, 'missed': 2}
    assert result.details['errors']['classes']['jump'] == {'class': 1, 'missed': 1}
    worst = result.tables['worst']
    assert worst['text'] == [
        'class: jump, score 0.800',
        'extra: run, score 0.700',
        'missed: run, 50 frames',
        'missed: jump, 20 frames',
    ]
    assert worst['video'] == ['a', 'c', 'b', 'a']
    assert worst['time_s'][1] == 1.5  # frame 16 of those that count from 1
    assert (worst['x1'][0], worst['y2'][0]) == (0.0, 10.0)


def test_times_are_by_the_rate_of_each_film_and_none_where_it_is_not_known():
    found = [('a', 0, 0.9, 101, 101), ('c', 0, 0.7, 101, 101)]
    worst = score_tables(truth_of(TRUTH), table(found), CLASSES, PLAIN, fps={'a': 50.0, 'b': 10.0}).tables['worst']
    assert worst['time_s'][:2] == [2.0, None]


@pytest.mark.parametrize(
    ('change', 'cause'),
    [
        (dict(labels=np.array([0, 3, 0])), 'pred: row 1: the label is none of 3 classes'),
        (dict(scores=np.array([0.1, 0.2, np.nan])), 'pred: row 2: the score is not a finite number'),
        (dict(videos=['x', 'y']), "pred: no video of it is in gt (the first is 'x', there the first is 'a')"),
        (dict(offsets=np.array([0, 50, 50, 120])), 'pred: row 1: the tube has no box'),
    ],
)
def test_what_cannot_be_scored_is_refused_with_its_row(change, cause):
    with pytest.raises(InputError) as told:
        score_tables(truth_of(TRUTH), replace(table(TRUTH), **change), CLASSES, ACT)
    assert str(told.value) == cause


def test_empty_truth_and_a_threshold_that_is_none_are_refused():
    with pytest.raises(InputError, match='gt: has no ground truth, there is nothing to score'):
        score_tables(truth_of([]), table(TRUTH), CLASSES, ACT)
    with pytest.raises(InputError, match='IoU of errors'):
        score_tables(truth_of(TRUTH), table(TRUTH), CLASSES, ACT, error_iou=0.0)
