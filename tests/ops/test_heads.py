"""The proxy for a visible head."""

import numpy as np

from mmtube.ops.heads import heads_in_sight

FAR = [100, 50, 120, 110]


def seen(*boxes, pictures=None):
    return heads_in_sight(np.array(boxes, float), np.zeros(len(boxes), int) if pictures is None else pictures).tolist()


def test_a_head_at_the_upper_edge_is_cut_off():
    assert seen([10, 0, 30, 60], [50, 0.5, 70, 60]) == [False, True]


def test_a_body_in_front_hides_the_head_behind_it():
    assert seen([100, 50, 120, 110], [98, 40, 122, 130]) == [False, True]


def test_who_is_further_away_hides_nothing():
    assert seen([100, 50, 120, 130], [98, 40, 122, 110])[0]


def test_a_body_does_not_fill_its_box():
    # The box of the one in front covers the head, the middle 60 % of it do not.
    assert seen([100, 50, 110, 110], [104, 40, 144, 130])[0]


def test_legs_hide_no_head_where_the_person_in_front_is_lower():
    assert seen([100, 50, 120, 110], [100, 70, 120, 130]) == [True, True]


def test_people_of_other_pictures_hide_nothing():
    assert seen([100, 50, 120, 110], [98, 40, 122, 130], pictures=np.array([3, 4])) == [True, True]


def test_order_of_the_boxes_does_not_matter():
    boxes = np.array([[100, 50, 120, 110], [98, 40, 122, 130], [0, 0, 9, 9], [100, 52, 120, 111]], float)
    pictures = np.array([1, 1, 0, 2])
    expected = heads_in_sight(boxes, pictures)
    order = np.array([2, 3, 0, 1])
    assert heads_in_sight(boxes[order], pictures[order]).tolist() == expected[order].tolist()


def test_nobody_has_no_head():
    assert heads_in_sight(np.zeros((0, 4)), np.zeros(0, int)).tolist() == []
