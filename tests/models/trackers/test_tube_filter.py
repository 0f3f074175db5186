import numpy as np
import pytest

from mmtube.models.trackers.tube_filter import TubeFilter, spread_in_heights
from mmtube.structures import Tube


def tube(score=0.9, frames=50, step=2.0, observed=None):
    inds = np.arange(frames)
    x = 10 + step * inds
    boxes = np.stack([x, np.full(frames, 10.0), x + 20, np.full(frames, 60.0)], axis=1)
    return Tube(1, inds, inds / 25, boxes, np.full(frames, score), observed)


def kept(item, **limits):
    return bool(TubeFilter(**limits)([item]))


def test_a_strong_long_tube_is_a_person():
    assert kept(tube())


def test_the_mean_score_decides_and_not_the_best_one():
    thing = tube(score=0.4)
    thing.scores[::10] = 0.99  # mean 0.459
    assert not kept(thing)
    assert kept(thing, min_mean_score=0.45)


def test_filled_in_boxes_do_not_count_for_the_mean():
    person = tube(score=0.7)
    person.observed[10:30] = False
    person.scores[10:30] = 0.0
    assert kept(person)


def test_what_does_not_move_needs_a_higher_score():
    assert kept(tube(score=0.6, step=2.0))
    assert not kept(tube(score=0.6, step=0.0))
    assert kept(tube(score=0.7, step=0.0))


def test_too_few_boxes_or_too_short_a_time_is_nobody():
    assert not kept(tube(frames=5))
    assert not kept(tube(frames=8), min_duration_s=0.29)
    assert kept(tube(frames=8), min_duration_s=0.28)


def test_a_tube_that_is_mostly_filled_in_is_nobody():
    assert kept(tube(observed=np.arange(50) % 2 == 0))
    assert not kept(tube(observed=np.arange(50) % 3 == 0))


@pytest.mark.parametrize(
    'item, verdict',
    [
        (tube(), ''),
        (tube(frames=5), 'fewer than 6 boxes'),
        (tube(score=0.5), 'mean score below 0.55'),
        (tube(score=0.6, step=0.0), 'still, and mean score below 0.65'),
        (tube(observed=np.arange(50) % 3 == 0), 'less than 50% detected'),
    ],
)
def test_the_verdict_says_why(item, verdict):
    assert TubeFilter().verdict(item) == verdict


def test_spread_is_measured_in_body_heights():
    # 11 boxes 10 px apart, 50 px high: distances to the median are 0, 10, 10, .. 50, 50; the 90 % quantile is 50.
    assert spread_in_heights(tube(frames=11, step=10.0)) == pytest.approx(1.0)


@pytest.mark.parametrize('bad', [{'min_boxes': -1}, {'min_mean_score': 1.5}, {'min_density': 2}])
def test_limits_that_make_no_sense_are_refused(bad):
    with pytest.raises(ValueError):
        TubeFilter(**bad)


def test_the_limit_of_stillness_is_still():
    inds = np.arange(50)
    thing = Tube(1, inds, inds / 25, np.tile([10, 10, 30, 60], (50, 1)), np.full(50, 0.6))
    assert TubeFilter(still_spread=0.0)([thing]) == []


def test_a_tube_without_rows_is_nobody():
    assert not kept(tube(frames=0), min_boxes=0)
