"""Step 2: ID switches put right, false tubelets deleted, decisions obeyed, all of it traceable."""

from dataclasses import replace

import pytest

from mmtube.apis.annotation import read_changes, short_refine, write_changes
from mmtube.datasets.quality import HINTS, check_annotations
from mmtube.errors import InputError
from mmtube.models.trackers import IDSwitchCorrector, TubeFilter
from mmtube.structures.seal import BoxTable

LIMITS = {'min_duration_s': 0, 'min_density': 0, 'still_mean_score': 0}


def refine(coarse, **options):
    return short_refine(coarse, IDSwitchCorrector(), TubeFilter(min_boxes=3, **LIMITS).verdict, **options)


def errors(refined, coarse):
    return [str(found) for found in check_annotations(refined, coarse=coarse).findings if found.rule not in HINTS]


def test_a_switch_is_put_right_and_traceable(make, lanes):
    coarse = make({'v': ['AAAABBAAAA', 'BBBBAABBBB'], 'w': ['AAAA']})
    refined, changes = refine(coarse)
    assert lanes(refined) == ['A' * 10, 'B' * 10]
    assert sorted((c.kind, c.tubelet, c.to, c.frames) for c in changes.changes) == [
        ('relabel', 'v.A', 'v.B', (4, 5)),
        ('relabel', 'v.B', 'v.A', (4, 5)),
    ]
    assert {tid: (t.stage, t.origin) for tid, t in refined.tubelets.items()} == {
        'v.A': (2, ('v.A',)),
        'v.B': (2, ('v.B',)),
        'w.A': (2, ('w.A',)),
    }
    assert errors(refined, coarse) == []


def test_a_longer_switch_is_split_into_new_people_that_divide_their_origin(make, lanes):
    coarse = make({'v': ['A' * 12 + 'B' * 20, 'B' * 12 + 'A' * 20]})
    refined, changes = refine(coarse)
    assert lanes(refined) == ['C' * 12 + 'B' * 20, 'D' * 12 + 'A' * 20]
    assert {tid: t.origin for tid, t in refined.tubelets.items()} == {
        'v.A': ('v.A',),
        'v.B': ('v.B',),
        'v.A.2': ('v.A',),
        'v.B.2': ('v.B',),
    }
    assert [change.kind for change in changes.changes] == ['split', 'split']
    assert errors(refined, coarse) == []


def test_boxes_that_a_reviewer_leaves_to_another_tubelet_do_not_go_with_a_false_one(make, lanes):
    coarse = make({'v': ['AABBBAA---------', '-------BBBBBBBBB']})
    false = TubeFilter(min_boxes=8, **LIMITS).verdict
    _, changes = short_refine(coarse, IDSwitchCorrector(), false, apply=False)
    assert [change.kind for change in changes.changes] == ['relabel', 'delete']
    for change, left in (('accepted', ['-' * 7 + 'B' * 9]), ('rejected', ['--BBB' + '-' * 11, '-' * 7 + 'B' * 9])):
        decided = [replace(one, decision=change if one.kind == 'relabel' else 'accepted') for one in changes.changes]
        refined, _ = short_refine(coarse, IDSwitchCorrector(), false, decided=replace(changes, changes=decided))
        assert lanes(refined) == left


def test_obviously_false_tubelets_go_and_are_told(make):
    coarse = make({'v': ['AAAAAAAA', 'BB------']})
    refined, changes = refine(coarse)
    assert list(refined.tubelets) == ['v.A']
    (change,) = changes.changes
    assert (change.kind, change.tubelet, change.frames) == ('delete', 'v.B', (0, 1))
    assert change.cause == 'no person: fewer than 3 boxes'


def test_of_two_tubelets_on_one_person_the_shorter_loses_its_boxes(make, lanes):
    coarse = make({'v': ['AAAAAAAAAA', 'BBBBBBBB--']})
    tracks = {tid: list(coarse.track(tid)) for tid in coarse.tubelets}
    tracks['v.B'][1] = tracks['v.B'][1].copy()
    tracks['v.B'][1][2:6] = tracks['v.A'][1][2:6]  # in frames 2 to 5 B lies on A
    coarse = replace(coarse, boxes=BoxTable.from_tracks({tid: tuple(track) for tid, track in tracks.items()}))
    assert any('overlapping-ids' in line for line in errors(coarse, None))
    refined, changes = short_refine(coarse, None, None)
    assert lanes(refined) == ['A' * 10, 'BB----BB--']
    assert [(c.kind, c.tubelet, c.frames) for c in changes.changes] == [('delete boxes', 'v.B', (2, 5))]
    assert errors(refined, coarse) == []


def test_what_is_only_proposed_changes_nothing(make, lanes):
    wrong = ['AAAABBAAAA', 'BBBBAABBBB', 'CC--------']
    refined, changes = refine(make({'v': wrong}), apply=False)
    assert lanes(refined) == wrong
    assert [change.decision for change in changes.changes] == ['proposed'] * 3
    assert {tubelet.stage for tubelet in refined.tubelets.values()} == {2}


def test_only_what_a_reviewer_accepts_is_done(make, lanes, tmp_path):
    coarse = make({'v': ['AAAABBAAAA', 'BBBBAABBBB', 'CC--------']})
    _, proposed = refine(coarse, apply=False)
    text = tmp_path / 'changes.json'
    write_changes(proposed, text)
    lines = text.read_text().splitlines()
    text.write_text(
        '\n'.join(line.replace('"proposed"', '"accepted"') if '"relabel"' in line else line for line in lines)
    )
    refined, changes = refine(coarse, decided=read_changes(text, 'short-refine'))
    assert lanes(refined) == ['A' * 10, 'B' * 10, 'CC--------']
    assert sorted(change.decision for change in changes.changes) == ['accepted', 'accepted', 'proposed']


def test_half_of_an_exchange_is_refused(make, tmp_path):
    coarse = make({'v': ['AAAABBAAAA', 'BBBBAABBBB']})
    _, changes = refine(coarse)
    decided = replace(changes, changes=[changes.changes[0], replace(changes.changes[1], decision='rejected')])
    with pytest.raises(InputError, match=r'would have two boxes in frame 4; two people who exchanged'):
        refine(coarse, decided=decided)


def test_a_decision_on_what_is_not_found_is_refused(make):
    coarse = make({'v': ['AAAABBAAAA', 'BBBBAABBBB']})
    _, changes = refine(coarse)
    with pytest.raises(InputError, match=r"changes\[0\]: relabel of 'v.\w' is accepted, but is not found"):
        refine(make({'v': ['AAAA']}), decided=changes)


def test_films_without_people_stay_films(make):
    coarse = make({'v': []})
    refined, changes = refine(coarse)
    assert list(refined.videos) == ['v'] and not refined.tubelets and not changes.changes
