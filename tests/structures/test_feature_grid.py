"""Rows and seconds: SEAL's two streams, tubelets in the middle of a film, both directions."""

import numpy as np
import pytest

from mmtube.structures.feature_grid import FeatureGrid, rows_to_seconds, seconds_to_rows

SLOWFAST, TSP = FeatureGrid(30, 32, 4), FeatureGrid(15, 16, 2)


@pytest.mark.parametrize('num_frames', [0, 31, 32, 35, 36, 300, 901])
def test_both_streams_of_seal_have_the_same_windows(num_frames):
    even = num_frames // 2 * 2
    assert SLOWFAST.num_windows(even) == TSP.num_windows(even // 2)
    assert SLOWFAST.rate == TSP.rate == 7.5
    windows = np.arange(20)
    np.testing.assert_allclose(SLOWFAST.center_s(windows), TSP.center_s(windows))


def test_windows_are_not_padded():
    assert [SLOWFAST.num_windows(frames) for frames in (31, 32, 35, 36, 64)] == [0, 1, 1, 2, 9]


def test_window_i_is_centred_at_i_2_15_plus_8_15():
    assert SLOWFAST.center_s(0) == pytest.approx(8 / 15)
    assert SLOWFAST.center_s(10) == pytest.approx(20 / 15 + 8 / 15)


def test_a_tubelet_has_the_windows_whose_centre_lies_in_it():
    # Centres are 0.533, 0.667, 0.8, 0.933, 1.067, ...
    assert SLOWFAST.windows(0.6, 1.0, 100) == (1, 4)
    assert SLOWFAST.windows(8 / 15, 12 / 15, 100) == (0, 3)  # both ends count
    assert SLOWFAST.windows(0.0, 99.0, 100) == (0, 100)


@pytest.mark.parametrize(('span', 'window'), [((0.69, 0.75), 1), ((0.0, 0.2), 0), ((50.0, 60.0), 99)])
def test_a_tubelet_between_two_centres_or_at_the_ends_has_the_nearest_window(span, window):
    assert SLOWFAST.windows(*span, 100) == (window, window + 1)


def test_a_film_too_short_for_a_window_has_none():
    assert SLOWFAST.windows(0.0, 0.5, 0) == (0, 0)


def test_windows_are_those_of_a_literal_list():
    rng = np.random.default_rng(0)
    for _ in range(200):
        t0, t1 = np.sort(rng.random(2) * 20)
        centres = np.arange(130) * 2 / 15 + 8 / 15
        inside = np.flatnonzero((centres >= t0) & (centres <= t1))
        if len(inside):
            assert SLOWFAST.windows(t0, t1, 130) == (inside[0], inside[-1] + 1)


def test_seconds_and_rows_are_inverse_and_count_from_the_offset():
    assert seconds_to_rows(7.3, 7.2, 7.5) == pytest.approx(0.75)
    times = np.linspace(3, 9, 50)
    np.testing.assert_allclose(rows_to_seconds(seconds_to_rows(times, 7.2, 7.5), 7.2, 7.5), times)


def test_a_step_at_7_3_s_in_a_tubelet_that_begins_mid_film_comes_back_within_half_a_row():
    for t0 in (5.0, 6.1, 7.0, 7.25):
        first, end = SLOWFAST.windows(t0, 12.0, 1000)
        centres = SLOWFAST.center_s(np.arange(first, end))
        offset = centres[0]
        feature = (centres >= 7.3).astype(float)  # row by row, as an extractor sees it
        step = np.flatnonzero(feature)[0] - 0.5  # between two rows
        assert abs(rows_to_seconds(step, offset, SLOWFAST.rate) - 7.3) <= 1 / 15 + 1e-9, t0


@pytest.mark.parametrize('grid', [(0, 32, 4), (30, 0, 4), (30, 32, 0)])
def test_a_grid_must_move_on(grid):
    with pytest.raises(ValueError, match='must be positive'):
        FeatureGrid(*grid)
