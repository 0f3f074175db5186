import cv2
import numpy as np
import pytest

from mmtube.datasets.synthetic.figures.geometry import Camera
from mmtube.datasets.synthetic.picture.furniture import furniture_parts, occluder_box
from mmtube.datasets.synthetic.picture.outlines import FRACTION_BITS
from mmtube.datasets.synthetic.script import FURNITURE_KINDS, Furniture

CAMERA = Camera(300.0, 1.3, 90.0, 320)


def item(kind, **kwargs):
    values = dict(x_m=0.2, z_m=4.0, width_m=0.8, height_m={'chair': 0.45, 'table': 0.85}.get(kind, 1.5))
    return Furniture(kind, color=(90, 130, 90), **{**values, **kwargs})


def paint(parts):
    image = np.full((240, 320, 3), 255, np.uint8)
    for part in parts:
        for polygon, color in part.polygons:
            cv2.fillConvexPoly(image, polygon, color, cv2.LINE_AA, FRACTION_BITS)
    return (image < 200).any(axis=2)


def test_a_sign_by_hand():
    box, depth_m = occluder_box(item('pillar', x_m=0.0, z_m=3.0, width_m=0.5, height_m=1.3), CAMERA)
    # 100 px/m at 3 m: 50 px wide about column 160, from the camera's height at row 90 to the ground at row 220.
    assert box.tolist() == [135, 90, 185, 220]
    assert depth_m == 3.0


@pytest.mark.parametrize('kind', ['pillar', 'bush', 'sign', 'table'])
def test_what_hides_people_is_opaque(kind):
    thing = item(kind)
    box, depth_m = occluder_box(thing, CAMERA)
    x0, y0, x1, y1 = box.round().astype(int)
    nearest = [part for part in furniture_parts(thing, CAMERA, 1) if part.depth_m == depth_m]
    drawn = paint(nearest)
    assert drawn[y0:y1, x0:x1].mean() > 0.93
    outside = drawn.copy()
    outside[y0 - 3 : y1 + 3, x0 - 5 : x1 + 5] = False
    assert outside.mean() < 0.005  # the feet of a sign


@pytest.mark.parametrize('kind', FURNITURE_KINDS)
def test_things_are_drawn_from_far_to_near_and_the_same_again(kind):
    first, second = (furniture_parts(item(kind), CAMERA, 7) for _ in range(2))
    depths = [part.depth_m for part in first]
    assert depths == sorted(depths, reverse=True)
    for one, other in zip(first, second, strict=True):
        for (polygon, color), (again, same) in zip(one.polygons, other.polygons, strict=True):
            assert color == same and np.array_equal(polygon, again)


def test_who_sits_is_before_the_chair():
    assert min(part.depth_m for part in furniture_parts(item('chair'), CAMERA, 1)) > 4.0 + 0.3


def test_hands_over_a_table_are_before_its_top():
    depths = [part.depth_m for part in furniture_parts(item('table'), CAMERA, 1)]
    assert depths == [pytest.approx(4.55), 4.0]
