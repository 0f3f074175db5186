"""Pictures of reports: the box with what is around it, small enough."""

from base64 import b64encode

import cv2
import numpy as np
import pytest

from mmtube.visualization.report.thumbnails import LINE_RGB, MAX_BYTES, crop_window, encode, thumbnail


def decoded(picture):
    image = cv2.imdecode(np.frombuffer(picture.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert image.shape == (picture.height, picture.width, 3)
    return image


@pytest.mark.parametrize(
    ('box', 'window'),
    [
        # A box of 100 px height: 220 px of the frame, as wide as 4 : 3 wants.
        ([600, 300, 640, 400], (474, 240, 767, 460)),
        # A wide box: 440 px wide, 330 high.
        ([500, 300, 700, 320], (380, 145, 820, 475)),
        # A tiny box: 96 px high, 128 wide.
        ([600, 300, 602, 304], (537, 254, 665, 350)),
        # At the corner the window is moved, not cut.
        ([0, 0, 40, 100], (0, 0, 293, 220)),
        ([1240, 620, 1280, 720], (987, 500, 1280, 720)),
        # Larger than the frame: all of it.
        ([-50, -50, 2000, 900], (0, 0, 1280, 720)),
    ],
)
def test_the_window_is_around_the_box_and_in_the_frame(box, window):
    assert crop_window((1280, 720), np.array(box, float), (320, 240)) == window


def test_the_box_is_drawn_where_it_is():
    frame = np.full((480, 640, 3), 90, np.uint8)
    image = decoded(thumbnail(frame, np.array([200.0, 200.0, 300.0, 300.0]))).astype(int)
    # 220 px of the frame are 240 px of the picture, so the box is 109 px wide around the middle.
    assert image.shape == (240, 320, 3)
    yellow = np.abs(image - LINE_RGB[::-1]).max(axis=-1) < 60
    rows, columns = np.nonzero(yellow)
    assert [columns.min(), columns.max(), rows.min(), rows.max()] == pytest.approx([105, 215, 65, 175], abs=3)
    assert not yellow[100:140, 130:190].any()


@pytest.mark.parametrize('box', [[700, 10, 800, 60], [-90, 10, -5, 60], [50, 50, 50, 90], [np.nan, 0, 10, 10]])
def test_a_box_that_is_not_in_the_frame_is_told_and_the_whole_frame_shown(box):
    frame = np.random.default_rng(0).integers(60, 90, (480, 640, 3), np.uint8)
    picture = thumbnail(frame, np.array(box, float))
    assert picture.note == 'the box is not inside the frame'
    assert picture.jpeg == thumbnail(frame, None).jpeg


def test_without_a_box_the_whole_frame_is_shown():
    picture = thumbnail(np.full((360, 640, 3), 90, np.uint8), None)
    assert (picture.width, picture.height, picture.note) == (320, 180, '')
    assert np.ptp(decoded(picture)) <= 2


def test_a_portrait_frame_and_one_of_few_pixels_are_no_trouble():
    portrait = thumbnail(np.zeros((640, 360, 3), np.uint8), np.array([10.0, 10, 350, 630]))
    assert (portrait.width, portrait.height) == (135, 240)
    assert thumbnail(np.zeros((3, 2, 3), np.uint8), np.array([0.0, 0, 2, 3])).height == 240


def test_noise_fits_into_thirty_kilobytes():
    noise = np.random.default_rng(0).integers(0, 256, (720, 1280, 3), np.uint8)
    for picture in (thumbnail(noise, None), encode(noise), thumbnail(noise, np.array([500.0, 300, 600, 500]))):
        assert len(b64encode(picture.jpeg)) <= MAX_BYTES == 30 * 1024
        assert picture.width > 100


def test_the_frame_is_not_drawn_on():
    frame = np.zeros((240, 320, 3), np.uint8)
    thumbnail(frame, np.array([10.0, 10, 300, 200]))
    assert not frame.any()
