"""Which box a person has at a time, and when none."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmtube.ops import pick_boxes, sample_boxes

LIMITS = dict(nearest_s=0.5, gap_s=1.0)
centiseconds = st.lists(st.integers(0, 300), max_size=20, unique=True).map(sorted)
wanted_centiseconds = st.lists(st.integers(-50, 350), min_size=1, max_size=20)
limits = st.sampled_from([0.0, 0.1, 0.25, 0.5, 1.0])


def boxes(times_s):
    """A box whose left edge tells its time."""
    times_s = np.asarray(times_s, np.float64)
    return times_s, np.stack([100 * times_s, 0 * times_s, 100 * times_s + 10, 0 * times_s + 10], 1).astype(np.float32)


def literal(known, wanted, cuts, nearest, gap, between_first):
    """The rule in whole hundredths of a second: the box of one time as its left edge, or None."""
    before = max((time for time in known if time < wanted), default=None)
    after = min((time for time in known if time >= wanted), default=None)
    # Only the neighbours in time are asked, so that a cut between two boxes ends both.
    shots = {time: sum(cut <= time for cut in cuts) for time in [*known, wanted]}
    before, after = (time if time is not None and shots[time] == shots[wanted] else None for time in (before, after))
    on_the_line = None
    if before is not None and after is not None and after - before <= gap:
        share = (wanted - before) / (after - before)
        on_the_line = before + share * (after - before)
    near = [(abs(time - wanted), time) for time in (before, after) if time is not None]
    held = min(near)[1] if near and min(near)[0] <= nearest else None
    first, second = (on_the_line, held) if between_first else (held, on_the_line)
    return second if first is None else first


@given(centiseconds, wanted_centiseconds, st.lists(st.integers(0, 300), max_size=3), limits, limits, st.booleans())
def test_it_is_the_rule_word_for_word(known, wanted, cuts, nearest_s, gap_s, between_first):
    expected = [
        literal(known, time, cuts, round(100 * nearest_s), round(100 * gap_s), between_first) for time in wanted
    ]
    times_s, rows = boxes(np.array(known, np.float64) / 100)
    cuts_s = np.sort(np.array(cuts, np.float64)) / 100
    found, valid = sample_boxes(
        times_s, rows, np.array(wanted) / 100, nearest_s, gap_s, cuts_s, between_first=between_first
    )
    assert valid.tolist() == [left is not None for left in expected]
    np.testing.assert_allclose(found[:, 0], [0 if left is None else left for left in expected], atol=1e-4)
    assert (found[~valid] == 0).all() and found.dtype == np.float32


def test_the_nearest_box_is_taken_and_of_two_as_near_the_earlier():
    found, valid = sample_boxes(*boxes([0, 0.4]), [0.05, 0.2, 0.21, 0.8], **LIMITS)
    assert found[:, 0].tolist() == [0, 0, 40, 40] and valid.all()


def test_half_a_second_is_near_enough_and_more_is_not():
    found, valid = sample_boxes(*boxes([2.0]), [1.49, 1.5, 2.5, 2.51], **LIMITS)
    assert valid.tolist() == [False, True, True, False]
    assert found[0].tolist() == [0, 0, 0, 0]


def test_a_short_hole_is_interpolated_where_no_box_is_near():
    found, valid = sample_boxes(*boxes([0, 1.0]), [0.25, 0.5], nearest_s=0.1, gap_s=1.0)
    assert found[:, 0].tolist() == [25, 50] and found[:, 2].tolist() == [35, 60] and valid.all()
    assert not sample_boxes(*boxes([0, 1.1]), [0.5], nearest_s=0.1, gap_s=1.0)[1].any()


def test_a_hole_may_be_interpolated_though_a_box_is_near():
    known, wanted = boxes([0, 1.0, 3.0]), [-0.2, 0.25, 0.5, 1.0, 1.2, 1.5, 3.25]
    found, valid = sample_boxes(*known, wanted, nearest_s=0.25, gap_s=1.0, between_first=True)
    assert found[:, 0].tolist() == [0, 25, 50, 100, 100, 0, 300]
    assert valid.tolist() == [True, True, True, True, True, False, True]


def test_a_hole_of_a_second_has_a_box_everywhere_and_one_of_two_seconds_has_not():
    wanted = np.arange(0, 2.01, 0.125)
    assert sample_boxes(*boxes([0, 1.0]), wanted[wanted <= 1], **LIMITS)[1].all()
    assert sample_boxes(*boxes([0, 2.0]), wanted, **LIMITS)[1].tolist() == [True] * 5 + [False] * 7 + [True] * 5


def test_boxes_of_another_shot_do_not_count():
    found, valid = sample_boxes(*boxes([0, 0.8]), [0.3, 0.45, 0.55], cuts_s=[0.5], **LIMITS)
    assert found[:, 0].tolist() == [0, 0, 80] and valid.all()
    _, valid = sample_boxes(*boxes([0, 0.8]), [0.3, 0.5], cuts_s=[0.4], nearest_s=0.2, gap_s=1)
    assert valid.tolist() == [False, False]  # no interpolation across the cut


def test_the_tolerance_is_for_limits_and_for_boxes_as_near():
    known = boxes([0, 1.0])
    for tolerance_s, expected in ((1e-6, [True, False]), (0.0, [False, False]), (0.01, [True, True])):
        wanted = [1.5 + 5e-7, 1.5 + 5e-3]
        assert sample_boxes(*known, wanted, **LIMITS, tolerance_s=tolerance_s)[1].tolist() == expected
    found = [sample_boxes(*known, [0.5 + 5e-7], **LIMITS, tolerance_s=seconds)[0][0, 0] for seconds in (1e-6, 0)]
    assert found == [0, 100]
    assert sample_boxes(*known, [0.5], **LIMITS, tolerance_s=0)[0][0, 0] == 0  # of two as near still the earlier


def test_limits_without_end_hold_the_ends_and_fill_every_hole():
    known = boxes([1.0, 9.0])
    found, valid = sample_boxes(*known, [-50, 3.0, 99], np.inf, 0)
    assert found[:, 0].tolist() == [100, 100, 900] and valid.all()
    found, valid = sample_boxes(*known, [-50, 3.0, 99], 0, np.inf)
    assert found[:, 0].tolist() == [0, 300, 0] and valid.tolist() == [False, True, False]
    assert not sample_boxes(*known, [5.0], np.inf, np.inf, cuts_s=[4.0, 6.0])[1].any()


def test_without_boxes_or_times_there_is_none():
    found, valid = sample_boxes(np.zeros(0), np.zeros((0, 4), np.float32), [1.0], np.inf, np.inf)
    assert found.tolist() == [[0, 0, 0, 0]] and not valid.any()
    found, valid = sample_boxes(*boxes([1.0]), [], **LIMITS)
    assert found.shape == (0, 4) and valid.shape == (0,)


def test_what_is_picked_tells_the_nearest_row_and_how_far_it_is():
    _, known = boxes([0, 1.0, 2.0])
    rows = np.array([[-1, 0, 1, 0], [0, 1, 2, 99]])
    away_s = np.array([[np.inf, 0.4, 0.7, np.inf], [0.25, 0.6, 0.3, np.inf]])
    picked = pick_boxes(known, rows, away_s, nearest_s=np.array([0.25, 0.25, 0.3, 9]), gap_s=1)
    assert picked.boxes[:, 0].tolist() == pytest.approx([0, 40, 200, 0])
    assert picked.valid.tolist() == [True, True, True, False]
    assert picked.nearest[:3].tolist() == [0, 0, 2]
    assert picked.distance_s.tolist() == [0.25, 0.4, 0.3, np.inf]


@given(centiseconds.filter(len), wanted_centiseconds)
def test_a_box_that_is_given_is_never_further_than_the_limit(known, wanted):
    times_s, rows = boxes(np.array(known) / 100)
    wanted_s = np.array(wanted) / 100
    found, valid = sample_boxes(times_s, rows, wanted_s, **LIMITS)
    away = np.abs(times_s[:, None] - wanted_s).min(axis=0)
    assert (valid == (away <= 0.5 + 1e-6)).all()  # with these limits a hole of a second is never interpolated
    np.testing.assert_allclose(np.abs(found[valid, 0] / 100 - wanted_s[valid]), away[valid], atol=1e-5)


@given(centiseconds, wanted_centiseconds, limits, limits, st.booleans(), st.randoms(use_true_random=False))
def test_each_time_is_looked_up_on_its_own(known, wanted, nearest_s, gap_s, between_first, random):
    arguments = (*boxes(np.array(known, np.float64) / 100), nearest_s, gap_s)
    times_s, rows, *rule = arguments
    order = random.sample(range(len(wanted)), len(wanted))
    wanted_s = np.array(wanted) / 100
    found, valid = sample_boxes(times_s, rows, wanted_s, *rule, between_first=between_first)
    mixed, mixed_valid = sample_boxes(times_s, rows, wanted_s[order], *rule, between_first=between_first)
    np.testing.assert_array_equal(mixed, found[order])
    np.testing.assert_array_equal(mixed_valid, valid[order])
