"""What is hidden, and where a box ends, on bodies of one limb that can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from mmtube.datasets.synthetic.annotation.sight import look, paired_iou, snap
from mmtube.datasets.synthetic.direction.casting import cast
from mmtube.datasets.synthetic.figures.body import BodyTrack
from mmtube.datasets.synthetic.numerics import generator
from mmtube.datasets.synthetic.script import FilmScript, PersonScript, Shot


def film(frames, people, shift=(0, 0)):
    looks = cast(generator(0), people, 0.0)
    empty = (np.zeros((frames, 2)), np.zeros(frames), np.ones(frames, bool), np.zeros(frames, bool))
    shot = Shot(0, frames, 'street', 0, 300.0, 1.5, 100.0, np.tile(np.array(shift, np.int32), (frames, 1)))
    return FilmScript('val_0000', 0, 25, frames, (320, 240), [PersonScript(x, *empty) for x in looks], [], [shot])


def pole(x, depth, frames=1, top=100.0, bottom=200.0, radius=10.0):
    """An upright capsule, and a head of the same kind at its top."""
    x = np.broadcast_to(np.asarray(x, np.float64), (frames,))
    ends = np.empty((frames, 2, 2, 2))
    ends[:, :, 0], ends[:, :, 1] = (0, top), (0, bottom)
    ends[:, 1, 1] = (0, top)
    ends[..., 0] = x[:, None, None]
    return BodyTrack(ends, np.full((frames, 2, 2), radius), np.full((frames, 2), depth), None, ('trunk', 'head'))


def test_a_box_is_the_whole_body_on_a_grid_of_an_eighth():
    (sight,) = look(film(1, 1), [pole(100.3, 5.0)], [[]])
    assert sight.boxes_px.tolist() == [[90.25, 90, 110.25, 210]]
    assert sight.visible.tolist() == [1] and sight.head.all() and sight.shown.all()


def test_a_box_is_cut_at_the_edge_of_the_frame():
    (sight,) = look(film(1, 1), [pole(-2.0, 5.0)], [[]])
    assert sight.boxes_px.tolist() == [[0, 90, 8, 210]]
    # Points at 0.6 of the radius: those on the right, at x = 4, are in the frame.
    assert sight.visible == pytest.approx(0.5)


@pytest.mark.parametrize(('x', 'shown'), [(-5.0, True), (-7.0, False), (-60.0, False), (400.0, False)])
def test_less_than_a_quarter_in_the_frame_is_no_box(x, shown):
    (sight,) = look(film(1, 1), [pole(x, 5.0)], [[]])
    assert sight.shown.tolist() == [shown] and np.isnan(sight.boxes_px).all() == (not shown)


@pytest.mark.parametrize(('right', 'part', 'shown'), [(None, 1 / 3, True), (100.0, 1 / 6, False)])
def test_a_quarter_of_the_body_by_its_area_is_enough(right, part, shown):
    # Of the trunk of 120 x 20 pixels the lowest third is below the board, or half of that; of the head of 20 x 20 none.
    board = [(np.array([80.0, 0.0, 120.0, 185.0]), 4.0)]
    board += [(np.array([80.0, 0.0, right, 240.0]), 4.0)] if right else []
    (sight,) = look(film(1, 1), [pole(100, 5.0)], [board])
    assert sight.visible == pytest.approx(part * 2400 / 2800) and sight.shown.tolist() == [shown]


def test_the_nearer_person_hides_the_farther_one():
    front, back = look(film(1, 2), [pole(100, 4.0, radius=30.0), pole(100, 6.0)], [[]])
    assert front.visible == pytest.approx(1) and front.shown.all()
    assert back.visible == pytest.approx(0) and not back.shown.any() and not back.head.any()
    beside, apart = look(film(1, 2), [pole(100, 4.0), pole(125, 6.0)], [[]])
    assert beside.visible == pytest.approx(1) and apart.visible == pytest.approx(1)


def test_half_a_body_behind_another_one_is_half_hidden():
    _, back = look(film(1, 2), [pole(90, 4.0), pole(105, 6.0)], [[]])
    assert 0.45 < back.visible[0] < 0.55 and back.shown.all()  # points at x = 99 are covered, those at 111 are not


@pytest.mark.parametrize(('depth', 'hidden'), [(4.0, True), (6.0, False)])
def test_furniture_hides_those_behind_it_only(depth, hidden):
    column = (np.array([80.0, 0.0, 120.0, 240.0]), depth)
    (sight,) = look(film(1, 1), [pole(100, 5.0)], [[column]])
    assert sight.shown.all() == (not hidden) and sight.visible[0] == (0 if hidden else 1)


def test_an_arm_before_a_board_is_to_be_seen_though_the_body_is_behind_it():
    body = pole(100, 5.0)
    body.depth_m[:, 1] = 3.0  # the head, of 400 of 2800 square pixels
    (sight,) = look(film(1, 1), [body], [[(np.array([80.0, 0.0, 120.0, 240.0]), 4.0)]])
    assert sight.visible == pytest.approx(400 / 2800) and sight.head.all()


def test_of_two_who_cross_limbs_each_hides_what_is_behind_it():
    a, b = pole(100, 5.0), pole(100.5, 6.0)
    b.depth_m[:, 1] = 4.0  # the farther one's head is before the nearer one's
    first, second = look(film(1, 2), [a, b], [[]])
    assert second.head.all() and not first.head.any()
    assert second.visible[0] < 0.5 < first.visible[0]


def test_furniture_moves_with_the_picture():
    column = (np.array([80.0, 0.0, 120.0, 240.0]), 4.0)  # at shift 0; bodies are told with the shift
    (sight,) = look(film(1, 1, shift=(50, 0)), [pole(100, 5.0)], [[column]])
    assert sight.visible == pytest.approx(1)
    (sight,) = look(film(1, 1, shift=(50, 0)), [pole(150, 5.0)], [[column]])
    assert sight.visible == pytest.approx(0)


def test_the_head_alone_may_be_hidden():
    lamp = (np.array([80.0, 80.0, 120.0, 115.0]), 4.0)
    (sight,) = look(film(1, 1), [pole(100, 5.0)], [[lamp]])
    assert sight.shown.all() and not sight.head.any()


def test_of_two_boxes_in_one_place_the_farther_one_is_left_out():
    # A thin body before a wide one in nearly the same box: both are mostly visible.
    thin = pole(100, 4.0, radius=10.0)
    thin.radii_px[:, 0] = 2.0
    wide = pole(100.25, 5.0, radius=10.0)
    wide.radii_px[:, 1] = 4.0
    front, back = look(film(1, 2), [thin, wide], [[]])
    assert front.shown.all() and not back.shown.any() and back.visible[0] > 0.25


def test_whoever_is_absent_has_no_box():
    script = film(3, 1)
    script.people[0].present[1] = False
    body = pole(100, 5.0, frames=3)
    body.ends_px[1] = body.depth_m[1] = np.nan
    (sight,) = look(script, [body], [[]])
    assert sight.shown.tolist() == [True, False, True] and sight.visible[1] == 0


def test_iou_of_pairs_and_of_nothing():
    a = np.array([[0.0, 0, 10, 10], [0, 0, 10, 10], [0, 0, 10, 10], [np.nan] * 4])
    b = np.array([[0.0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30], [0, 0, 10, 10]])
    assert paired_iou(a, b) == pytest.approx([1, 1 / 3, 0, 0])


def test_snapping_keeps_boxes_in_the_frame_and_exact_in_float32():
    boxes = snap(np.array([[-3.0, 0.06, 100.07, 250.0]]), (320, 240))
    assert boxes.tolist() == [[0, 0, 100.125, 240]]
    assert (boxes.astype(np.float32) == boxes).all()
