"""Step 4: decisions, subjects, and what becomes of their actions."""

from dataclasses import replace

import numpy as np
import pytest

from mmtube.apis.annotation import Change, ChangeList, long_refine
from mmtube.datasets.quality import HINTS, check_annotations
from mmtube.errors import InputError
from mmtube.models.trackers import SubjectChooser
from mmtube.structures.seal import HEAD_VISIBLE, InstanceTable
from mmtube.structures.seal.convert import write_cvat

LANES = ['AAAAAAAA----CCCCCCCC', 'BBBBBBBB----DDDDDDDD']


@pytest.fixture
def merged(make):
    """A and C are one person, B and D another."""
    annotations = make({'v': LANES}, stage=3)
    people = {'v.A': 0, 'v.B': 1, 'v.C': 0, 'v.D': 1}
    records = {tid: replace(record, person_id=people[tid]) for tid, record in annotations.tubelets.items()}
    return replace(annotations, tubelets=records)


def decisions(first, second):
    changes = [
        Change('v', 'merge', 'v.A', 'v.C', (7, 12), '', first),
        Change('v', 'merge', 'v.B', 'v.D', (7, 12), '', second),
    ]
    return ChangeList('long-merge', changes, {'v.A': 0, 'v.B': 1, 'v.C': 2, 'v.D': 3}, 'c.json')


def facts(annotations):
    return {tid: (t.person_id, t.origin, t.frame_range) for tid, t in annotations.tubelets.items()}


def errors(refined, before):
    return [str(found) for found in check_annotations(refined, coarse=before).findings if found.rule not in HINTS]


def test_a_person_becomes_one_tubelet_with_all_origins(merged):
    refined, changes = long_refine(merged, SubjectChooser())
    assert facts(refined) == {'v.A': (0, ('v.A', 'v.C'), (0, 20)), 'v.B': (1, ('v.B', 'v.D'), (0, 20))}
    assert {t.stage for t in refined.tubelets.values()} == {4} and not changes.changes
    track = refined.track('v.A')
    assert track.frame_inds.tolist() == [*range(8), *range(12, 20)]  # the frames between stay empty
    assert np.array_equal(track.boxes_px, np.concatenate([merged.track('v.A').boxes_px, merged.track('v.C').boxes_px]))
    assert errors(refined, merged) == []


@pytest.mark.parametrize('no', ['rejected', 'undone', 'proposed'])
def test_a_merge_that_is_not_accepted_is_taken_back(merged, no):
    refined, _ = long_refine(merged, SubjectChooser(), decisions('accepted', no))
    assert facts(refined) == {
        'v.A': (0, ('v.A', 'v.C'), (0, 20)),
        'v.B': (1, ('v.B',), (0, 8)),
        'v.D': (3, ('v.D',), (12, 20)),
    }
    assert errors(refined, merged) == []


def test_a_merge_that_was_only_proposed_can_be_accepted(make):
    apart = make({'v': LANES}, stage=3)
    refined, _ = long_refine(apart, SubjectChooser(), decisions('proposed', 'accepted'))
    assert {t.person_id for t in refined.tubelets.values()} == {0, 1, 2}
    assert facts(refined)['v.B'] == (1, ('v.B', 'v.D'), (0, 20))


def test_who_is_no_subject_is_left_out_and_told(make):
    four = make({'v': ['A' * 30, 'B' * 30, 'C' * 30, 'D' * 29 + '-']}, stage=3)
    refined, changes = long_refine(four, SubjectChooser())
    assert list(refined.tubelets) == ['v.A', 'v.B', 'v.C']
    (change,) = changes.changes
    assert (change.kind, change.tubelet) == ('leave out', 'v.D')
    assert change.cause == 'person 3: 3 others with a higher length x score are there'
    everybody, _ = long_refine(four, None)
    assert len(everybody.tubelets) == 4


def test_a_part_that_is_not_kept_is_no_origin(make):
    lanes = ['A' * 30 + '-' * 15, 'B' * 30 + '-' * 15, 'C' * 30 + '-' * 15, 'D' * 9 + '-' * 23 + 'E' * 13]
    four = make({'v': lanes}, stage=3)
    people = dict(four.tubelets)
    people['v.E'] = replace(people['v.E'], person_id=3)
    refined, changes = long_refine(replace(four, tubelets=people), SubjectChooser())
    assert facts(refined)['v.D'] == (3, ('v.E',), (32, 45))
    assert changes.changes[0].kind == 'shorten'
    assert errors(refined, four) == []


def test_heads_are_taken_from_the_flags_of_the_film(merged):
    merged.boxes.flags[merged.boxes.rows('v.A')] = HEAD_VISIBLE
    refined, changes = long_refine(merged, SubjectChooser())
    assert list(refined.tubelets) == ['v.A']  # B has no visible head at all, A in half of the frames
    assert changes.changes[0].cause == 'person 1: the head is seen in 0 of 16 frames'


def test_actions_follow_their_person_and_are_cut_to_what_is_kept(make):
    lanes = ['A' * 40, 'B' * 40, 'C' * 40, 'D' * 20 + '-' * 20 + 'D' * 20, '-' * 60]
    annotations = make({'v': [lane.ljust(60, '-') for lane in lanes]}, stage=3)
    rows = [
        ('v.A', 1, 'pose', 0.5, 2.0),
        ('v.D', 1, 'pose', 0.5, 1.5),  # D is no subject there
        ('v.D', 2, 'pose', 4.5, 5.5),
        ('v.D', 3, 'pose', 3.5, 4.5),  # half of it is before D is there again: 0.5 s, too short
    ]
    annotations = replace(
        annotations,
        aa=InstanceTable.from_rows(rows),
        ca=InstanceTable.from_rows([('v.A', 0, '', 0.2, 2.2), ('v.D', 0, '', 3.0, 5.8)]),
    )
    refined, changes = long_refine(annotations, SubjectChooser())
    kept = list(zip(refined.aa.tids.tolist(), refined.aa.labels.tolist(), refined.aa.start_s.tolist()))
    assert kept == [('v.A', 1, 0.5), ('v.D', 2, 4.5)]
    assert refined.ca.start_s.tolist() == [0.2, 4.0] and refined.ca.end_s.tolist() == [2.2, 5.8]
    assert [c.kind for c in changes.changes].count('drop aa') == 2
    assert errors(refined, annotations) == []


def test_what_a_reviewer_did_in_cvat_goes_before_the_decisions(merged, tmp_path):
    write_cvat(merged, tmp_path)
    text = (tmp_path / 'v.xml').read_text()
    head, tail = text.split('<attribute name="tubelet">v.D')[0], text.split('<attribute name="tubelet">v.D', 1)[1]
    # D was given the ID 8 by hand; A and C are untouched, so the decisions hold for them.
    tail = tail.replace('<attribute name="person_id">1<', '<attribute name="person_id">8<')
    cut = head.rindex('<attribute name="person_id">1<')
    head = head[:cut] + head[cut:].replace('person_id">1<', 'person_id">8<')
    (tmp_path / 'v.xml').write_text(head + '<attribute name="tubelet">v.D' + tail)
    refined, changes = long_refine(merged, None, decisions('rejected', 'accepted'), (tmp_path, {}))
    assert {tid: t.person_id for tid, t in refined.tubelets.items()} == {'v.A': 0, 'v.B': 1, 'v.C': 2, 'v.D': 8}
    assert [(c.kind, c.tubelet) for c in changes.changes] == [('rename', 'v.D')]
    assert errors(refined, merged) == []


def test_two_boxes_of_a_person_in_a_frame_are_told(make):
    annotations = make({'v': ['AAAA', 'BBBB']}, stage=3)
    records = {tid: replace(record, person_id=0) for tid, record in annotations.tubelets.items()}
    with pytest.raises(InputError, match=r"in.json: person 0 of 'v' has two boxes in frame 0"):
        long_refine(replace(annotations, tubelets=records, name='in.json'), None)
