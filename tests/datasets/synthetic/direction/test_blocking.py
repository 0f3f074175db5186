from __future__ import annotations

import math

import numpy as np
import pytest

from mmtube.datasets.synthetic.direction.blocking import Arena, Move, PropPlan, Stage, Track, shortest_turn, turns_of
from mmtube.datasets.synthetic.script import Furniture


@pytest.mark.parametrize('degrees', range(0, 360, 7))
def test_the_yaw_of_a_direction_is_right_to_a_thousandth_of_a_turn(degrees):
    turns = turns_of(3 * math.cos(math.radians(degrees)), 3 * math.sin(math.radians(degrees)))
    assert abs(shortest_turn(turns, degrees / 360)) < 1e-3


@pytest.mark.parametrize(
    ('start', 'end', 'by'), [(0.9, 0.1, 0.2), (0.1, 0.9, -0.2), (0.0, 0.5, -0.5), (0.25, 0.5, 0.25)]
)
def test_the_shorter_way_round_is_taken(start, end, by):
    assert shortest_turn(start, end) == pytest.approx(by)


def test_a_move_starts_and_stops_gently_and_covers_the_way():
    times_s = np.linspace(0, 4, 401)
    done = Move(1.0, 2.0, 3.0, 0.0).done(times_s)
    assert done[times_s <= 1].max() == 0 and done[times_s >= 3].min() == pytest.approx(1)
    speed = np.diff(done) / 0.01
    assert (speed >= -1e-9).all() and speed.max() == pytest.approx(1 / 1.75, rel=1e-6)  # 2 s less half of two ramps
    assert np.abs(np.diff(speed)).max() < 0.05


def test_travel_turns_the_body_into_the_way_and_arrives_in_time():
    track = Track(0, 0.0, 0.0, 5.0, 0.5)
    seconds = track.travel_s(2.0, 5.0, 1.0)
    assert seconds == pytest.approx(0.2 + 2.0 + 0.25)  # turn, way at a metre a second, ramps
    track.travel(2.0, 5.0, seconds)
    position, yaw, _, _ = track.sample(np.array([0.0, 1.0, seconds]))
    assert position[[0, 2]].tolist() == [[0, 5], [2, 5]]
    assert yaw[0] == 0.5 and yaw[2] % 1 == pytest.approx(0)


def test_whoever_is_away_comes_back_elsewhere():
    track = Track(0, 0.0, 1.0, 5.0, 0.0)
    track.now_s = 2.0
    track.reappear(6.0, -1.0, 4.0, 0.5)
    position, yaw, present, _ = track.sample(np.array([1.9, 2.0, 5.9, 6.0]))
    assert present.tolist() == [True, False, False, True]
    assert position[[0, 3]].tolist() == [[1, 5], [-1, 4]] and abs(yaw[3]) == 0.5


def test_the_arena_is_what_the_picture_shows():
    arena = Arena(300.0, 320)
    assert arena.x_m(60, 5.0) == 1.0
    assert arena.limit_m(6.0, 40.0) == pytest.approx(2.4)  # 120 px
    panning = Arena(300.0, 320, pan_px=50.0)
    assert panning.limit_m(6.0, 40.0) == pytest.approx(1.8)
    assert panning.outside_m(6.0) > arena.outside_m(6.0) > arena.x_m(160, 6.0)


def stage(*furniture):
    return Stage(0.0, 10.0, Arena(300.0, 320), 'park', furniture=list(furniture))


def test_a_place_behind_a_bush_is_moved_out_of_its_shadow():
    bush = Furniture('bush', 0.5, 4.0, 1.0, 1.75, (0, 0, 0))
    # At 6 m the shadow of 0 to 1 m is 0 to 1.5 m wide; half a person more on either side.
    assert stage(bush).free_x(0.2, 6.0) == pytest.approx(-0.3)
    assert stage(bush).free_x(1.7, 6.0) == pytest.approx(1.8)
    assert stage(bush).free_x(0.2, 3.9) == 0.2  # before the bush
    assert stage(bush).free_x(-1.0, 6.0) == -1.0


def test_a_place_in_a_chair_is_moved_beside_it_but_not_behind_a_bush():
    chair = Furniture('chair', 0.0, 5.0, 0.5, 0.45, (0, 0, 0))
    assert stage(chair).free_x(0.1, 5.0) == pytest.approx(0.7)
    assert stage(chair).free_x(0.1, 6.0) == 0.1
    bush = Furniture('bush', 1.2, 4.0, 1.8, 1.75, (0, 0, 0))  # hides all from 0.375 m on, and half a person more
    assert stage(chair, bush).free_x(0.1, 5.0) == pytest.approx(-0.7)
    wall = Furniture('sign', -1.6, 4.0, 2.4, 2.0, (0, 0, 0))  # hides all up to -0.5 m
    assert stage(chair, bush, wall).free_x(0.1, 5.0) == pytest.approx(0.075)  # better seen in the chair than hidden


def test_an_object_rests_where_it_was_put_and_is_held_in_between():
    plan = PropPlan('box', (0, 0, 0), 'both', [(0.0, 1, 0, 5), (3.0, 2, 0, 5)], [(1.0, 3.0, 4)], (0.5, 9.0))
    rest, holder, present = plan.sample(np.array([0.0, 1.0, 2.9, 3.0]))
    assert rest[:, 0].tolist() == [1, 1, 1, 2]
    assert holder.tolist() == [-1, 4, 4, -1]
    assert present.tolist() == [False, True, True, True]
