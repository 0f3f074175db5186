"""People who come and go."""

from __future__ import annotations

import numpy as np
import pytest

from mmtube.datasets.synthetic.direction.blocking import Arena, Stage, Track
from mmtube.datasets.synthetic.direction.traffic import (
    PASTIMES,
    go_out,
    leave_and_return,
    pace_of,
    stay_out,
    stranger,
)
from mmtube.datasets.synthetic.numerics import generator

ARENA = Arena(260.0, 320)


def stage():
    return Stage(10.0, 40.0, ARENA, 'park')


def test_paces_are_those_of_a_walk_or_a_run():
    rng = generator(3)
    assert all(name == 'walk' and 1.1 <= mps <= 1.5 for name, mps in (pace_of(rng, 0.0) for _ in range(50)))
    assert all(name == 'run' and 2.7 <= mps <= 4.0 for name, mps in (pace_of(rng, 1.0) for _ in range(50)))


def test_whoever_leaves_goes_out_of_sight_mostly_by_the_nearer_side():
    sides = []
    for seed in range(60):
        track = Track(0, 12.0, 1.0, 5.0, 0.0)
        go_out(generator(seed), stage(), track)
        assert abs(track.x_m) == pytest.approx(ARENA.outside_m(5.0)) and track.acts[-1].end_s == track.now_s > 12.5
        sides.append(track.x_m > 0)
    assert 0.6 < np.mean(sides) < 0.9


def test_whoever_returns_is_away_for_the_given_time_and_comes_in_from_outside():
    sides = []
    for seed in range(40):
        track = Track(0, 12.0, -1.0, 5.0, 0.0)
        leave_and_return(generator(seed), stage(), track, 6.0)
        ((left_s, back_s),) = track.absent
        assert back_s - left_s == pytest.approx(6.0) and abs(track.x_m) == pytest.approx(ARENA.outside_m(5.0))
        assert track.yaw == (0.0 if track.x_m < 0 else 0.5)  # towards the picture
        sides.append(track.x_m > 0)
        _, _, present, _ = track.sample(np.array([left_s - 0.1, left_s + 0.1, back_s - 0.1, back_s]))
        assert present.tolist() == [True, False, False, True]
    assert 0.2 < np.mean(sides) < 0.8


def test_whoever_stays_out_is_away_to_the_end():
    track = Track(0, 12.0, 9.0, 5.0, 0.0)
    stay_out(stage(), track)
    assert not track.sample(np.array([12.0, 39.9, 40.0]))[2].any() and track.now_s == 40.0


def test_strangers_keep_to_their_lanes_and_do_what_nobody_labels():
    passing, depths, acts = 0, [], set()
    for seed in range(80):
        scene = stage()
        stranger(generator(seed), scene, 4)
        track = scene.tracks[4]
        passing += bool(track.absent)
        depths.append(track.z_m)
        acts |= {act.action for act in track.acts}
        assert not track.activities and all(act.end_s <= 41.0 + 30.0 for act in track.acts)
        if track.absent:
            assert abs(track.x_m) == pytest.approx(ARENA.outside_m(track.z_m))
    assert all(3.1 <= z <= 3.4 or 6.4 <= z <= 8.0 for z in depths) and min(depths) < 3.4 < max(depths)
    assert 25 <= passing <= 60 and acts <= {*PASTIMES, 'walk', 'run'} and len(acts) > 8
