import numpy as np
import pytest

from mmtube.datasets.synthetic.figures.props import BALL_M, BOX_M, BROOM_M, CART_AHEAD_M, roll_m
from mmtube.datasets.synthetic.figures.skeleton import J
from mmtube.datasets.synthetic.figures.stage3d import Stage3D


def hand(stage, side, person=0):
    return stage.skeletons[person].joints_m[:, J[f'{side}_hand']]


def distance(a, b):
    return np.sqrt(((a - b) ** 2).sum(-1))


@pytest.mark.parametrize('grip', ['right', 'left'])
@pytest.mark.parametrize('action', ['drink', 'phone call', 'wipe table', 'chop'])
def test_small_objects_are_in_the_hand(film_of, action, grip):
    film = film_of(action, grip=grip)
    stage = Stage3D(film)
    held = np.flatnonzero(film.props[0].holder == 0)
    if action in ('wipe table', 'chop'):  # the hand comes to what lies on the table first
        held = held[7:-7]
    assert distance(stage.props[0].base_m, hand(stage, grip[0]))[held].max() < 0.05


def test_a_book_is_between_the_hands_that_read(film_of):
    stage = Stage3D(film_of('read'))
    middle = (hand(stage, 'l') + hand(stage, 'r')) / 2
    assert distance(stage.props[0].base_m, middle)[25:50].max() < 0.05


@pytest.mark.parametrize('action', ['lift', 'carry', 'put down'])
def test_the_palms_are_on_the_box_while_it_moves(film_of, action):
    film = film_of(action, seconds=1.6)
    stage = Stage3D(film)
    centre = stage.props[0].base_m
    moving = np.flatnonzero(np.abs(np.diff(centre[:, 1])) > 2e-3) if action != 'carry' else np.arange(15, 50)
    assert len(moving) >= 10
    half = np.array([0.0, 0.0, BOX_M[1] / 2])  # the person faces +X, the sides are at +Z and -Z
    for side, sign in (('l', 1.0), ('r', -1.0)):
        assert distance(hand(stage, side), centre + sign * half)[moving].max() < 0.06


def test_a_box_goes_from_the_ground_to_the_belly_and_back(film_of):
    lifted = Stage3D(film_of('lift', seconds=1.6)).props[0].base_m
    assert lifted[0].tolist() == pytest.approx([0.42, BOX_M[2] / 2, 4.0])
    assert 0.9 < lifted[-1, 1] < 1.3
    lowered = Stage3D(film_of('put down', seconds=1.6)).props[0].base_m
    assert 0.9 < lowered[0, 1] < 1.3
    assert lowered[-1].tolist() == pytest.approx([0.42, BOX_M[2] / 2, 4.0])


@pytest.mark.parametrize('action', ['lift', 'carry', 'put down', 'hand over', 'push cart', 'bounce ball', 'sweep'])
def test_objects_do_not_jump(film_of, action):
    base = Stage3D(film_of(action, seconds=2.0)).props[0].base_m
    assert distance(base[1:], base[:-1]).max() * 25 < 9.0


def test_a_box_changes_hands(film_of):
    stage = Stage3D(film_of('hand over'))
    box = stage.props[0].base_m
    for frame, giver, taker in ((5, True, False), (60, False, True)):
        near = [min(distance(box[frame], hand(stage, side, who)[frame]) for side in 'lr') < 0.3 for who in (0, 1)]
        assert near == [giver, taker]
    # Both hold it in the middle of the act.
    assert all(distance(box[37], hand(stage, 'l', who)[37]) < BOX_M[1] / 2 + 0.08 for who in (0, 1))


def test_a_cart_is_on_the_ground_before_who_pushes_it(film_of):
    film = film_of('push cart', yaw=0.5)
    stage = Stage3D(film)
    cart, person = stage.props[0].base_m[40], film.people[0].position_m[40]
    assert cart[1] == 0.0
    assert cart[0] == pytest.approx(person[0] - CART_AHEAD_M, abs=1e-6)
    assert hand(stage, 'l')[40, 1] == pytest.approx(0.95, abs=0.03)


def test_a_ball_is_bounced_1_6_times_a_second(film_of):
    height_m = Stage3D(film_of('bounce ball', seconds=4.0)).props[0].base_m[20:105, 1]
    low = (height_m[1:-1] < height_m[:-2]) & (height_m[1:-1] <= height_m[2:]) & (height_m[1:-1] < 0.3)
    assert 4 <= low.sum() <= 7  # in 3.4 s, everyone with a tempo of his own
    assert height_m.min() >= BALL_M - 1e-9
    assert height_m.max() > 0.6


def test_a_ball_leaves_the_hand_at_45_percent_of_the_throw(film_of):
    film = film_of('throw ball', seconds=2.0)
    stage = Stage3D(film)
    away = distance(stage.props[0].base_m, hand(stage, 'r')) > 0.25
    release = round((0.5 + 0.45 * 2.0) * 25)
    acting = np.arange(13, 62)
    assert abs(acting[np.argmax(away[acting])] - release) <= 2
    flight = stage.props[0].base_m[release + 1 : release + 12]
    assert (np.diff(flight[:, 0]) * 25).tolist() == pytest.approx([7.0] * 10)
    # Free fall: the second difference of the height is g / fps^2.
    np.testing.assert_allclose(np.diff(flight[:, 1], n=2) * 625, -9.81, rtol=1e-6)


def test_a_kicked_ball_rolls_off_when_the_toe_comes_to_it_and_slows_down_until_it_lies(film_of):
    stage = Stage3D(film_of('kick ball', seconds=1.2))
    ball, toe = stage.props[0].base_m, stage.skeletons[0].joints_m[:, J['r_toe']]
    strike = int((0.5 + 0.42 * 1.2) * 25)
    assert ball[strike].tolist() == pytest.approx([0.45, BALL_M, 4.0])
    assert distance(ball, toe)[strike] < BALL_M + 0.05
    assert ball[strike + 2, 0] > 0.7
    speed = np.diff(ball[strike + 2 :, 0]) * 25  # half a second after the act is over, too
    assert speed[0] == pytest.approx(5.5, abs=0.3) and (np.diff(speed) < 0).all() and speed[-1] > 2.0
    assert roll_m([0.0, 1.0, 3.0, 9.0]).tolist() == pytest.approx([0.0, 5.5 * 5 / 6, 8.25, 8.25])


def test_a_thrown_ball_flies_on_when_the_act_is_over(film_of):
    ball = Stage3D(film_of('throw ball', seconds=1.0)).props[0].base_m
    release = int((0.5 + 0.45) * 25) + 1
    assert (np.diff(ball[release:, 0]) * 25).tolist() == pytest.approx([7.0] * (len(ball) - release - 1))
    assert ball[-1, 1] == BALL_M  # on the ground by then


@pytest.mark.parametrize('action', ['wipe table', 'chop'])
def test_a_tool_does_not_jump_from_the_table_into_the_hand(film_of, action):
    base = Stage3D(film_of(action)).props[0].base_m
    assert base[0, 1] == base[-1, 1] == pytest.approx(0.91)
    assert distance(base[1:], base[:-1]).max() * 25 < 6.0


def test_a_broom_goes_through_both_hands_to_the_ground(film_of):
    stage = Stage3D(film_of('sweep', seconds=3.0))
    path = stage.props[0]
    for side in 'lr':
        way = hand(stage, side) - path.base_m
        along = (way * path.up).sum(-1)
        aside = distance(way, path.up * along[:, None])
        assert aside[25:75].max() < 0.05
        assert along[25:75].max() < BROOM_M
    assert np.abs(path.base_m[25:75, 1]).max() < 0.05
    assert np.ptp(path.base_m[25:75, 0]) > 0.3


def test_what_nobody_holds_is_at_rest(film_of):
    film = film_of('drink')
    film.props[0].holder[:] = -1
    film.people[0].acts = []
    base = Stage3D(film).props[0].base_m
    assert np.abs(base - film.props[0].rest_m).max() < 0.1
