from itertools import pairwise

import numpy as np
import pytest

from mmtube.evaluation.functional.average_precision import average_precision, mean_over_classes


def literal(hits, num_gt, integration, steps=None):
    """Points of the curve one after the other; for the steps, only where one ends."""
    if integration == 'step':
        area, before = 0.0, 0
        for step in dict.fromkeys(steps):
            place = max(number for number, one in enumerate(steps, 1) if one == step)
            true = sum(hits[:place])
            area, before = area + (true - before) / num_gt * true / place, true
        return area
    true, points = 0, [(1.0, 0.0)]
    for place, hit in enumerate(hits, 1):
        true += hit
        points.append((true / place, true / num_gt))
    if integration == 'trapezoid':
        return sum((r1 - r0) * (p0 + p1) / 2 for (p0, r0), (p1, r1) in pairwise(points))
    return sum(
        (points[i][1] - points[i - 1][1]) * max(precision for precision, _ in points[i:]) for i in range(1, len(points))
    )


def test_the_envelope_takes_the_best_precision_at_no_smaller_recall():
    # Precision 1/2 at recall 1/2, 2/3 at recall 1: the envelope is 2/3 all over.
    assert average_precision([[False, True, True]], [0, 0, 0], [2])[0, 0] == pytest.approx(2 / 3, abs=1e-15)


def test_the_trapezoid_joins_the_points_of_the_same_curve():
    # Between (0, 0) and (1/2, 1/2) the mean is 1/4, between 1/2 and 2/3 it is 7/12.
    ap = average_precision([[False, True, True]], [0, 0, 0], [2], integration='trapezoid')
    assert ap[0, 0] == pytest.approx((1 / 4 + 7 / 12) / 2, abs=1e-15)


def test_the_trapezoid_begins_at_precision_one():
    assert average_precision([[True]], [0], [2], integration='trapezoid')[0, 0] == 0.5


def test_a_step_of_equal_scores_has_the_precision_after_its_last_detection():
    hits, labels = [[True, False, True]], [0, 0, 0]

    def step(*tied):
        return average_precision(hits, labels, [2], integration='step', tied=np.array(tied))[0, 0]

    assert average_precision(hits, labels, [2], integration='step')[0, 0] == (1 + 2 / 3) / 2
    assert step(False, False, False) == (1 + 2 / 3) / 2
    assert step(False, True, False) == (1 / 2 + 2 / 3) / 2
    assert step(False, False, True) == (1 + 2 / 3) / 2
    assert step(False, True, True) == 2 / 3


def test_a_step_without_envelope_is_not_lifted_by_what_follows():
    assert average_precision([[False, True, True]], [0, 0, 0], [2], integration='step')[0, 0] == (1 / 2 + 2 / 3) / 2


def test_a_step_is_of_one_class():
    # All have one score, the classes take turns: class 0 has a hit and a miss in its step, class 1 only a hit.
    tied = np.array([False, True, True])
    ap = average_precision([[True, True, False]], [0, 1, 0], [1, 1], integration='step', tied=tied)
    assert ap.tolist() == [[0.5, 1.0]]


def test_ties_are_for_steps_only():
    with pytest.raises(ValueError, match="not for 'envelope'"):
        average_precision([[True]], [0], [1], tied=np.array([False]))


@pytest.mark.parametrize('integration', ['envelope', 'trapezoid', 'step'])
@pytest.mark.parametrize('count', [1, 3, 7, 49, 1000])
def test_perfect_detections_give_exactly_one(integration, count):
    ap = average_precision(np.ones((1, count), bool), np.zeros(count), [count], integration=integration)
    assert ap[0, 0] == 1.0


def test_missed_ground_truth_lowers_the_recall():
    assert average_precision([[True]], [0], [4])[0, 0] == 0.25


def test_a_class_without_detections_has_no_ap_and_one_without_ground_truth_is_no_class():
    ap = average_precision([[True, True]], [0, 2], [1, 1, 0])
    assert ap[0, :2].tolist() == [1.0, 0.0]
    assert np.isnan(ap[0, 2])


@pytest.mark.parametrize('integration', ['envelope', 'trapezoid', 'step'])
@pytest.mark.parametrize('seed', range(50))
def test_classes_and_thresholds_do_not_see_each_other(integration, seed):
    rng = np.random.default_rng(seed)
    hits, labels = rng.random((3, 40)) < 0.4, rng.integers(0, 4, 40)
    num_gts = np.bincount(labels, minlength=5) + rng.integers(1, 3, 5)
    tied = rng.random(40) < 0.6 if integration == 'step' else None
    steps = np.cumsum(~tied) if integration == 'step' else np.arange(40)
    ap = average_precision(hits, labels, num_gts, integration=integration, tied=tied)
    for row in range(3):
        for label in range(5):
            own = labels == label
            expected = literal(hits[row, own], num_gts[label], integration, steps[own].tolist())
            assert ap[row, label] == pytest.approx(expected, abs=1e-12)


def test_the_mean_leaves_out_classes_without_ground_truth():
    ap = np.array([[1.0, np.nan, 0.5]])
    assert mean_over_classes(ap).tolist() == [0.75]
    assert mean_over_classes(ap, np.array([1, 2])).tolist() == [0.5]


def test_there_is_no_mean_over_nothing():
    with pytest.raises(ValueError, match='none of the classes'):
        mean_over_classes(np.array([[np.nan, 1.0]]), np.array([0]))


def test_an_unknown_integration_is_refused():
    with pytest.raises(ValueError, match='eleven'):
        average_precision([[True]], [0], [1], integration='eleven points')
