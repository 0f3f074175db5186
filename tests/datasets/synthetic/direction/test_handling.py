"""Objects of one activity, worked out on a stage with one person at (0, 4) who looks to the right."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mmtube.datasets.synthetic.direction.blocking import Arena, Stage, Track
from mmtube.datasets.synthetic.direction.handling import Handling
from mmtube.datasets.synthetic.figures.props import CART_AHEAD_M, FLIGHT_S
from mmtube.datasets.synthetic.numerics import generator


@pytest.fixture
def scene():
    stage = Stage(10.0, 30.0, Arena(260.0, 320), 'gym')
    track = Track(2, 12.0, 0.0, 4.0, 0.0)
    stage.tracks[2] = track
    return stage, track, Handling(stage, generator(1))


def act(handling, track, kind, name, seconds):
    start_s = track.now_s
    track.now_s += seconds
    return handling.stage.props[handling.use(kind, name, track, start_s)]


def test_a_box_is_held_from_the_lift_to_the_end_of_putting_it_down(scene):
    _, track, handling = scene
    handling.lay_out('lift', track)
    for name in ('lift', 'carry', 'put down'):
        box = act(handling, track, 'box', name, 1.0)
        track.now_s += 0.3
    assert box.holds == [(12.0, pytest.approx(15.6), 2)] and box.rests[-1][0] == pytest.approx(15.6)
    _, holder, present = box.sample(np.array([11.0, 13.0, 15.5, 16.0]))
    assert holder.tolist() == [-1, 2, 2, -1] and present.all() and box.grip == 'both'


def test_a_cart_stays_where_it_was_pushed_to(scene):
    stage, track, handling = scene
    handling.lay_out('push cart', track)
    track.x_m = 1.5
    cart = act(handling, track, 'cart', 'push cart', 2.0)
    rest, holder, _ = cart.sample(np.array([10.0, 13.0, 14.5]))
    assert rest[[0, 2], 0].tolist() == pytest.approx([CART_AHEAD_M, 1.5 + CART_AHEAD_M])
    assert holder.tolist() == [-1, 2, -1] and len(stage.props) == 1


@pytest.mark.parametrize('kind', ['cup', 'phone'])
def test_what_comes_from_a_pocket_goes_back_there(scene, kind):
    _, track, handling = scene
    name = {'cup': 'drink', 'phone': 'phone call'}[kind]
    act(handling, track, kind, name, 1.0)
    track.now_s += 3.0
    plan = act(handling, track, kind, name, 1.0)
    assert plan.shown == (12.0, 17.0) and plan.holds == [(12.0, 17.0, 2)]


def test_a_thrown_ball_leaves_the_hand_with_the_act_and_the_scene_later(scene):
    _, track, handling = scene
    handling.bring('ball', track, 11.0)
    act(handling, track, 'ball', 'bounce ball', 2.0)
    ball = act(handling, track, 'ball', 'throw ball', 1.0)
    handling.let_go(20.0)
    assert ball.holds == [(11.0, 15.0, 2)] and ball.shown == (11.0, 15.0 + FLIGHT_S)


def test_what_is_held_throughout_is_let_go_at_the_end(scene):
    _, track, handling = scene
    handling.bring('broom', track, 11.0)
    broom = act(handling, track, 'broom', 'sweep', 2.0)
    assert broom.holds[-1][1] == math.inf
    handling.let_go(20.0)
    assert broom.holds == [(11.0, 20.0, 2)] and broom.shown == (11.0, 20.0)


def test_a_box_changes_hands(scene):
    stage, track, handling = scene
    handling.lay_out('lift', track)
    act(handling, track, 'box', 'lift', 1.0)
    handling.use('box', 'carry', track, track.now_s)
    handling.hand_over('box', 13.5, 5)
    assert stage.props[0].holds == [(12.0, 13.5, 2), (13.5, math.inf, 5)]


def test_a_table_stands_ahead_and_a_second_time_there_is_the_same_one(scene):
    stage, track, handling = scene
    handling.lay_out('chop', track)
    again = Handling(stage, generator(2))
    again.lay_out('chop', track)
    assert again.props == handling.props and len(stage.props) == len(stage.furniture) == 1
    assert stage.furniture[0].x_m - stage.furniture[0].width_m / 2 == pytest.approx(0.32)
    track.yaw, track.person = 0.5, 3
    again.lay_out('wipe table', track)
    assert stage.furniture[1].x_m + stage.furniture[1].width_m / 2 == pytest.approx(-0.32)
