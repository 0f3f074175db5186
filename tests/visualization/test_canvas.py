from __future__ import annotations

import numpy as np
import pytest

from mmtube.visualization.canvas import blend, fill, rounded_mask, text_mask


def test_texts_of_one_size_have_one_height_and_wider_texts_are_wider():
    small, wide = text_mask('i', 12), text_mask('walking', 12)
    assert small.shape[0] == wide.shape[0]
    assert small.shape[1] < wide.shape[1]
    assert wide.max() > 200


def test_a_text_that_is_too_wide_is_cut():
    assert text_mask('talk to (a person)', 12, max_width_px=60).shape[1] <= 60
    assert text_mask('talk to (a person)', 12, max_width_px=2).shape[1] == 0


def test_line_breaks_in_a_label_become_spaces():
    np.testing.assert_array_equal(text_mask('a\nb', 12), text_mask('a b', 12))


def test_a_rounded_mask_is_full_in_the_middle_and_empty_in_the_corner():
    mask = rounded_mask(20, 10, 4)
    assert mask.shape == (10, 20)
    assert (mask[5, 10], mask[0, 10], mask[0, 0]) == (255, 255, 0)
    np.testing.assert_array_equal(mask, mask[::-1, ::-1])


def test_blend_mixes_by_mask_and_opacity():
    image = np.full((1, 3, 3), 100, np.uint8)
    blend(image, np.array([[0, 128, 255]], np.uint8), 0, 0, (200, 100, 0))
    assert image[0, 0].tolist() == [100, 100, 100]
    assert image[0, 1].tolist() == [50, 100, 150]
    assert image[0, 2].tolist() == [0, 100, 200]
    image = np.full((1, 1, 3), 100, np.uint8)
    blend(image, np.full((1, 1), 255, np.uint8), 0, 0, (200, 200, 200), opacity=0.5)
    assert np.abs(image.astype(int) - 150).max() <= 1


@pytest.mark.parametrize('x', [-30, -3, 0, 7, 9, 50])
@pytest.mark.parametrize('y', [-30, -2, 4, 50])
def test_what_lies_outside_is_left_out(x, y):
    image = np.zeros((8, 10, 3), np.uint8)
    blend(image, np.full((4, 5), 255, np.uint8), x, y, (255, 255, 255))
    wanted = np.zeros((108, 110, 3), np.uint8)
    wanted[50 + y : 54 + y, 50 + x : 55 + x] = 255
    np.testing.assert_array_equal(image, wanted[50:58, 50:60])
    image[:] = 0
    fill(image, (x, y, x + 5, y + 4), (255, 255, 255))
    np.testing.assert_array_equal(image, wanted[50:58, 50:60])


def test_fill_mixes_by_opacity():
    image = np.full((2, 2, 3), 100, np.uint8)
    fill(image, (0, 0, 1, 2), (200, 100, 0), opacity=0.5)
    assert image[:, 0].tolist() == [[50, 100, 150]] * 2
    assert image[:, 1].tolist() == [[100, 100, 100]] * 2
