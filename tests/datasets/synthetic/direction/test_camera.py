from __future__ import annotations

import numpy as np
import pytest

from mmtube.datasets.synthetic.direction.camera import MAX_SHIFT_PX, NEAREST_M, View, choose_view, shift_px
from mmtube.datasets.synthetic.numerics import generator


@pytest.mark.parametrize('seed', range(30))
@pytest.mark.parametrize('size', [(320, 240), (160, 120)])
def test_feet_of_the_nearest_are_in_the_picture_and_heads_are_below_its_top(seed, size):
    view = choose_view(generator(seed), size)
    feet = view.horizon_px + view.focal_px * view.height_m / NEAREST_M
    head = view.horizon_px + view.focal_px * (view.height_m - 1.85) / NEAREST_M
    assert feet == pytest.approx(size[1] * 228 / 240)
    assert head > 0


@pytest.mark.parametrize('seed', range(30))
def test_a_cut_within_a_scene_changes_the_size_of_people(seed):
    rng = generator(seed)
    first = choose_view(rng, (320, 240))
    second = choose_view(rng, (320, 240), first)
    assert max(first.focal_px, second.focal_px) / min(first.focal_px, second.focal_px) > 1.15


def test_a_tripod_does_not_move():
    assert not shift_px(generator(1), View(250, 1.5, 100, 0.0), 200, shake=0.0).any()


def test_a_hand_trembles_by_a_few_pixels_and_a_strong_shake_stays_on_the_backdrop():
    view = View(250, 1.5, 100, 0.0)
    usual = shift_px(generator(1), view, 500, shake=1.0)
    assert 1 <= np.abs(usual).max() <= 4 and usual.dtype == np.int32
    strong = shift_px(generator(1), View(250, 1.5, 100, 60.0), 500, shake=4.0)
    assert (np.abs(strong).max(axis=0) <= MAX_SHIFT_PX).all() and np.abs(strong[:, 0]).max() > 20


def test_a_pan_is_smooth():
    steps = np.diff(shift_px(generator(3), View(250, 1.5, 100, 38.0), 600, shake=0.0)[:, 0])
    assert 0 < np.abs(steps).max() <= 2
