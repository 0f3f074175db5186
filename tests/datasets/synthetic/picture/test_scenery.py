import numpy as np
import pytest

from mmtube.datasets.synthetic.figures.geometry import Camera
from mmtube.datasets.synthetic.picture.scenery import MARGIN_PX, backdrop
from mmtube.datasets.synthetic.script import SCENES

CAMERA, SIZE = Camera(300.0, 1.3, 90.0, 320), (320, 240)


def paint(scene, seed=0, camera=CAMERA):
    return backdrop(scene, seed, camera, SIZE, MARGIN_PX)


@pytest.mark.parametrize('scene', SCENES)
def test_a_backdrop_is_larger_than_the_picture(scene):
    canvas = paint(scene)
    assert canvas.shape == (240 + 48, 320 + 160, 3) and canvas.dtype == np.uint8
    assert (canvas.max(axis=2) > 0).all()  # no hole


@pytest.mark.parametrize('scene', SCENES)
def test_a_backdrop_follows_from_its_seed(scene):
    assert np.array_equal(paint(scene, 5), paint(scene, 5))
    assert (paint(scene, 5) != paint(scene, 6)).any(axis=2).mean() > 0.05


def test_scenes_differ():
    canvases = [paint(scene).astype(int) for scene in SCENES]
    for first in range(5):
        for second in range(first):
            assert np.abs(canvases[first] - canvases[second]).mean() > 8


@pytest.mark.parametrize('scene', SCENES)
def test_colours_are_calmer_than_clothes(scene):
    canvas = paint(scene).astype(int)
    saturation = np.ptp(canvas, axis=2)
    assert np.median(saturation) < 80  # red clothes have about 140


@pytest.mark.parametrize('scene', ['gym', 'kitchen', 'office'])
def test_the_floor_begins_where_the_wall_stands(scene):
    # The wall is 10 m away: 1.3 m below the horizon are 39 px.
    canvas = paint(scene).astype(int)
    row = 24 + 90 + 39
    above, below = canvas[row - 14 : row - 7].mean(axis=(0, 1)), canvas[row + 7 : row + 14].mean(axis=(0, 1))
    assert np.abs(above - below).max() > 10


def test_a_higher_camera_sees_more_floor():
    low, high = paint('gym'), paint('gym', camera=Camera(300.0, 2.0, 90.0, 320))
    assert (low != high).any(axis=2).mean() > 0.2


def test_an_unknown_scene_is_refused():
    with pytest.raises(ValueError, match=r"scene must be one of .*'moon'"):
        paint('moon')
