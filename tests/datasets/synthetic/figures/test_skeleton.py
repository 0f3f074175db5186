import numpy as np
import pytest

from mmtube.datasets.synthetic.figures.skeleton import (
    CHANNELS,
    FOREARM,
    HAND,
    HEAD_RADIUS,
    SHIN,
    SOLE,
    THIGH,
    UPPER_ARM,
    J,
    Stand,
    articulate,
)

HEIGHT_M = 2.0


def stand_at(x_m=0.0, z_m=4.0, yaw=0.0, rows=1):
    return Stand.of(np.tile([x_m, z_m], (rows, 1)), np.full(rows, yaw), HEIGHT_M)


def skeleton(look_of, yaw=0.0, **channels):
    pose = {name: np.full(1, float(channels.get(name, 0.0))) for name in CHANNELS}
    return articulate(stand_at(yaw=yaw), pose, look_of(HEIGHT_M))


def distance(body, first, second):
    return float(np.sqrt(((body[first] - body[second]) ** 2).sum()))


@pytest.mark.parametrize(
    ('yaw', 'fwd', 'left'), [(0.0, (1, 0), (0, 1)), (0.25, (0, 1), (-1, 0)), (0.75, (0, -1), (1, 0))]
)
def test_yaw_is_as_the_script_says(yaw, fwd, left):
    stand = stand_at(yaw=yaw)
    np.testing.assert_allclose(stand.fwd[0, [0, 2]], fwd, atol=1e-7)
    np.testing.assert_allclose(stand.left[0, [0, 2]], left, atol=1e-7)
    np.testing.assert_allclose(
        stand.point(2.0, 1.0, 0.5)[0], [2 * fwd[0] + left[0], 0.5, 4 + 2 * fwd[1] + left[1]], atol=1e-6
    )


def test_who_stands_is_as_tall_as_the_look_says(look_of):
    body = skeleton(look_of)
    crown = body['head'][0, 1] + HEAD_RADIUS * HEIGHT_M
    assert crown == pytest.approx(HEIGHT_M, abs=0.03)
    for side in 'lr':
        assert body[f'{side}_toe'][0, 1] == pytest.approx(SOLE * HEIGHT_M, abs=1e-6)


def test_bones_keep_their_length(look_of):
    body = skeleton(look_of, hips_up=-0.2, lean=0.1, twist=0.1, arm_r=0.2, out_r=0.1, elbow_r=0.3, roll_r=-0.1)
    for side in 'lr':
        for first, second, part in (
            ('hip', 'knee', THIGH),
            ('knee', 'ankle', SHIN),
            ('shoulder', 'elbow', UPPER_ARM),
            ('elbow', 'wrist', FOREARM),
            ('wrist', 'hand', HAND),
        ):
            assert distance(body, f'{side}_{first}', f'{side}_{second}') == pytest.approx(part * HEIGHT_M, abs=1e-6)


def test_angles_of_an_arm(look_of):
    arm_m = (UPPER_ARM + FOREARM + HAND) * HEIGHT_M

    def hand(**channels):
        body = skeleton(look_of, **channels)
        return ((body['r_hand'] - body['r_shoulder'])[0] / arm_m).round(3).tolist()

    assert hand() == [0, -1, 0]  # hangs
    assert hand(arm_r=0.25) == [1, 0, 0]  # forward
    assert hand(out_r=0.25) == [0, 0, -1]  # to the right of who faces +X: towards the camera
    forearm = round((FOREARM + HAND) * HEIGHT_M / arm_m, 3)
    assert hand(elbow_r=0.25) == [forearm, pytest.approx(forearm - 1, abs=2e-3), 0]  # the elbow bends forward


def test_hips_come_down_as_far_as_the_feet_demand(look_of):
    straddling = skeleton(look_of, foot_fwd_l=0.3, foot_fwd_r=-0.3)
    assert straddling['pelvis'][0, 1] < skeleton(look_of)['pelvis'][0, 1] - 0.1
    for side in 'lr':
        assert straddling[f'{side}_toe'][0, 1] == pytest.approx(SOLE * HEIGHT_M, abs=1e-3)


def test_a_hand_goes_to_what_it_can_reach_and_no_further(look_of):
    body = skeleton(look_of)
    target = body['r_shoulder'] + np.array([[0.4, -0.1, 0.0]])
    body.reach('r', target, np.array([1.0]))
    assert distance(body, 'r_hand', 'r_hand') == 0
    np.testing.assert_allclose(body['r_hand'], target, atol=1e-9)
    body.reach('r', body['r_shoulder'] + np.array([[5.0, 0.0, 0.0]]), np.array([1.0]))
    arm_m = (UPPER_ARM + FOREARM + HAND) * HEIGHT_M
    assert distance(body, 'r_shoulder', 'r_hand') == pytest.approx(arm_m, rel=1e-3)


def test_half_a_weight_goes_half_the_way(look_of):
    body = skeleton(look_of)
    before = body['l_hand'].copy()
    target = before + np.array([[0.3, 0.2, 0.0]])
    body.reach('l', target, np.array([0.5]))
    np.testing.assert_allclose(body['l_hand'], (before + target) / 2, atol=1e-9)
    body.joints_m[:, J['l_hand']] = before
    body.reach('l', target, np.array([0.0]))
    np.testing.assert_array_equal(body['l_hand'], before)
