import numpy as np
import pytest

from mmtube.datasets.synthetic.figures.gait import ramp, spread, steps
from mmtube.datasets.synthetic.figures.skeleton import SOLE, J
from mmtube.datasets.synthetic.figures.stage3d import Stage3D
from mmtube.datasets.synthetic.vocabulary import BY_NAME


def joint(film, name, person=0):
    return Stage3D(film).skeletons[person].joints_m[:, J[name]]


@pytest.mark.parametrize('yaw', [0.0, 0.3])
@pytest.mark.parametrize('action', ['walk', 'push cart'])
def test_one_foot_is_always_on_the_ground_while_walking(film_of, action, yaw):
    film = film_of(action, yaw=yaw, seconds=3.0)
    feet = [f'{side}_{part}' for side in 'lr' for part in ('toe', 'heel')]
    joints = Stage3D(film).skeletons[0].joints_m
    lowest = np.minimum.reduce([joints[:, J[name], 1] for name in feet]) - SOLE * 1.75
    assert np.abs(lowest).max() < 0.02


def test_who_runs_leaves_the_ground(film_of):
    joints = Stage3D(film_of('run', seconds=3.0)).skeletons[0].joints_m
    lowest = np.minimum(joints[:, J['l_toe'], 1], joints[:, J['r_toe'], 1]) - SOLE * 1.75
    assert lowest.max() > 0.02


@pytest.mark.parametrize('action', ['walk', 'run'])
def test_the_standing_foot_does_not_slide(film_of, action):
    film = film_of(action, seconds=3.0)
    toe = joint(film, 'l_toe')[20:80]
    grounded = toe[:, 1] < SOLE * 1.75 + 1e-6
    # The first and last frame of a stance are on the way to or from a swing.
    stance = grounded[:-2] & grounded[1:-1] & grounded[2:]
    speed_mps = np.abs(toe[2:, 0] - toe[:-2, 0])[stance] * film.fps / 2
    body_mps = np.mean(BY_NAME[action].speed_mps)
    assert stance.sum() >= 10
    assert speed_mps.max() < 0.05 * body_mps


def test_steps_follow_the_distance_not_the_time(film_of):
    film = film_of('squat', seconds=4.0)
    film.people[0].acts = []
    joints = []
    for speed_mps in (0.7, 1.4):
        film.people[0].position_m = np.stack([speed_mps * np.arange(125) / 25, np.full(125, 4.0)], -1)
        joints.append(joint(film, 'l_knee') - joint(film, 'pelvis'))
    # At frame i one has gone as far as the other at frame 2 i; the body also sways a little with time.
    np.testing.assert_allclose(joints[1][10:50], joints[0][20:100:2], atol=0.01)


def test_legs_go_backwards_with_who_steps_back():
    fwd = np.tile([1.0, 0.0, 0.0], (3, 1))
    way, speed = steps(np.array([[0.0, 4.0], [-0.04, 4.0], [-0.04, 4.1]]), fwd, 25)
    assert way.tolist() == pytest.approx([-0.04, 0.1, 0.0])
    assert speed.tolist() == pytest.approx([1.0, 2.5, 0.0])


def test_a_cut_is_no_step():
    way, speed = steps(np.array([[0.0, 4.0], [2.0, 4.0]]), np.tile([1.0, 0.0, 0.0], (2, 1)), 25)
    assert not way.any() and not speed.any()


def test_ramp_rises_from_the_edges_but_not_from_the_ends_of_the_film():
    weight = ramp(np.array([1, 1, 1, 0, 0, 1, 1, 1, 1, 1, 0], bool), 2.0)
    assert weight.tolist() == [1, 1, 0.5, 0, 0, 0.5, 1, 1, 1, 0.5, 0]


def test_spread_is_soft_at_both_edges():
    weight = spread(np.array([0, 0, 0, 1, 1, 1, 0, 0, 0], bool), 1)
    third, two_thirds = 7 / 27, 20 / 27  # 3 x^2 - 2 x^3 at 1/3 and 2/3
    assert weight.tolist() == pytest.approx([0, 0, third, two_thirds, 1, two_thirds, third, 0, 0])
