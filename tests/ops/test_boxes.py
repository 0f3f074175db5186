import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mmtube.ops import (
    box_areas,
    box_centers,
    box_iou,
    box_overlap,
    clip_boxes,
    cxcyah_to_xyxy,
    denormalize_boxes,
    normalize_boxes,
    paired_box_iou,
    xywh_to_xyxy,
    xyxy_to_cxcyah,
    xyxy_to_xywh,
)


@st.composite
def boxes(draw, min_side=0, rows=None):
    """Boxes with whole coordinates, on which float64 arithmetic is exact."""
    count = draw(st.integers(0, 6)) if rows is None else rows
    corner = draw(hnp.arrays(np.int64, (count, 2), elements=st.integers(-50, 50)))
    side = draw(hnp.arrays(np.int64, (count, 2), elements=st.integers(min_side, 40)))
    return np.concatenate([corner, corner + side], axis=1).astype(np.float32)


def float_boxes(rows=5):
    return hnp.arrays(np.float32, (rows, 4), elements=st.floats(-4000, 4000, width=32)).map(
        lambda corners: np.concatenate(
            [np.minimum(corners[:, :2], corners[:, 2:]), np.maximum(corners[:, :2], corners[:, 2:])], axis=1
        )
    )


def iou_of_two(a, b):
    """The definition, one pair at a time, in Python floats."""
    ax1, ay1, ax2, ay2 = (float(v) for v in a)
    bx1, by1, bx2, by2 = (float(v) for v in b)
    width = max(min(ax2, bx2) - max(ax1, bx1), 0.0)
    height = max(min(ay2, by2) - max(ay1, by1), 0.0)
    inter = width * height
    union = (ax2 - ax1) * (ay2 - ay1) + (bx2 - bx1) * (by2 - by1) - inter
    return inter / union if union > 0 else 0.0


def test_centers_areas_and_sizes_of_a_known_box():
    box = np.array([[10, 20, 30, 60]], np.float32)
    assert box_centers(box).tolist() == [[20, 40]]
    assert box_areas(box).tolist() == [800]
    assert xyxy_to_xywh(box).tolist() == [[10, 20, 20, 40]]
    assert xyxy_to_cxcyah(box).tolist() == [[20, 40, 0.5, 40]]


def test_a_reversed_box_has_no_area():
    assert box_areas(np.array([[5.0, 5, 1, 1], [5, 0, 1, 4]])).tolist() == [0, 0]


def test_iou_of_known_boxes_has_no_extra_pixel():
    a = np.array([[0, 0, 2, 2]])
    b = np.array([[1, 0, 3, 2], [0, 0, 2, 2], [2, 0, 4, 2], [0, 0, 0, 0]])
    assert box_iou(a, b).tolist() == [[2 / 6, 1, 0, 0]]


@given(float_boxes(), float_boxes())
def test_iou_equals_the_loop_over_pairs(a, b):
    expected = [[iou_of_two(x, y) for y in b] for x in a]
    np.testing.assert_allclose(box_iou(a, b), expected, rtol=1e-12, atol=0)
    np.testing.assert_array_equal(paired_box_iou(a, b), np.diag(box_iou(a, b)))


@given(float_boxes(), float_boxes())
def test_iou_is_symmetric_and_bounded(a, b):
    iou = box_iou(a, b)
    assert iou.dtype == np.float64
    assert ((iou >= 0) & (iou <= 1)).all()
    np.testing.assert_array_equal(iou, box_iou(b, a).T)


@given(float_boxes())
def test_iou_with_itself_is_exactly_one_where_there_is_area(a):
    area = box_areas(a.astype(np.float64))
    np.testing.assert_array_equal(paired_box_iou(a, a), (area > 0).astype(float))


@given(boxes(), boxes(), st.integers(-100, 100), st.sampled_from([0.25, 2, 8]))
def test_iou_ignores_translation_and_scale(a, b, shift, scale):
    np.testing.assert_array_equal(box_iou(a, b), box_iou((a + shift) * scale, (b + shift) * scale))


def test_overlap_is_the_share_of_the_smaller_box():
    a = np.array([[0, 0, 4, 4]])
    b = np.array([[1, 1, 2, 2], [3, 0, 5, 1], [0, 0, 8, 8], [4, 0, 8, 4], [1, 1, 1, 3]])
    assert box_overlap(a, b).tolist() == [[1, 0.5, 1, 0, 0]]


@given(float_boxes(), float_boxes())
def test_overlap_is_symmetric_and_lies_between_iou_and_one(a, b):
    overlap = box_overlap(a, b)
    assert ((overlap >= box_iou(a, b)) & (overlap <= 1)).all()
    np.testing.assert_array_equal(overlap, box_overlap(b, a).T)


@given(boxes(min_side=1))
def test_conversions_come_back(a):
    np.testing.assert_array_equal(xywh_to_xyxy(xyxy_to_xywh(a)), a)
    np.testing.assert_allclose(cxcyah_to_xyxy(xyxy_to_cxcyah(a)), a, atol=1e-4)
    np.testing.assert_allclose(denormalize_boxes(normalize_boxes(a, 320, 240), 320, 240), a, rtol=1e-6)


def test_normalized_coordinates_are_fractions_of_width_and_height():
    assert normalize_boxes(np.array([[32, 24, 320, 240]]), 320, 240).tolist() == [[0.1, 0.1, 1, 1]]


@given(boxes())
def test_clipped_boxes_lie_in_the_frame_and_inner_boxes_stay(a):
    clipped = clip_boxes(a, 30, 20)
    assert (clipped >= 0).all()
    assert (clipped[:, ::2] <= 30).all()
    assert (clipped[:, 1::2] <= 20).all()
    inside = (a >= 0).all(axis=1) & (a <= [30, 20, 30, 20]).all(axis=1)
    np.testing.assert_array_equal(clipped[inside], a[inside])


def test_clipping_leaves_the_input_alone():
    a = np.array([[-5.0, -5, 50, 50]])
    clip_boxes(a, 30, 20)
    assert a.tolist() == [[-5, -5, 50, 50]]


@pytest.mark.parametrize(
    'convert', [box_centers, box_areas, xyxy_to_xywh, xywh_to_xyxy, xyxy_to_cxcyah, cxcyah_to_xyxy]
)
def test_no_box_is_fine_and_float32_stays_float32(convert):
    assert len(convert([])) == 0
    assert convert(np.array([[0, 0, 1, 1]], np.float32)).dtype == np.float32


def test_iou_of_no_box_has_the_shape_of_the_sets():
    assert box_iou(np.zeros((0, 4)), np.zeros((3, 4))).shape == (0, 3)


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match=r'\(N, 4\)'):
        box_centers(np.zeros((2, 8)))
    with pytest.raises(ValueError, match='without height'):
        xyxy_to_cxcyah(np.array([[0, 5, 4, 5]]))
    with pytest.raises(ValueError, match='positive'):
        normalize_boxes(np.zeros((1, 4)), 0, 240)
    with pytest.raises(ValueError, match='paired'):
        paired_box_iou(np.zeros((2, 4)), np.zeros((3, 4)))
