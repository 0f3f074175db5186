"""Which boxes a person has on the grid of a film."""

import numpy as np
import pytest

from mmtube.models.tubelet_features import BoxGrid, TubeletBoxes


def boxes(times_s):
    """A box whose left edge tells its time."""
    times_s = np.asarray(times_s, np.float64)
    return times_s, np.stack([100 * times_s, 0 * times_s, 100 * times_s + 10, 0 * times_s + 10], 1).astype(np.float32)


def test_the_grid_lies_in_the_middle_of_its_steps():
    grid = BoxGrid(4)
    assert grid.within(7.0, 8.0).tolist() == [28, 29, 30, 31]
    assert grid.times_s(grid.within(7.0, 8.0)).tolist() == [7.125, 7.375, 7.625, 7.875]


def test_a_tubelet_has_boxes_in_its_span_alone():
    tubelet = TubeletBoxes('a', *boxes(np.arange(25, 50) / 25), 1.0, 2.0)
    slots = BoxGrid(4).slot_boxes(tubelet, (320, 240))
    assert (slots.first + np.flatnonzero(slots.inside)).tolist() == [4, 5, 6, 7]
    rows, valid = slots.at(np.arange(2, 9))
    assert valid.tolist() == [False, False, True, True, True, True, False]
    assert (rows[~valid] == 0).all()
    np.testing.assert_allclose(rows[valid, 0], [112, 136, 164, 188], atol=1e-4)  # nearest of 25 per second


def test_times_near_a_tubelet_have_its_box_where_nobody_asks_for_others():
    tubelet = TubeletBoxes('a', *boxes(np.arange(25, 50) / 25), 1.0, 2.0)
    slots = BoxGrid(4, nearest_s=0.3).slot_boxes(tubelet, (320, 240))
    rows, valid = slots.at(np.arange(0, 4))  # 0.125 to 0.875 s; the box at 1 s is 0.125 s from the last of them
    assert valid.tolist() == [False, False, False, True] and rows[3].tolist() == tubelet.boxes_px[0].tolist()
    assert slots.at(np.arange(0, 5))[1].tolist() == [False, False, False, False, True]
    assert slots.at(np.arange(8, 11))[1].tolist() == [True, False, False]


def test_a_tubelet_between_two_times_of_the_grid_has_the_nearest():
    slots = BoxGrid(2).slot_boxes(TubeletBoxes('a', *boxes([7.0, 7.04]), 7.0, 7.08), (1000, 240))
    assert (slots.first + np.flatnonzero(slots.inside)).tolist() == [14]  # 7.25 s
    assert slots.at(np.array([13, 14, 15]))[1].tolist() == [False, True, False]


def test_boxes_are_cut_at_the_frame_and_one_outside_is_none():
    rows = np.float32([[-20, -5, 30, 100], [330, 10, 350, 40]])
    slots = BoxGrid(4).slot_boxes(TubeletBoxes('a', [0.1, 0.4], rows, 0, 0.5), (320, 80))
    assert slots.boxes_px[0].tolist() == [0, 0, 30, 80]
    assert slots.at(np.array([0, 1]))[1].tolist() == [True, False]


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match='2 times for 1 boxes'):
        TubeletBoxes('a', [0, 1], [[0, 0, 1, 1]], 0, 1)
    with pytest.raises(ValueError, match='do not increase'):
        TubeletBoxes('a', [1, 1], [[0, 0, 1, 1]] * 2, 0, 1)
    with pytest.raises(ValueError, match='box_fps'):
        BoxGrid(0)
