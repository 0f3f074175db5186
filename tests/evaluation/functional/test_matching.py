import numpy as np
import pytest

from mmtube.evaluation.functional.matching import match


def literal(rule, iou, threshold):
    """Each detection in turn, as the official scripts write it down."""
    found, used = [], set()
    for row in iou:
        wanted = np.argsort(-row, kind='stable')
        hit = -1
        for gt in wanted[:1] if rule == 'best' else wanted:
            if row[gt] < threshold:
                break
            if gt not in used:
                used.add(hit := int(gt))
                break
        found.append(hit)
    return found


def matched(rule, iou, thresholds):
    iou = np.asarray(iou, np.float64)
    dets, gts = np.nonzero(np.ones_like(iou))
    return match(rule, dets, gts, iou[dets, gts], *iou.shape, np.asarray(thresholds)).tolist()


def test_a_second_detection_of_the_best_truth_is_false_for_one_rule_and_finds_the_next_best_for_the_other():
    iou = [[0.9, 0.6], [0.8, 0.7]]  # both overlap truth 0 most
    assert matched('best', iou, [0.5]) == [[0, -1]]
    assert matched('next_best', iou, [0.5]) == [[0, 1]]


def test_a_detection_that_misses_the_threshold_leaves_the_truth_to_the_next_one():
    assert matched('best', [[0.4], [0.6]], [0.5]) == [[-1, 0]]


def test_an_iou_equal_to_the_threshold_counts():
    assert matched('best', [[0.5]], [0.5, np.nextafter(0.5, 1)]) == [[0], [-1]]


def test_of_two_truths_with_one_iou_the_first_is_preferred():
    assert matched('best', [[0.7, 0.7], [0.7, 0.7]], [0.5]) == [[0, -1]]
    assert matched('next_best', [[0.7, 0.7], [0.7, 0.7]], [0.5]) == [[0, 1]]


def test_thresholds_do_not_see_each_other():
    # At 0.5 the first takes truth 0, at 0.8 it takes nothing and the second finds truth 0.
    assert matched('next_best', [[0.6], [0.9]], [0.5, 0.8]) == [[0, -1], [-1, 0]]


def test_who_is_turned_away_may_turn_away_another():
    # 0 takes a; 1 wanted a, takes b; 2 wanted b, takes c.
    assert matched('next_best', [[0.9, 0, 0], [0.9, 0.8, 0], [0, 0.9, 0.6]], [0.5]) == [[0, 1, 2]]


@pytest.mark.parametrize('rule', ['best', 'next_best'])
@pytest.mark.parametrize('seed', range(200))
def test_all_at_once_is_what_one_after_the_other_gives(rule, seed):
    rng = np.random.default_rng(seed)
    iou = np.round(rng.random(rng.integers(1, 14, 2)), int(rng.integers(1, 3)))  # many ties
    thresholds = [0.1, 0.3, 0.5, 0.75]
    order = rng.permutation(iou.size)
    dets, gts = (axis[order] for axis in np.nonzero(np.ones_like(iou)))
    found = match(rule, dets, gts, iou[dets, gts], *iou.shape, thresholds)
    assert found.tolist() == [literal(rule, iou, threshold) for threshold in thresholds]


def test_nothing_matches_nothing():
    none = np.zeros(0, np.int64)
    assert match('next_best', none, none, np.zeros(0), 3, 0, [0.5]).tolist() == [[-1, -1, -1]]
    assert match('best', none, none, np.zeros(0), 0, 2, [0.5]).shape == (1, 0)


def test_an_unknown_rule_is_refused():
    with pytest.raises(ValueError, match='hungarian'):
        match('hungarian', np.zeros(0), np.zeros(0), np.zeros(0), 0, 0, [0.5])
