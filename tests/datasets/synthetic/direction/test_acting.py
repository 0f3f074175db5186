"""Rules of acting that the whole default set keeps, in space and in the picture."""

from __future__ import annotations

import numpy as np
import pytest

from mmtube.datasets.synthetic.direction.director import direct
from mmtube.datasets.synthetic.figures.gait import RUNNING_MPS
from mmtube.datasets.synthetic.options import SetOptions
from mmtube.datasets.synthetic.vocabulary import BY_NAME

OPTIONS = SetOptions()
COVER = ('pillar', 'bush', 'sign')


@pytest.fixture(scope='module')
def scripts():
    return [direct(OPTIONS, split, number) for _, split, number in OPTIONS.film_names()]


def labelled(scripts, *names):
    """Labelled acts of these names with film, person and frames; those that a cut divides are left out."""
    found = []
    for script in scripts:
        starts = [shot.start for shot in script.shots]
        for person in script.people:
            for activity in person.activities:
                for act in person.acts:
                    inside = act.start_s >= activity.start_s - 1e-9 and act.end_s <= activity.end_s + 1e-9
                    rows = slice(int(np.ceil(act.start_s * script.fps)), int(act.end_s * script.fps))
                    if inside and act.action in names and not any(rows.start < cut < rows.stop + 1 for cut in starts):
                        found.append((script, person, act, rows))
    assert len(found) > 5
    return found


def speeds(script, person, rows):
    step = np.diff(person.position_m[rows], axis=0)
    return np.sqrt((step**2).sum(axis=1)) * script.fps


def x_px(script, x_m, z_m, frame):
    shot = next(shot for shot in script.shots if shot.start <= frame < shot.end)
    return script.size[0] / 2 + shot.focal_px * x_m / z_m + shot.shift_px[frame - shot.start, 0]


def test_who_runs_is_faster_than_who_walks(scripts):
    run, walk = (
        [speeds(script, person, rows) for script, person, act, rows in labelled(scripts, name)]
        for name in ('run', 'walk')
    )
    # Above this pace a body is drawn running.
    assert min(speed.max() for speed in run) > RUNNING_MPS and max(speed.max() for speed in walk) < RUNNING_MPS
    assert np.mean([np.mean(speed > RUNNING_MPS) > 0.4 for speed in run]) > 0.95


@pytest.mark.parametrize('name', ['walk', 'push cart', 'lead by hand'])
def test_nobody_creeps(scripts, name):
    slowest = BY_NAME[name].speed_mps[0]
    for script, person, act, rows in labelled(scripts, name):
        assert speeds(script, person, rows).max() > 0.6 * slowest, (script.name, act)


def test_a_cart_is_pushed_straight_on(scripts):
    for script, person, act, rows in labelled(scripts, 'push cart'):
        assert np.ptp(person.yaw[rows]) < 0.02, (script.name, act)
        assert abs(person.position_m[rows.stop - 1, 0] - person.position_m[rows.start, 0]) > 0.6, (script.name, act)


@pytest.mark.parametrize('name', ['throw ball', 'kick ball'])
def test_a_ball_goes_to_the_side_with_more_room(scripts, name):
    for script, person, act, rows in labelled(scripts, name):
        ahead = np.cos(2 * np.pi * person.yaw[rows.start])
        assert ahead * person.position_m[rows.start, 0] <= 1e-9, (script.name, act)
        assert np.ptp(person.yaw[rows]) < 1e-6, (script.name, act)  # who turns to aim has done so before


def test_a_thrown_ball_is_not_gone_before_it_is_out_of_the_picture(scripts):
    for script, person, act, rows in labelled(scripts, 'throw ball'):
        prop, (x, z) = script.props[act.prop], person.position_m[rows.stop - 1]
        last = np.flatnonzero(prop.present)[-1]
        shot = next(shot for shot in script.shots if shot.start <= rows.start < shot.end)
        if last >= shot.end - 1:
            continue
        flown_m = 7.0 * (last / script.fps - act.start_s - 0.45 * (act.end_s - act.start_s))
        ahead = 1.0 if np.cos(2 * np.pi * person.yaw[rows.start]) > 0 else -1.0
        assert not 0 < x_px(script, x + ahead * flown_m, z, last) < script.size[0], (script.name, act)


def test_a_kicked_ball_lies_where_it_rolled_to(scripts):
    for script, _, act, rows in labelled(scripts, 'kick ball'):
        rest = script.props[act.prop].rest_m
        before, after = rest[rows.start], rest[min(rows.stop + 2, script.num_frames - 1)]
        if after.any():  # the scene goes on
            assert np.hypot(after[0] - before[0], after[2] - before[2]) == pytest.approx(8.25, abs=0.05)


def test_nobody_of_a_group_goes_through_what_others_vanish_behind(scripts):
    for script in scripts:
        for shot in script.shots:
            rows = slice(shot.start, shot.end)
            for thing in shot.furniture:
                for person in script.people if thing.kind in COVER else []:
                    acting = np.zeros(script.num_frames, bool)
                    for a in person.activities:
                        acting[int(a.start_s * script.fps) + 1 : int(a.end_s * script.fps)] = True
                    x, z = person.position_m[rows].T
                    inside = (np.abs(x - thing.x_m) < thing.width_m / 2) & (np.abs(z - thing.z_m) < 0.15)
                    assert not (inside & acting[rows]).any(), (script.name, thing)
