import numpy as np
import pytest

from mmtube.datasets.synthetic.figures.skeleton import J
from mmtube.datasets.synthetic.figures.stage3d import Stage3D


def distance(stage, first, second, frame):
    a = stage.skeletons[0].joints_m[frame, J[first]]
    b = stage.skeletons[1].joints_m[frame, J[second]]
    return float(np.sqrt(((a - b) ** 2).sum()))


@pytest.mark.parametrize('yaw', [0.0, 0.5, 0.95])
def test_hands_are_shaken(film_of, yaw):
    stage = Stage3D(film_of('shake hands', yaw=yaw))
    assert max(distance(stage, 'r_hand', 'r_hand', frame) for frame in range(25, 50)) < 0.06
    assert distance(stage, 'r_hand', 'r_hand', 0) > 0.3


def test_a_shake_goes_up_and_down(film_of):
    height_m = Stage3D(film_of('shake hands')).skeletons[0].joints_m[25:50, J['r_hand'], 1]
    assert 0.05 < np.ptp(height_m) < 0.12


def test_high_fives_meet_above_the_shoulders(film_of):
    stage = Stage3D(film_of('high five', seconds=1.2))
    middle = 12 + 15
    assert distance(stage, 'r_hand', 'r_hand', middle) < 0.06
    assert stage.skeletons[0].joints_m[middle, J['r_hand'], 1] > stage.skeletons[0].joints_m[middle, J['neck'], 1]


def test_who_is_led_is_held_by_the_hand(film_of):
    stage = Stage3D(film_of('lead by hand', seconds=3.0))
    hands = [(a, b) for a in ('l_hand', 'r_hand') for b in ('l_hand', 'r_hand')]
    assert min(distance(stage, a, b, 50) for a, b in hands) < 0.08


def test_a_hug_puts_the_hands_behind_the_other_one(film_of):
    film = film_of('hug')
    stage = Stage3D(film)
    for one, other, sign in ((0, 1, 1.0), (1, 0, -1.0)):
        hands = stage.skeletons[one].joints_m[38][[J['l_hand'], J['r_hand']], 0]
        chest = stage.skeletons[other].joints_m[38, J['chest'], 0]
        assert (sign * (hands - chest) > 0.03).all()


def test_an_act_without_a_partner_touches_nobody(film_of):
    film = film_of('shake hands')
    for person in film.people:
        person.acts = [type(act)(act.action, act.start_s, act.end_s) for act in person.acts]
    assert distance(Stage3D(film), 'r_hand', 'r_hand', 35) > 0.06
