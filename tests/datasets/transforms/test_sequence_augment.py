"""One shift for a sequence, another erased rectangle in each image."""

import random

import numpy as np
import pytest

from mmtube.datasets.transforms import EraseSequence, PadCropSequence

FILL = [152, 142, 127]


def sequence(count=6, height=64, width=32):
    """Images without a pixel that is black or of the fill."""
    return [np.full((height, width, 3), 10 + image, np.uint8) for image in range(count)]


def test_all_images_of_a_sequence_are_shifted_alike_and_keep_their_size():
    random.seed(0)
    shifts = set()
    for _ in range(200):
        images = PadCropSequence(padding=10)({'imgs': sequence()})['imgs']
        black = [np.argwhere(image[..., 0] > 0)[[0, -1]].tolist() for image in images]
        assert all(image.shape == (64, 32, 3) for image in images)
        assert all(place == black[0] for place in black)
        (top, left), (bottom, right) = black[0]
        shifts.add((top - (63 - bottom), left - (31 - right)))
    vertical, horizontal = zip(*shifts)
    assert (min(vertical), max(vertical), min(horizontal), max(horizontal)) == (-10, 10, -10, 10)


def test_no_padding_changes_nothing():
    images = PadCropSequence(padding=0)({'imgs': sequence()})['imgs']
    assert all(np.array_equal(image, before) for image, before in zip(images, sequence()))


def erased(image):
    """Rows, columns of the erased rectangle, or None; it must be a full rectangle."""
    mask = (image == FILL).all(axis=2)
    if not mask.any():
        return None
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    assert mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all() and mask.sum() == len(rows) * len(columns)
    return rows[0], columns[0], len(rows), len(columns)


def test_half_of_the_images_lose_a_rectangle_within_the_limits_each_its_own():
    random.seed(0)
    found = []
    for _ in range(300):
        rectangles = [erased(image) for image in EraseSequence()({'imgs': sequence()})['imgs']]
        lost = [rectangle for rectangle in rectangles if rectangle]
        assert len(set(lost)) == len(lost) or len(lost) < 3
        found += rectangles
    lost = np.array([rectangle for rectangle in found if rectangle])
    assert 0.45 < len(lost) / len(found) < 0.55  # 1800 images: seven standard errors
    area = lost[:, 2] * lost[:, 3] / (64 * 32)
    aspect = lost[:, 2] / lost[:, 3]
    assert 0.015 < area.min() < 0.03 and 0.37 < area.max() < 0.42  # rounding to pixels
    assert 0.2 < aspect.min() < 0.4 and 2.8 < aspect.max() < 4.5


def test_the_fill_is_the_mean_of_imagenet_as_a_normalised_value():
    mean, std = np.array([123.675, 116.28, 103.53]), np.array([58.395, 57.12, 57.375])
    np.testing.assert_allclose((np.array(FILL) - mean) / std, [0.485, 0.456, 0.406], atol=0.5 / 57)


def test_an_image_that_stands_twice_in_a_sequence_is_not_erased_twice():
    random.seed(3)
    image = sequence(1)[0]
    EraseSequence(prob=1)({'imgs': [image] * 6})
    assert erased(image) is None


def test_an_image_too_small_for_a_rectangle_stays():
    image = np.full((1, 1, 3), 7, np.uint8)
    assert EraseSequence(prob=1)({'imgs': [image]})['imgs'][0].tolist() == [[[7, 7, 7]]]


def test_options_out_of_range_are_refused():
    with pytest.raises(ValueError, match='padding'):
        PadCropSequence(-1)
    for wrong in (dict(prob=1.5), dict(area=(0.5, 0.2)), dict(min_aspect=0)):
        with pytest.raises(ValueError, match='must lie in'):
            EraseSequence(**wrong)
