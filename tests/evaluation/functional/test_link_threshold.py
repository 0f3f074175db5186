import numpy as np
import pytest
from scipy.stats import binom

from mmtube.errors import InputError
from mmtube.evaluation.functional.link_threshold import threshold_curve, upper_bound


@pytest.mark.parametrize('wrong, total', [(0, 10), (1, 50), (5, 300), (40, 45)])
def test_with_the_bound_as_true_rate_so_few_wrong_ones_are_as_rare_as_stated(wrong, total):
    bound = float(upper_bound(np.array(wrong), np.array(total), 0.95))
    assert binom.cdf(wrong, total, bound) == pytest.approx(0.05, abs=1e-9)


def test_nothing_counted_bounds_nothing():
    assert upper_bound(np.array([0, 3]), np.array([0, 3]), 0.95).tolist() == [1, 1]
    with pytest.raises(ValueError):
        upper_bound(np.array(0), np.array(1), 1.0)


def order(*merges):
    costs, right = zip(*merges)
    return np.array(costs), np.array(right), ~np.array(right)


def test_a_merge_after_a_dear_one_needs_the_dear_one():
    curve = threshold_curve([order((0.1, True), (0.4, False), (0.2, True)), order((0.3, True))], 5, 0.95)
    assert curve.thresholds.tolist() == [0.1, 0.3, 0.4]
    assert curve.right.tolist() == [1, 2, 3] and curve.wrong.tolist() == [0, 0, 1]
    assert curve.recall.tolist() == [0.2, 0.4, 0.6]
    assert curve.rate[-1] == 0.25


def test_undecided_merges_count_neither_way():
    merges = np.array([0.1, 0.2]), np.array([True, False]), np.array([False, False])
    curve = threshold_curve([merges], 1, 0.95)
    assert (curve.right[-1], curve.wrong[-1]) == (1, 0)


def test_most_right_merges_within_the_rate_are_chosen_at_the_lowest_threshold():
    merges = [(i / 1000, True) for i in range(400)] + [(0.5, False), (0.6, True)]
    merges += [(0.7 + i / 1000, False) for i in range(20)]
    curve = threshold_curve([order(*merges)], 421, 0.95)
    assert curve.thresholds[curve.choose(0.01)] == pytest.approx(0.399)  # 1 wrong of 401 is bounded by 1.18 %
    assert curve.thresholds[curve.choose(0.012)] == pytest.approx(0.6)
    assert curve.thresholds[curve.choose(0.02)] == pytest.approx(0.6)  # 0.7 adds a wrong merge and no right one


def test_too_few_merges_are_refused_with_the_number_that_it_takes():
    curve = threshold_curve([order((0.1, True), (0.2, True))], 2, 0.95)
    with pytest.raises(InputError, match='it takes 299 merges'):
        curve.choose(0.01)
    empty = threshold_curve([], 0, 0.95)
    with pytest.raises(InputError):
        empty.choose(0.01)
