from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from mmtube.datasets.synthetic.direction.casting import cast
from mmtube.datasets.synthetic.numerics import generator


def distance(a, b):
    return np.abs(np.subtract(a.shirt, b.shirt)).max() + np.abs(np.subtract(a.trousers, b.trousers)).max()


@pytest.mark.parametrize('seed', range(20))
def test_clothes_tell_people_apart_unless_they_are_to_look_alike(seed):
    assert min(distance(*pair) for pair in combinations(cast(generator(seed), 6, 0.0), 2)) > 60
    assert max(distance(*pair) for pair in combinations(cast(generator(seed), 6, 1.0), 2)) == 0


@pytest.mark.parametrize('seed', range(5))
def test_people_who_look_alike_also_have_one_style_and_nearly_one_height(seed):
    looks = cast(generator(seed), 6, 1.0)
    assert len({(look.hair, look.shoes, look.hair_style, look.long_sleeves, look.stripe) for look in looks}) == 1
    heights = [look.height_m for look in looks]
    assert 0 < max(heights) - min(heights) <= 0.06


def test_the_knob_goes_smoothly():
    spread = [
        np.mean([distance(*p) for seed in range(30) for p in combinations(cast(generator(seed), 4, knob), 2)])
        for knob in (0.0, 0.3, 0.6, 0.9)
    ]
    assert spread == sorted(spread, reverse=True) and spread[3] < 0.15 * spread[0]


def test_colours_and_sizes_are_in_range():
    for seed in range(50):
        for look in cast(generator(seed), 6, 0.2):
            colors = np.array([look.skin, look.hair, look.shirt, look.trousers, look.shoes, look.stripe or (0, 0, 0)])
            assert colors.dtype.kind == 'i' and colors.min() >= 0 and colors.max() <= 255
            assert 1.5 < look.height_m < 1.95 and 0.8 < look.girth < 1.2 and 0 <= look.hair_style <= 3


def test_skins_of_people_who_look_alike_are_nearly_the_same():
    for alike, most in ((0.0, 145), (1.0, 28)):  # grey levels; a fifth of the difference is left
        skins = np.array([look.skin for seed in range(20) for look in cast(generator(seed), 6, alike)])
        assert 0.7 * most < np.ptp(skins, axis=0).max() <= most
