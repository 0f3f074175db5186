"""Crops of boxes: rounding, clipping, boxes without a pixel, size and order of channels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmtube.ops.crops import cut_boxes, resize_crop

HEIGHT, WIDTH = 12, 20
# Each pixel says where it is.
FRAME = np.stack([*np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT)), np.zeros((HEIGHT, WIDTH))], axis=2).astype(
    np.uint8
)


def test_corners_are_rounded_and_clipped_to_the_frame():
    (crop,) = cut_boxes(FRAME, np.array([[-5, 2.4, 3.6, 99]]))
    assert crop.shape == (10, 4, 3)
    assert crop[0, 0].tolist() == [0, 2, 0] and crop[-1, -1].tolist() == [3, 11, 0]


def test_boxes_without_a_pixel_and_boxes_that_are_no_numbers_give_none():
    boxes = [[30, 0, 40, 5], [4, 4, 4.3, 9], [8, 8, 5, 5], [0, 0, np.nan, 5], [0, -np.inf, 5, 5], [1, 1, 2, 2]]
    assert [crop is None for crop in cut_boxes(FRAME, np.array(boxes))] == [True] * 5 + [False]
    assert cut_boxes(FRAME, np.zeros((0, 4))) == []


@given(st.lists(st.tuples(*[st.floats(-40, 60)] * 4), max_size=5))
def test_a_crop_is_exactly_the_pixels_whose_place_the_rounded_box_holds(boxes):
    for box, crop in zip(boxes, cut_boxes(FRAME, np.array(boxes).reshape(-1, 4)), strict=True):
        x1, y1, x2, y2 = np.round(box)
        inside = (FRAME[..., 0] >= x1) & (FRAME[..., 0] < x2) & (FRAME[..., 1] >= y1) & (FRAME[..., 1] < y2)
        pixels = [] if crop is None else crop.reshape(-1, 3).tolist()
        assert pixels == FRAME[inside].tolist()


def test_a_crop_of_the_right_size_is_only_reordered():
    crop = np.random.default_rng(0).integers(0, 256, (6, 4, 3), np.uint8)
    np.testing.assert_array_equal(resize_crop(crop, (6, 4), 'rgb'), crop[..., ::-1])
    np.testing.assert_array_equal(resize_crop(crop, (6, 4), 'bgr'), crop)


def test_the_size_is_height_then_width_and_the_order_is_checked():
    assert resize_crop(FRAME, (8, 4)).shape == (8, 4, 3)
    with pytest.raises(ValueError, match='order must be one of'):
        resize_crop(FRAME, (8, 4), 'gray')
