import cv2
import numpy as np
import pytest

from mmtube.datasets.synthetic.picture.outlines import FRACTION_BITS, fixed, hull, shade


def test_fixed_point_puts_the_first_pixel_centre_at_zero():
    assert fixed(np.array([[0.5, 1.0], [2.0, 0.53]])).tolist() == [[0, 8], [24, 0]]
    assert fixed(np.array([[1e9, -1e9]])).tolist() == [[(4000 - 0.5) * 16, (-4000 - 0.5) * 16]]


def test_the_hull_of_two_circles_is_convex_and_touches_both():
    centres, radii = np.array([[[20.0, 20.0], [60.0, 20.0]]]), np.array([[10.0, 5.0]])
    polygon = hull(centres, radii, 16)[0].astype(np.int64)
    assert cv2.isContourConvex(polygon.astype(np.int32))
    # The fill reaches half a pixel further than the polygon.
    assert polygon[:, 0].min() == round((20 - 9.5 - 0.5) * 16)
    assert polygon[:, 0].max() == round((60 + 4.5 - 0.5) * 16)


def test_a_circle_inside_another_adds_nothing():
    both = hull(np.array([[[20.0, 20.0], [21.0, 20.0]]]), np.array([[10.0, 2.0]]))
    assert np.array_equal(both, hull(np.array([[[20.0, 20.0]]]), np.array([[10.0]])))


@pytest.mark.parametrize('radius', [2.0, 6.0, 11.3])
def test_a_filled_hull_covers_its_circle(radius):
    image = np.zeros((60, 60, 3), np.uint8)
    polygon = hull(np.array([[[30.0, 30.0]]]), np.array([[radius]]), 24)[0]
    cv2.fillConvexPoly(image, polygon, (255, 255, 255), cv2.LINE_AA, FRACTION_BITS)
    assert np.pi * radius**2 * 0.85 < (image[..., 0] / 255.0).sum() < np.pi * radius**2 * 1.25


def test_shades():
    assert shade((100, 200, 50), 50) == (50, 100, 25)
    assert shade((100, 200, 50), 150) == (177, 227, 152)
    assert shade((100, 200, 50), 100) == (100, 200, 50)
