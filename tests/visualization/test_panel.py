from __future__ import annotations

import numpy as np
import pytest

from mmtube.visualization.actions import Action
from mmtube.visualization.panel import Panel, overlap, place

FRAME = (200, 100)
FREE = {'taken': [], 'others': [], 'frame_size': FRAME, 'last_side': None}


def test_rectangles_overlap_by_their_common_area():
    assert overlap((0, 0, 10, 10), (5, 6, 20, 20)) == 5 * 4
    assert overlap((0, 0, 10, 10), (10, 0, 20, 10)) == 0


def test_a_panel_goes_above_its_tag_where_there_is_room():
    assert place((40, 20), (60, 50, 90, 95), (60, 40, 70, 50), **FREE) == (0, 60, 18)


def test_a_panel_goes_beside_a_person_who_reaches_the_top():
    assert place((40, 20), (60, 0, 90, 100), (60, 0, 70, 10), **FREE) == (1, 92, 0)
    assert place((40, 20), (160, 0, 200, 100), (160, 0, 170, 10), **FREE) == (2, 118, 0)


def test_a_panel_avoids_other_people():
    other = (92, 0, 140, 100)
    side, x, _ = place((40, 20), (60, 0, 90, 100), (60, 0, 70, 10), **FREE | {'others': [other]})
    assert (side, x) == (2, 18)


def test_a_panel_never_covers_a_tag_or_another_panel():
    taken = [(0, 0, 200, 100)]
    assert place((40, 20), (60, 50, 90, 95), (60, 40, 70, 50), **FREE | {'taken': taken}) is None


def test_a_panel_stays_on_its_side_while_that_is_nearly_as_good():
    person, tag = (60, 50, 90, 95), (60, 40, 70, 50)
    assert place((40, 20), person, tag, **FREE | {'last_side': 1})[0] == 1
    crowded = FREE | {'last_side': 1, 'others': [(92, 50, 140, 95)]}
    assert place((40, 20), person, tag, **crowded)[0] == 0


def test_a_panel_larger_than_the_frame_has_no_place():
    assert place((201, 20), (60, 50, 90, 95), (60, 40, 70, 50), **FREE) is None


@pytest.mark.parametrize('corner', [(0, 0), (190, 0), (0, 90), (190, 90), (-50, -50)])
def test_a_panel_is_always_inside_the_frame(corner):
    x, y = corner
    _, left, top = place((60, 30), (x, y, x + 60, y + 60), (max(x, 0), max(y, 0), max(x, 0) + 9, max(y, 0) + 9), **FREE)
    assert 0 <= left <= 140
    assert 0 <= top <= 70


def test_the_bar_is_as_long_as_the_score():
    ends = {}
    for score in (0.0, 0.5, 1.0):
        panel = Panel.of([Action('walk', score)], font_px=20, max_width_px=300)
        image = np.zeros((panel.size[1], panel.size[0], 3), np.uint8)
        panel.draw(image, 0, 0, (255, 0, 0))
        colored = np.flatnonzero((image[..., 2] > 250) & (image[..., 0] == 0))
        columns = np.unravel_index(colored, image.shape[:2])[1]
        ends[score] = columns.max() - columns.min() + 1
    assert ends[0.0] == 1
    assert ends[0.5] == pytest.approx(ends[1.0] / 2, abs=1)


def test_a_long_label_does_not_make_a_panel_wider_than_the_frame():
    assert Panel.of([Action('talk to ' * 20, 0.5)], font_px=11, max_width_px=90).size[0] <= 90
