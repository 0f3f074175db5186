from __future__ import annotations

import itertools

import numpy as np

from mmtube.visualization.palette import BASE_RGB, person_rgb, text_rgb


def test_21_people_in_a_row_have_different_colours_and_the_22nd_repeats():
    colors = [person_rgb(track_id) for track_id in range(21)]
    nearest = min(np.abs(np.subtract(a, b)).max() for a, b in itertools.combinations(colors, 2))
    assert nearest >= 30
    assert person_rgb(21) == person_rgb(0)
    assert colors[:7] == list(BASE_RGB)


def test_text_is_black_on_light_and_white_on_dark():
    assert text_rgb((240, 228, 66)) == (0, 0, 0)
    assert text_rgb((0, 50, 80)) == (255, 255, 255)


def test_text_on_every_persons_colour_has_a_contrast_of_at_least_four_and_a_half():
    def luminance(rgb):
        linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in np.array(rgb) / 255]
        return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))

    for track_id in range(21):
        low, high = sorted([luminance(person_rgb(track_id)), luminance(text_rgb(person_rgb(track_id)))])
        assert (high + 0.05) / (low + 0.05) >= 4.5
