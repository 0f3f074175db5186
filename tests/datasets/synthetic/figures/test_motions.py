import numpy as np
import pytest

from mmtube.datasets.synthetic.figures.motion_tools import MOTIONS, cycles, keys
from mmtube.datasets.synthetic.figures.posing import mirror
from mmtube.datasets.synthetic.figures.skeleton import CHANNELS, SOLE, J
from mmtube.datasets.synthetic.figures.stage3d import Stage3D
from mmtube.datasets.synthetic.script import Act
from mmtube.datasets.synthetic.vocabulary import ATOMIC_ACTIONS, ATOMIC_NAMES, BY_NAME

GESTURES = {f'{name}_{side}' for side in 'lr' for name in ('arm', 'out', 'elbow', 'roll')} | {'nod', 'look', 'tilt'}


def joints_of(film, person=0):
    return Stage3D(film).skeletons[person].joints_m


def test_every_action_has_a_motion():
    assert set(MOTIONS) == set(ATOMIC_NAMES)


@pytest.mark.parametrize('action', ATOMIC_NAMES)
def test_motions_set_known_channels(action):
    for name, value in MOTIONS[action](np.linspace(0, 1.5, 20), 1.5).items():
        if name in ('hand_l', 'hand_r'):
            assert len(value) == 3
        else:
            assert name in CHANNELS
            assert np.isfinite(value).all()


@pytest.mark.parametrize('action', [action.name for action in ATOMIC_ACTIONS if action.upper])
def test_upper_actions_leave_the_legs_alone(action):
    legs = {'hips_up', 'hips_fwd', 'hips_left', 'air'} | {name for name in CHANNELS if name.startswith('foot')}
    assert not legs & set(MOTIONS[action](np.linspace(0, 1.5, 20), 1.5))


@pytest.mark.parametrize(('one', 'other'), [('punch', 'hit person'), ('kick', 'kick ball'), ('drink', 'phone call')])
def test_look_alikes_move_alike(film_of, one, other):
    film = film_of(other)
    before = joints_of(film)
    act = film.people[0].acts[0]
    film.people[0].acts = [Act(one, act.start_s, act.end_s, None, act.prop)]
    np.testing.assert_array_equal(joints_of(film), before)


def test_pushing_a_person_ends_in_the_arms_of_pushing_a_cart():
    person, cart = (MOTIONS[name](np.array([0.55]), 1.1) for name in ('push person', 'push cart'))
    for channel in ('arm_l', 'arm_r', 'elbow_l', 'elbow_r'):
        assert np.allclose(person[channel], cart[channel])


@pytest.mark.parametrize('action', ATOMIC_NAMES)
def test_nothing_jumps(film_of, action):
    joints = joints_of(film_of(action, seconds=1.5))
    way = joints[1:] - joints[:-1]
    speed_mps = np.sqrt((way * way).sum(-1)) * 25
    # A fist, a foot that kicks: about 10 m/s. A pose that changes at once would be far above.
    assert speed_mps.max() < 13.0


@pytest.mark.parametrize('action', [name for name in ATOMIC_NAMES if name not in ('walk', 'run', 'carry')])
def test_every_action_moves_the_body(film_of, action):
    film = film_of(action)
    acting = joints_of(film)[25:60]
    film.people[0].acts = []
    for prop in film.props:
        prop.holder[:] = -1
    still = joints_of(film)[25:60]
    distance = np.sqrt(((acting - still) ** 2).sum(-1))
    assert distance.max() > (0.05 if action in ('sit down', 'stand up') else 0.12)


def test_jump_leaves_the_ground_and_comes_back(film_of):
    joints = joints_of(film_of('jump'))
    lowest = np.minimum(joints[:, J['l_toe'], 1], joints[:, J['r_toe'], 1]) - SOLE * 1.75
    assert lowest.max() > 0.25
    assert lowest[[0, -1]] == pytest.approx(0.0, abs=1e-3)


def test_who_sits_has_the_hips_on_the_seat(film_of):
    hips = joints_of(film_of('sit down'))[-1, J['pelvis']]
    thigh_m = 0.05 * 1.75
    assert 0.45 < hips[1] < 0.45 + 1.5 * thigh_m
    np.testing.assert_allclose(joints_of(film_of('stand up'))[0, J['pelvis'], 1], hips[1], atol=0.01)


def test_bow_brings_the_head_down_and_forward(film_of):
    joints = joints_of(film_of('bow'))
    head = joints[37, J['head']] - joints[0, J['head']]
    assert head[0] > 0.3 and head[1] < -0.3


def test_hands_meet_in_a_clap_without_crossing(film_of):
    joints = joints_of(film_of('clap'))[20:55]
    gap_m = joints[:, J['l_hand'], 2] - joints[:, J['r_hand'], 2]  # the person faces +X, the left is at +Z
    assert 0.0 < gap_m.min() < 0.09  # hands are thick
    assert gap_m.max() > 0.5


def test_a_second_act_on_top_leaves_the_first_to_the_legs(film_of):
    film = film_of('walk', seconds=3.0)
    alone = joints_of(film)
    film.people[0].acts.append(Act('wave hand', 1.0, 3.0))
    together = joints_of(film)
    np.testing.assert_array_equal(together[:, J['l_knee']], alone[:, J['l_knee']])
    assert together[50, J['r_hand'], 1] > alone[50, J['r_hand'], 1] + 0.5


def test_the_other_hand_drinks_when_the_cup_is_on_the_left(film_of):
    right, left = (joints_of(film_of('drink', grip=grip)) for grip in ('right', 'left'))
    assert right[40, J['r_hand'], 1] > 1.3 > right[40, J['l_hand'], 1]
    assert left[40, J['l_hand'], 1] > 1.3 > left[40, J['r_hand'], 1]
    # Drawn from the front, one is the mirror image of the other (the person faces +X, so left is +Z).
    assert left[40, J['l_hand'], 2] - 4.0 == pytest.approx(-(right[40, J['r_hand'], 2] - 4.0), abs=0.02)


def test_mirror_twice_is_the_same():
    motion = MOTIONS['wipe table'](np.array([0.4]), 2.0)
    again = mirror(mirror(motion))
    assert again.keys() == motion.keys()
    assert again['bend'] == motion['bend'] != 0
    assert np.ravel(again['hand_r'][1]) == np.ravel(motion['hand_r'][1])
    assert list(mirror(motion)['hand_r']) == [0.34, -0.25, pytest.approx(0.89)]


def test_keys_pass_through_their_values_and_stay_between_them():
    phase = np.linspace(-0.5, 1.5, 401)
    curve = keys(phase, (0.0, 0.5, 1.0), (0.0, 2.0, -1.0))
    assert curve[[0, 100, 200, 300, 400]].tolist() == pytest.approx([0, 0, 2, -1, -1])
    assert curve.max() == pytest.approx(2.0) and curve.min() == pytest.approx(-1.0)
    assert keys(np.array([0.25]), (0.0, 0.5), (0.0, 2.0)).tolist() == [1.0]


def test_cycles_fill_the_act_with_whole_movements():
    # 2.1 s at about 1 s each: two movements, and the act ends where one ends.
    assert cycles(np.array([0.0, 0.525, 1.05, 1.575]), 2.1, 1.0).tolist() == pytest.approx([0.0, 0.5, 0.0, 0.5])
    assert cycles(np.array([0.2]), 0.4, 1.0).tolist() == [0.5]


def test_upper_is_what_the_vocabulary_says():
    for action in ('wave hand', 'clap', 'raise arms', 'drink', 'read'):
        assert BY_NAME[action].upper
        assert set(MOTIONS[action](np.array([0.5]), 1.5)) <= GESTURES
