import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mmtube.ops import box_iou, fill_gaps, interpolate_boxes, temporal_iou, tube_iou

BOX = [0.0, 0, 4, 4]
frame_sets = st.sets(st.integers(0, 40), max_size=15).map(lambda frames: np.array(sorted(frames), np.int64))


@st.composite
def tubes(draw):
    frames = draw(frame_sets)
    corner = draw(hnp.arrays(np.int64, (len(frames), 2), elements=st.integers(0, 9)))
    side = draw(hnp.arrays(np.int64, (len(frames), 2), elements=st.integers(1, 9)))
    return frames, np.concatenate([corner, corner + side], axis=1).astype(np.float32)


@given(frame_sets, frame_sets)
def test_temporal_iou_is_that_of_the_sets(a, b):
    first, second = set(a.tolist()), set(b.tolist())
    expected = len(first & second) / len(first | second) if first | second else 0
    assert temporal_iou(a, b) == expected


def test_tube_iou_is_temporal_iou_times_mean_box_iou():
    # Frames 0..3 and 2..5 share 2 of 6; the boxes there have IoU 1 and 1/3.
    boxes_b = [BOX, [2, 0, 6, 4], BOX, BOX]
    assert tube_iou(range(4), [BOX] * 4, range(2, 6), boxes_b) == pytest.approx(2 / 6 * (1 + 1 / 3) / 2)


def test_holes_count_as_absent():
    assert tube_iou([0, 3], [BOX] * 2, range(4), [BOX] * 4) == 0.5


def test_tubes_of_one_frame_and_of_none():
    assert tube_iou([7], [BOX], [7], [BOX]) == 1
    assert tube_iou([7], [BOX], [8], [BOX]) == 0
    assert tube_iou([], [], [], []) == 0


@given(tubes(), tubes(), st.integers(0, 20))
def test_tube_iou_is_symmetric_bounded_and_ignores_shifts(a, b, shift):
    iou = tube_iou(*a, *b)
    assert 0 <= iou <= 1
    assert iou == tube_iou(*b, *a)
    assert iou == tube_iou(a[0] + shift, a[1] + shift, b[0] + shift, b[1] + shift)


@given(tubes())
def test_tube_iou_with_itself_is_exactly_one(tube):
    assert tube_iou(*tube, *tube) == (1 if len(tube[0]) else 0)


@given(tubes(), tubes())
def test_tube_iou_equals_the_loop_over_frames(a, b):
    boxes_a, boxes_b = (dict(zip(frames.tolist(), boxes)) for frames, boxes in (a, b))
    shared = sorted(boxes_a.keys() & boxes_b.keys())
    spatial = [box_iou(boxes_a[frame][None], boxes_b[frame][None])[0, 0] for frame in shared]
    expected = sum(spatial) / len(boxes_a.keys() | boxes_b.keys()) if shared else 0
    assert tube_iou(*a, *b) == pytest.approx(expected, rel=1e-12)


def test_boxes_between_two_frames_lie_on_the_line():
    boxes = np.array([[0, 0, 4, 8], [8, 0, 16, 8]], np.float32)
    middle = interpolate_boxes([10, 14], boxes, [11, 12.0])
    assert middle.tolist() == [[2, 0, 7, 8], [4, 0, 10, 8]]
    assert middle.dtype == np.float32


@given(tubes())
def test_known_frames_give_their_boxes_exactly(tube):
    frames, boxes = tube
    boxes = boxes / np.float32(3)
    np.testing.assert_array_equal(interpolate_boxes(frames, boxes, frames), boxes)


def test_nothing_is_extrapolated():
    with pytest.raises(ValueError, match='extrapolated'):
        interpolate_boxes([3, 5], np.array([BOX, BOX]), [6])
    with pytest.raises(ValueError, match='extrapolated'):
        interpolate_boxes([], np.zeros((0, 4)), [6])


def test_short_holes_are_filled_and_long_ones_stay():
    frames, observed, (boxes, times) = fill_gaps(
        [0, 3, 7], [np.array([BOX, [3, 0, 7, 4], BOX]), np.array([0.0, 0.3, 0.7])], max_gap=2
    )
    assert frames.tolist() == [0, 1, 2, 3, 7]
    assert observed.tolist() == [True, False, False, True, True]
    assert boxes[:, 0].tolist() == [0, 1, 2, 3, 0]
    np.testing.assert_allclose(times, [0, 0.1, 0.2, 0.3, 0.7])


@given(tubes(), st.integers(0, 5))
def test_filling_keeps_known_rows_and_leaves_only_long_holes(tube, max_gap):
    frames, boxes = tube
    filled, observed, (filled_boxes,) = fill_gaps(frames, [boxes], max_gap)
    np.testing.assert_array_equal(filled[observed], frames)
    np.testing.assert_array_equal(filled_boxes[observed], boxes)
    holes = np.diff(filled) - 1
    assert ((holes == 0) | (holes > max_gap)).all()
    assert set(holes[holes > 0]) == {hole for hole in np.diff(frames) - 1 if hole > max_gap}


def test_rows_that_do_not_match_are_refused():
    with pytest.raises(ValueError, match='strictly increasing'):
        temporal_iou([1, 1], [2])
    with pytest.raises(ValueError, match='2 frames but 1 boxes'):
        tube_iou([0, 1], [BOX], [0], [BOX])
    with pytest.raises(ValueError, match='1 rows for 2 frames'):
        fill_gaps([0, 1], [np.zeros((1, 4))], max_gap=1)
    with pytest.raises(ValueError, match=r'\(2, 4\)'):
        interpolate_boxes([0, 1], np.zeros((1, 4)), [0])
