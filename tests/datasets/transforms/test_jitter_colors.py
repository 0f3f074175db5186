"""Colours shift by what was drawn, in all frames alike."""

import colorsys
import random

import numpy as np
import pytest

from mmtube.datasets.transforms import JitterClipColors


def drawn(monkeypatch, *shifts):
    """Let the transform draw these shifts of hue, saturation and value."""
    numbers = iter(shifts)
    monkeypatch.setattr(random, 'randint', lambda low, high: next(numbers))


def one_colour(*rgb):
    return np.full((4, 6, 3), rgb, np.uint8)


def jittered(images, **options):
    return JitterClipColors(**options)(dict(imgs=images))['imgs']


def test_a_shift_of_hue_goes_round(monkeypatch):
    drawn(monkeypatch, 60, 0, 0)  # 120 degrees
    red, blue = jittered([one_colour(255, 0, 0), one_colour(0, 0, 255)])
    assert red[0, 0].tolist() == [0, 255, 0] and blue[0, 0].tolist() == [255, 0, 0]


def test_saturation_and_value_are_added_and_cut(monkeypatch):
    drawn(monkeypatch, 0, -55, 20)
    image = jittered([one_colour(250, 0, 0)])[0]  # saturation 255, value 250
    hue, saturation, value = colorsys.rgb_to_hsv(*(image[0, 0] / 255.0))
    assert (round(hue * 360), round(saturation * 255), round(value * 255)) == (0, 200, 255)


def test_all_frames_of_a_clip_shift_alike_and_clips_differ():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
    random.seed(0)
    clips = [jittered([image, image.copy()]) for _ in range(5)]
    assert all(np.array_equal(*clip) for clip in clips)
    assert not all(np.array_equal(clips[0][0], clip[0]) for clip in clips[1:])
    random.seed(0)
    assert np.array_equal(jittered([image])[0], clips[0][0])


def test_shifts_stay_within_the_bounds(monkeypatch):
    asked = []
    monkeypatch.setattr(random, 'randint', lambda low, high: asked.append((low, high)) or 0)
    jittered([one_colour(1, 2, 3)])
    assert asked == [(-10, 10), (-26, 26), (-26, 26)]  # hue in steps of two degrees


def test_no_shift_gives_the_image_to_rounding():
    image = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    same = jittered([image], hue=0, saturation=0, value=0)[0]
    assert np.abs(same.astype(int) - image).max() <= 8  # 8-bit hue has 180 steps


def test_bad_arguments_and_places_are_refused():
    for options in (dict(hue=200), dict(saturation=2), dict(value=-0.1)):
        with pytest.raises(ValueError, match='hue must lie'):
            JitterClipColors(**options)
    with pytest.raises(ValueError, match='behind DecodeWindow'):
        JitterClipColors()({})
