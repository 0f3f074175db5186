"""Rules that hold for the script of every film; the default set is directed in a second."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from mmtube.datasets.synthetic.direction.activities import COMPLEX_NAMES, ORDER_PAIRS, RECIPE_BY_NAME, RECIPES
from mmtube.datasets.synthetic.direction.director import direct
from mmtube.datasets.synthetic.options import SPLITS, SetOptions, premieres
from mmtube.datasets.synthetic.vocabulary import ATOMIC_NAMES, BY_NAME

OPTIONS = SetOptions()
GAPS_M = {'hug': 0.45}


@pytest.fixture(scope='module')
def scripts():
    return {name: direct(OPTIONS, split, number) for name, split, number in OPTIONS.film_names()}


def people(scripts):
    return [(script, index, person) for script in scripts.values() for index, person in enumerate(script.people)]


def labelled(person):
    """Acts within an activity, with it."""
    return [
        (act, activity)
        for activity in person.activities
        for act in person.acts
        if act.start_s >= activity.start_s - 1e-9 and act.end_s <= activity.end_s + 1e-9
    ]


def frames_of(script, span):
    return slice(int(np.ceil(span.start_s * script.fps)), int(np.floor(span.end_s * script.fps)) + 1)


def cuts(script):
    return [shot.start for shot in script.shots[1:]]


def test_the_same_seed_gives_the_same_script_and_another_seed_another_one():
    def fingerprint(seed, films=(84, 18, 18)):
        script = direct(SetOptions(seed=seed, films=films), 'val', 3)
        return [(p.look, p.acts, p.position_m.tobytes(), p.yaw.tobytes()) for p in script.people]

    assert fingerprint(5) == fingerprint(5) == fingerprint(5, films=(9, 9, 9))
    assert fingerprint(5) != fingerprint(6)


def test_films_are_20_to_60_seconds_with_one_to_four_shots_and_two_to_six_people(scripts):
    seconds = [script.num_frames / script.fps for script in scripts.values()]
    assert min(seconds) >= 19.9 and max(seconds) <= 60 and np.mean(seconds) == pytest.approx(35, abs=3)
    assert {script.fps for script in scripts.values()} == {25, 30}
    assert {len(script.shots) for script in scripts.values()} == {1, 2, 3, 4}
    assert {len(script.people) for script in scripts.values()} == {2, 3, 4, 5, 6}


def test_shots_cover_the_film_and_arrays_have_a_row_for_each_frame(scripts):
    for script in scripts.values():
        edges = [edge for shot in script.shots for edge in (shot.start, shot.end)]
        assert edges[0] == 0 and edges[-1] == script.num_frames and edges[1:-1:2] == edges[2::2]
        assert all(shot.shift_px.shape == (shot.end - shot.start, 2) for shot in script.shots)
        for person in script.people:
            rows = {len(person.position_m), len(person.yaw), len(person.present), len(person.seated)}
            assert rows == {script.num_frames} and np.isfinite(person.position_m).all()
        for prop in script.props:
            assert prop.rest_m.shape == (script.num_frames, 3) and prop.holder.max() < len(script.people)


def test_every_class_occurs_in_every_split(scripts):
    for split in SPLITS:
        mine = [person for name, s in scripts.items() if name.startswith(split) for person in s.people]
        assert {activity.name for person in mine for activity in person.activities} == set(COMPLEX_NAMES)
        assert {act.action for person in mine for act, _ in labelled(person)} == set(ATOMIC_NAMES)


def test_a_premiere_takes_place(scripts):
    for name, split, number in OPTIONS.film_names():
        shown = {activity.name for person in scripts[name].people for activity in person.activities}
        assert {recipe.name for recipe in premieres(OPTIONS, split, number)} <= shown, name


def test_activities_have_a_long_tail(scripts):
    counts = Counter(a.name for name, s in scripts.items() if name < 'u' for p in s.people for a in p.activities)
    popular, rare = ([counts[recipe.name] for recipe in part] for part in (RECIPES[:5], RECIPES[-10:]))
    assert np.mean(popular) > 5 * np.mean(rare)
    assert min(counts.values()) >= 5


def test_a_flat_set_has_none():
    options = SetOptions(zipf=0.0)
    counts = Counter(a.name for n in range(84) for p in direct(options, 'train', n).people for a in p.activities)
    assert max(counts.values()) < 6 * min(counts.values())


def test_at_most_three_subjects_are_in_a_shot(scripts):
    for script in scripts.values():
        for shot in script.shots:
            start_s, end_s = shot.start / script.fps, shot.end / script.fps
            active = [p for p in script.people if any(a.start_s < end_s and a.end_s > start_s for a in p.activities)]
            assert len(active) <= 3


def test_an_instance_is_as_long_as_the_vocabulary_says(scripts):
    for script, _, person in people(scripts):
        for act, _ in labelled(person):
            low, high = BY_NAME[act.action].seconds
            assert low - 1e-6 <= act.end_s - act.start_s <= high + 1e-6, (script.name, act)


def test_an_act_lies_within_an_activity_or_outside_of_all(scripts):
    for script, _, person in people(scripts):
        inside = {id(act) for act, _ in labelled(person)}
        for act in person.acts:
            for activity in person.activities:
                apart = act.end_s <= activity.start_s + 1e-9 or act.start_s >= activity.end_s - 1e-9
                assert apart or id(act) in inside, (script.name, act, activity)


def test_activities_of_a_person_do_not_overlap_and_the_film_contains_them(scripts):
    for script, _, person in people(scripts):
        spans = [(a.start_s, a.end_s) for a in person.activities]
        edges = [edge for span in spans for edge in span]
        assert edges == sorted(edges)
        assert not edges or (edges[0] >= 0 and edges[-1] <= script.num_frames / script.fps)


@pytest.mark.parametrize('pair', ORDER_PAIRS)
def test_the_order_of_the_acts_is_that_of_the_recipe(scripts, pair):
    for _, _, person in people(scripts):
        for activity in person.activities:
            if activity.name in pair:
                order = [act.action for act, of in labelled(person) if of is activity]
                steps = [step.acts[0] for step in RECIPE_BY_NAME[activity.name].steps]
                assert [name for i, name in enumerate(order) if i == 0 or order[i - 1] != name] == steps


def test_only_arms_act_at_the_same_time_as_something_else(scripts):
    for script, _, person in people(scripts):
        busy = np.zeros(script.num_frames, int)
        for act in person.acts:
            if not BY_NAME[act.action].upper:
                rows = frames_of(script, act)
                busy[rows.start + 1 : rows.stop - 1] += 1
        assert busy.max(initial=0) <= 1, script.name


def test_within_an_activity_nobody_moves_without_a_label(scripts):
    for script, index, person in people(scripts):
        speed = np.sqrt((np.diff(person.position_m, axis=0) ** 2).sum(axis=1)) * script.fps
        moving = np.flatnonzero((speed > 0.1) & person.present[1:] & person.present[:-1]) + 1
        moving = np.setdiff1d(moving, cuts(script)) / script.fps
        # Whoever is pushed steps back.
        acts = [a for i, p in enumerate(script.people) for a in p.acts if i == index or a.partner == index]
        for activity in person.activities:
            inside = moving[(moving > activity.start_s + 0.05) & (moving < activity.end_s - 0.05)]
            told = np.zeros(len(inside), bool)
            for act in acts:
                told |= (inside >= act.start_s - 0.05) & (inside <= act.end_s + 0.05)
            assert told.all(), (script.name, index, activity, inside[~told])


def test_people_jump_at_cuts_and_while_they_are_away_only(scripts):
    for script, _, person in people(scripts):
        speed = np.sqrt((np.diff(person.position_m, axis=0) ** 2).sum(axis=1)) * script.fps
        seen = person.present[1:] & person.present[:-1]
        seen[[cut - 1 for cut in cuts(script)]] = False
        assert speed[seen].max(initial=0) < 5.2


def test_nobody_moves_while_seated(scripts):
    for script, _, person in people(scripts):
        step = np.abs(np.diff(person.position_m, axis=0)).max(axis=1)
        step[[cut - 1 for cut in cuts(script)]] = 0
        assert step[person.seated[1:] & person.seated[:-1]].max(initial=0) < 1e-9
        chairs = sum(act.action == 'sit down' for act in person.acts)
        assert person.seated.any() == (chairs > 0)


def test_paces_are_those_of_the_vocabulary(scripts):
    for name in ('walk', 'run', 'push cart'):
        low, high = BY_NAME[name].speed_mps
        top = []
        for script, _, person in people(scripts):
            speed = np.sqrt((np.diff(person.position_m, axis=0) ** 2).sum(axis=1)) * script.fps
            for act, _ in labelled(person):
                rows = frames_of(script, act)
                if act.action == name and not set(range(rows.start, rows.stop)) & set(cuts(script)):
                    top.append(speed[rows.start : rows.stop - 1].max())
        assert 0.85 * low < np.mean(top) < high and max(top) < 1.2 * high, name


def test_partners_face_each_other_at_arm_s_length(scripts):
    for script, index, person in people(scripts):
        for act, _ in labelled(person):
            if act.partner is None or act.action == 'lead by hand':
                continue
            other = script.people[act.partner]
            assert act.partner != index
            row = int((act.start_s + min(0.4, act.end_s - act.start_s - 0.1)) * script.fps) + 1
            way = other.position_m[row] - person.position_m[row]
            distance = np.sqrt((way**2).sum())
            assert distance == pytest.approx(GAPS_M.get(act.action, 0.75), abs=0.12), (script.name, act)
            facing = np.array([np.cos(2 * np.pi * person.yaw[row]), np.sin(2 * np.pi * person.yaw[row])])
            assert facing @ way / distance > 0.95, (script.name, act)


def test_both_get_a_mutual_act_and_the_one_who_hits_alone_the_other(scripts):
    seen = Counter()
    for script, index, person in people(scripts):
        for act, _ in labelled(person):
            if act.partner is None:
                continue
            mirrored = [
                other
                for other in script.people[act.partner].acts
                if (other.action, other.start_s, other.partner) == (act.action, act.start_s, index)
            ]
            assert len(mirrored) == (0 if act.action in ('hit person', 'push person') else 1), (script.name, act)
            seen[act.action] += 1
    assert len(seen) == 7


def test_an_act_with_an_object_has_it_in_hand(scripts):
    for script, index, person in people(scripts):
        for act, _ in labelled(person):
            kind = BY_NAME[act.action].prop
            assert (act.prop is not None) == bool(kind), (script.name, act)
            if kind:
                prop = script.props[act.prop]
                rows = frames_of(script, act)
                rows = slice(rows.start + 1, rows.stop - 2)
                holders = {index, act.partner} if act.action == 'hand over' else {index}
                assert prop.kind == kind and prop.present[rows].all(), (script.name, act)
                assert set(prop.holder[rows].tolist()) <= holders, (script.name, act)


def test_a_box_that_is_handed_over_changes_hands_in_the_middle(scripts):
    found = 0
    for script, index, person in people(scripts):
        for act, _ in labelled(person):
            first = act.action == 'hand over' and any(a.action == 'lift' and a.prop == act.prop for a in person.acts)
            if first:
                holder = script.props[act.prop].holder
                middle = (act.start_s + act.end_s) / 2 * script.fps
                assert holder[int(middle) - 1] == index and holder[int(middle) + 2] == act.partner
                found += 1
    assert found > 5


def test_some_leave_and_come_back_within_a_shot(scripts):
    away_s = []
    for script, _, person in people(scripts):
        for shot in script.shots:
            present = np.flatnonzero(person.present[shot.start : shot.end])
            if person.activities and len(present):
                away_s += (np.diff(present)[np.diff(present) > 1] / script.fps).tolist()
    assert len(away_s) > 30 and min(away_s) > 3.9 and max(away_s) < 12.2


def test_some_run_faster_than_their_own_width_in_a_second(scripts):
    runs = sum(act.action == 'run' for _, _, person in people(scripts) for act, _ in labelled(person))
    assert runs > 60


def test_pillars_stand_in_every_third_film(scripts):
    for name, script in scripts.items():
        kinds = {thing.kind for thing in script.shots[0].furniture}
        assert int(name[-4:]) % 3 or kinds & {'pillar', 'bush', 'sign'}, name


def test_subjects_stay_in_the_picture_while_they_act(scripts):
    inside, frames = 0, 0
    for script, _, person in people(scripts):
        for shot in script.shots:
            rows = slice(shot.start, shot.end)
            x_px = script.size[0] / 2 + shot.focal_px * person.position_m[rows, 0] / person.position_m[rows, 1]
            x_px = x_px + shot.shift_px[:, 0]
            times_s = np.arange(shot.start, shot.end) / script.fps
            for activity in person.activities:
                at = (times_s >= activity.start_s) & (times_s < activity.end_s)
                inside += np.count_nonzero((x_px[at] > 5) & (x_px[at] < script.size[0] - 5))
                frames += np.count_nonzero(at)
    assert inside > 0.985 * frames


def test_short_films_have_activities_too():
    options = SetOptions.smoke()
    for name, split, number in options.film_names():
        script = direct(options, split, number)
        assert 6 <= script.num_frames / script.fps + 0.04 <= 8.1
        assert any(person.activities for person in script.people), name
