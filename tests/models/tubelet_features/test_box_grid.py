"""Which box a person has at a time, and when none."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmtube.models.tubelet_features import BoxGrid, TubeletBoxes, sample_boxes


def boxes(times_s):
    """A box whose left edge tells its time."""
    times_s = np.asarray(times_s, np.float64)
    return times_s, np.stack([100 * times_s, 0 * times_s, 100 * times_s + 10, 0 * times_s + 10], 1).astype(np.float32)


def test_the_nearest_box_is_taken_and_of_two_as_near_the_earlier():
    found, valid = sample_boxes(*boxes([0, 0.4]), np.array([0.05, 0.2, 0.21, 0.8]))
    assert found[:, 0].tolist() == [0, 0, 40, 40] and valid.all()


def test_half_a_second_is_near_enough_and_more_is_not():
    found, valid = sample_boxes(*boxes([2.0]), np.array([1.49, 1.5, 2.5, 2.51]))
    assert valid.tolist() == [False, True, True, False]
    assert found[0].tolist() == [0, 0, 0, 0]


def test_a_short_hole_is_interpolated_where_no_box_is_near():
    limits = dict(nearest_s=0.1, gap_s=1.0)
    found, valid = sample_boxes(*boxes([0, 1.0]), np.array([0.25, 0.5]), **limits)
    assert found[:, 0].tolist() == [25, 50] and found[:, 2].tolist() == [35, 60] and valid.all()
    assert not sample_boxes(*boxes([0, 1.1]), np.array([0.5]), **limits)[1].any()


def test_a_hole_of_a_second_has_a_box_everywhere_and_one_of_two_seconds_has_not():
    wanted = np.arange(0, 2.01, 0.125)
    assert sample_boxes(*boxes([0, 1.0]), wanted[wanted <= 1])[1].all()
    assert sample_boxes(*boxes([0, 2.0]), wanted)[1].tolist() == [True] * 5 + [False] * 7 + [True] * 5


def test_boxes_of_another_shot_do_not_count():
    found, valid = sample_boxes(*boxes([0, 0.8]), np.array([0.3, 0.45, 0.55]), cuts_s=[0.5], nearest_s=0.5)
    assert found[:, 0].tolist() == [0, 0, 80] and valid.all()
    _, valid = sample_boxes(*boxes([0, 0.8]), np.array([0.3, 0.5]), cuts_s=[0.4], nearest_s=0.2, gap_s=1)
    assert valid.tolist() == [False, False]  # no interpolation across the cut


def test_without_boxes_there_is_none():
    found, valid = sample_boxes(np.zeros(0), np.zeros((0, 4), np.float32), np.array([1.0]))
    assert found.tolist() == [[0, 0, 0, 0]] and not valid.any()


@given(st.lists(st.integers(0, 300), min_size=1, max_size=20, unique=True), st.lists(st.integers(-50, 350), min_size=1))
def test_a_box_that_is_given_is_never_further_than_the_limit(centiseconds, wanted):
    times_s, rows = boxes(np.sort(centiseconds) / 100)
    wanted_s = np.array(wanted) / 100
    found, valid = sample_boxes(times_s, rows, wanted_s)
    away = np.abs(times_s[:, None] - wanted_s).min(axis=0)
    assert (valid == (away <= 0.5 + 1e-6)).all()  # with these limits a hole of a second is never interpolated
    np.testing.assert_allclose(np.abs(found[valid, 0] / 100 - wanted_s[valid]), away[valid], atol=1e-5)


def test_the_grid_lies_in_the_middle_of_its_steps():
    grid = BoxGrid(4)
    assert grid.within(7.0, 8.0).tolist() == [28, 29, 30, 31]
    assert grid.times_s(grid.within(7.0, 8.0)).tolist() == [7.125, 7.375, 7.625, 7.875]


def test_a_tubelet_has_boxes_in_its_span_alone():
    tubelet = TubeletBoxes('a', *boxes(np.arange(25, 50) / 25), 1.0, 2.0)
    slots = BoxGrid(4).slot_boxes(tubelet, (320, 240))
    assert (slots.first, len(slots.valid)) == (4, 4) and slots.valid.all()
    rows, valid = slots.at(np.arange(2, 9))
    assert valid.tolist() == [False, False, True, True, True, True, False]
    assert (rows[~valid] == 0).all()
    np.testing.assert_allclose(rows[valid, 0], [112, 136, 164, 188], atol=1e-4)  # nearest of 25 per second


def test_a_tubelet_between_two_times_of_the_grid_has_the_nearest():
    slots = BoxGrid(2).slot_boxes(TubeletBoxes('a', *boxes([7.0, 7.04]), 7.0, 7.08), (1000, 240))
    assert slots.first == 14 and slots.valid.tolist() == [True]  # 7.25 s


def test_boxes_are_cut_at_the_frame_and_one_outside_is_none():
    rows = np.float32([[-20, -5, 30, 100], [330, 10, 350, 40]])
    slots = BoxGrid(4).slot_boxes(TubeletBoxes('a', [0.1, 0.4], rows, 0, 0.5), (320, 80))
    assert slots.boxes_px[0].tolist() == [0, 0, 30, 80]
    assert slots.valid.tolist() == [True, False]


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match='2 times for 1 boxes'):
        TubeletBoxes('a', [0, 1], [[0, 0, 1, 1]], 0, 1)
    with pytest.raises(ValueError, match='do not increase'):
        TubeletBoxes('a', [1, 1], [[0, 0, 1, 1]] * 2, 0, 1)
    with pytest.raises(ValueError, match='box_fps'):
        BoxGrid(0)
