import cv2
import numpy as np
import pytest

from mmtube.models.trackers import CameraMotion

NOBODY = np.zeros((0, 4), np.float32)


def scene(seed=0, size=(480, 640)):
    """A blurred carpet of blobs: corners everywhere."""
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 255, (size[0] // 8, size[1] // 8, 3), np.uint8)
    return cv2.resize(noise, size[::-1], interpolation=cv2.INTER_CUBIC)


def seen(image, affine):
    return cv2.warpAffine(image, affine, image.shape[1::-1], borderMode=cv2.BORDER_REFLECT)


def motion_of(affine, boxes=NOBODY, after=None, image=None):
    image = scene() if image is None else image
    camera = CameraMotion()
    assert camera.update(image, boxes).tolist() == [[1, 0, 0], [0, 1, 0]]
    return camera.update(seen(image, affine) if after is None else after, boxes)


@pytest.mark.parametrize('shift', [(0, 0), (7, -4), (-15, 12)])
def test_a_pan_is_found_to_half_a_pixel(shift):
    found = motion_of(np.array([[1.0, 0, shift[0]], [0, 1, shift[1]]]))
    np.testing.assert_allclose(found[:, 2], shift, atol=0.5)
    np.testing.assert_allclose(found[:, :2], np.eye(2), atol=0.003)


def test_a_zoom_and_a_roll_are_found():
    true = cv2.getRotationMatrix2D((320, 240), 3, 1.04)
    found = motion_of(true)
    corners = np.array([[0, 0, 1], [640, 0, 1], [640, 480, 1], [0, 480, 1]]).T
    np.testing.assert_allclose(found @ corners, true @ corners, atol=1.5)


def test_a_crowd_that_walks_is_not_taken_for_the_camera():
    # People cover two thirds of the picture and all go right; the wall behind them stands still.
    image, crowd = scene(0), scene(1)
    box = np.array([[0, 120, 640, 460]], np.float32)
    before, after = image.copy(), image.copy()
    before[120:460] = crowd[120:460]
    after[120:460] = np.roll(crowd, 12, axis=1)[120:460]
    camera = CameraMotion()
    camera.update(before, box)
    np.testing.assert_allclose(camera.update(after, box)[:, 2], [0, 0], atol=0.3)
    camera = CameraMotion()
    camera.update(before, NOBODY)
    assert camera.update(after, NOBODY)[0, 2] > 6  # without the boxes it is


@pytest.mark.parametrize('after', [np.zeros((480, 640, 3), np.uint8), scene(5), scene(0, (240, 320))])
def test_where_nothing_can_be_followed_the_camera_stands_still(after):
    # A black picture, another scene, another size.
    np.testing.assert_allclose(motion_of(None, after=after), np.eye(2, 3))


def test_a_picture_without_corners_is_no_error():
    assert motion_of(None, image=np.zeros((48, 64, 3), np.uint8), after=scene()).tolist() == [[1, 0, 0], [0, 1, 0]]


def test_after_a_reset_the_first_frame_has_no_motion():
    camera = CameraMotion()
    camera.update(scene(), NOBODY)
    camera.reset()
    assert camera.update(seen(scene(), np.array([[1.0, 0, 9], [0, 1, 0]])), NOBODY)[0, 2] == 0


def test_the_estimate_is_the_same_in_every_run():
    affine = np.array([[1.01, 0.004, 5], [-0.004, 1.01, 3]])
    assert motion_of(affine).tolist() == motion_of(affine).tolist()


def test_arguments_must_be_positive():
    with pytest.raises(ValueError, match='positive'):
        CameraMotion(max_corners=0)
