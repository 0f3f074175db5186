import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmtube.ops import merge_segments, segment_iou

WHOLE = st.tuples(st.integers(-30, 30), st.integers(0, 20)).map(lambda pair: (pair[0], pair[0] + pair[1]))
segments = st.lists(WHOLE, max_size=8).map(lambda rows: np.array(rows, np.float64).reshape(-1, 2))


def test_iou_of_known_segments_has_no_extra_second():
    iou = segment_iou(np.array([[0, 4]]), np.array([[2, 6], [0, 4], [4, 8], [1, 1]]))
    assert iou.tolist() == [[2 / 6, 1, 0, 0]]


@given(segments, segments)
def test_iou_equals_counting_the_shared_seconds(a, b):
    iou = segment_iou(a, b)
    assert iou.shape == (len(a), len(b))
    for i, one in enumerate(a):
        for j, two in enumerate(b):
            first, second = (set(range(int(start), int(end))) for start, end in (one, two))
            assert iou[i, j] == (len(first & second) / len(first | second) if first | second else 0)


@given(segments, segments, st.integers(-9, 9), st.sampled_from([0.5, 4]))
def test_iou_is_symmetric_and_ignores_translation_and_scale(a, b, shift, scale):
    np.testing.assert_array_equal(segment_iou(a, b), segment_iou(b, a).T)
    np.testing.assert_array_equal(segment_iou(a, b), segment_iou((a + shift) * scale, (b + shift) * scale))


def test_touching_and_overlapping_segments_become_one():
    merged = merge_segments(np.array([[5.0, 6], [0, 2], [2, 3], [5.5, 5.6], [8, 8]]))
    assert merged.tolist() == [[0, 3], [5, 6], [8, 8]]


@given(segments)
def test_merged_segments_cover_the_same_time_and_do_not_touch(rows):
    merged = merge_segments(rows)
    assert (merged[1:, 0] > merged[:-1, 1]).all()
    covered = {second for start, end in rows for second in range(int(start), int(end))}
    assert {second for start, end in merged for second in range(int(start), int(end))} == covered
    np.testing.assert_array_equal(merge_segments(merged), merged)
    np.testing.assert_array_equal(merge_segments(rows[::-1]), merged)


def test_bad_segments_are_refused():
    with pytest.raises(ValueError, match='before it starts'):
        merge_segments(np.array([[2.0, 1]]))
    with pytest.raises(ValueError, match='not finite'):
        merge_segments(np.array([[0.0, np.nan]]))
    with pytest.raises(ValueError, match=r'\(N, 2\)'):
        segment_iou(np.zeros((1, 3)), np.zeros((1, 2)))
