"""What people do in CVAT comes back traceable, whatever they do."""

import copy
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from mmtube.apis.annotation import adopt, import_corrected, read_corrected, refine_by_hand, short_refine
from mmtube.datasets.quality import HINTS, check_annotations
from mmtube.errors import InputError
from mmtube.models.trackers import IDSwitchCorrector
from mmtube.structures.seal import EDITED, HEAD_VISIBLE, INTERPOLATED, BoxTable
from mmtube.structures.seal.convert import write_cvat

LANES = {'v': ['AAAAAAAAAA', 'BBBBBBBBBB']}


class Cvat:
    """A file of CVAT that a test may edit as a person would."""

    def __init__(self, annotations, folder, vid='v'):
        write_cvat(annotations, folder)
        self.folder, self.path = folder, folder / f'{vid}.xml'
        self.root = ElementTree.parse(self.path).getroot()

    def track(self, tid):
        return next(t for t in self.root.findall('track') if attribute(t[0], 'tubelet').text == tid)

    def save(self):
        ElementTree.ElementTree(self.root).write(self.path, encoding='utf-8')
        return self.folder


def attribute(box, name):
    return next(a for a in box.findall('attribute') if a.get('name') == name)


def move(box, by):
    for side in ('xtl', 'xbr'):
        box.set(side, str(float(box.get(side)) + by))


def back(cvat, exported):
    result, changes, _ = import_corrected(cvat.save(), exported, {})
    found = check_annotations(result, coarse=exported).findings
    assert [str(finding) for finding in found if finding.rule not in HINTS] == []
    return result, {(change.kind, change.tubelet, change.frames) for change in changes}


@pytest.fixture
def exported(make):
    return make(LANES)


@pytest.fixture
def cvat(exported, tmp_path):
    return Cvat(exported, tmp_path / 'cvat')


def test_what_nobody_touched_comes_back_as_it_was(make, tmp_path):
    exported = make({'v': ['AAAA--AAAA', 'BBBBBBBBBB']}, score=0.7)
    table = exported.boxes
    table.boxes_px[:] += np.float32(1 / 3)  # more digits than CVAT holds
    table.flags[:] = [HEAD_VISIBLE, INTERPOLATED, EDITED, INTERPOLATED | EDITED, HEAD_VISIBLE, 7] * 3
    result, changes = back(Cvat(exported, tmp_path), exported)
    assert changes == set()
    for tid in exported.tubelets:
        for mine, other in zip(exported.track(tid), result.track(tid)):
            assert np.array_equal(mine, other)
        assert result.tubelets[tid] == replace(exported.tubelets[tid], stage=2, origin=(tid,))


def test_a_box_that_moved_is_marked_and_the_others_are_not(cvat, exported):
    move(cvat.track('v.A')[3], 4)
    result, changes = back(cvat, exported)
    track = result.track('v.A')
    assert (track.flags & EDITED).tolist() == [0, 0, 0, EDITED] + [0] * 6
    assert track.boxes_px[3].tolist() == [9, 10, 34, 80] and track.scores[3] == 1
    assert result.tubelets['v.A'].origin == ('v.A',)
    assert changes == {('edit', 'v.A', (3, 3))}


def test_a_box_that_moved_far_is_marked_and_needs_no_coarse_one(cvat, exported):
    move(cvat.track('v.A')[3], 110)
    result, changes = back(cvat, exported)
    assert result.track('v.A').flags[3] & EDITED
    assert changes == {('edit', 'v.A', (3, 3)), ('cut', 'v.A', (0, 9))}


def test_boxes_that_were_drawn_between_key_frames_are_marked(cvat, exported):
    track = cvat.track('v.A')
    for box in [box for box in track if 2 <= int(box.get('frame')) <= 5]:
        track.remove(box)
    move(next(box for box in track if box.get('frame') == '6'), 10)
    result, _ = back(cvat, exported)
    flags = result.track('v.A').flags
    assert (flags[2:6] & EDITED).all() and (flags[2:6] & INTERPOLATED).all()
    assert result.track('v.A').boxes_px[5, 0] == pytest.approx(5 + 8)  # four fifths of the way


def test_a_split_track_comes_back_as_two_people_of_one_origin(cvat, exported):
    track = cvat.track('v.A')
    rest = copy.deepcopy(track)
    cvat.root.append(rest)
    rest.set('id', '7')
    for box in list(track):
        if int(box.get('frame')) >= 6:
            track.remove(box)
    track[-1].set('outside', '0')
    for box in list(rest):
        if int(box.get('frame')) < 6:
            rest.remove(box)
        else:
            attribute(box, 'person_id').text = '5'
    end = copy.deepcopy(track[-1])
    end.set('frame', '6')
    end.set('outside', '1')
    track.append(end)
    result, changes = back(cvat, exported)
    assert {tid: (t.person_id, t.frame_range, t.origin) for tid, t in result.tubelets.items()} == {
        'v.A': (0, (0, 6), ('v.A',)),
        'v.B': (1, (0, 10), ('v.B',)),
        'v.A.2': (5, (6, 10), ('v.A',)),
    }
    assert changes == {('divide', 'v.A', (0, 9)), ('rename', 'v.A.2', (6, 9))}


def test_tracks_that_were_joined_have_both_origins(make, tmp_path):
    exported = make({'v': ['AAAAAAACCC']})
    cvat = Cvat(exported, tmp_path)
    ours, theirs = cvat.track('v.A'), cvat.track('v.C')
    for box in [box for box in ours if box.get('outside') == '1']:
        ours.remove(box)
    for box in theirs:
        attribute(box, 'person_id').text, attribute(box, 'tubelet').text = '0', 'v.A'
        ours.append(box)
    cvat.root.remove(theirs)
    result, _ = back(cvat, exported)
    assert {tid: (t.origin, t.frame_range) for tid, t in result.tubelets.items()} == {'v.A': (('v.A', 'v.C'), (0, 10))}


def test_a_track_that_was_deleted_is_gone_and_told(cvat, exported):
    cvat.root.remove(cvat.track('v.B'))
    result, changes = back(cvat, exported)
    assert list(result.tubelets) == ['v.A']
    assert changes == {('delete', 'v.B', (0, 9))}


def test_a_new_id_is_kept_and_told(cvat, exported):
    for box in cvat.track('v.B'):
        attribute(box, 'person_id').text = '0'
    for box in cvat.track('v.A'):
        attribute(box, 'person_id').text = '9'
    result, changes = back(cvat, exported)
    assert {tid: t.person_id for tid, t in result.tubelets.items()} == {'v.A': 9, 'v.B': 0}
    assert changes == {('rename', 'v.A', (0, 9)), ('rename', 'v.B', (0, 9))}


def test_the_origin_is_found_by_the_boxes_where_cvat_lost_the_attributes(cvat, exported):
    for tid in ('v.A', 'v.B'):
        for box in cvat.track(tid):
            for name in ('tubelet', 'across_shots'):
                attribute(box, name).text = ''
    result, _ = back(cvat, exported)
    assert {t.person_id: t.origin for t in result.tubelets.values()} == {0: ('v.A',), 1: ('v.B',)}


def test_somebody_who_was_drawn_anew_has_marked_boxes_and_no_origin(cvat, exported):
    new = copy.deepcopy(cvat.track('v.A'))
    cvat.root.append(new)
    new.set('id', '9')
    for box in new:
        move(box, 130)
        attribute(box, 'tubelet').text = ''
        attribute(box, 'person_id').text = '4'
    result, changes = back(cvat, exported)
    assert result.tubelets['v.4'].origin == () and (result.track('v.4').flags == EDITED).all()
    assert changes == {('draw', 'v.4', (0, 9))}


def test_ids_that_were_exchanged_by_hand_come_from_whom_most_boxes_are_of(make, tmp_path):
    exported = make({'v': ['AAAABBAAAA', 'BBBBAABBBB']})
    cvat = Cvat(exported, tmp_path)
    ours, theirs = cvat.track('v.A'), cvat.track('v.B')
    for one, other in zip(list(ours), list(theirs)):
        if one.get('frame') in '45':
            for side in ('xtl', 'xbr'):
                mine, yours = one.get(side), other.get(side)
                one.set(side, yours)
                other.set(side, mine)
    result, changes = back(cvat, exported)
    assert {tid: t.origin for tid, t in result.tubelets.items()} == {'v.A': ('v.A',), 'v.B': ('v.B',)}
    assert not (result.boxes.flags & EDITED).any()  # each box lies where one was
    assert changes == set()


def test_the_correction_of_step_2_takes_its_place(make, tmp_path):
    coarse = make({'v': ['AAAABBAAAA', 'BBBBAABBBB'], 'w': ['AAAA']})
    refined, _ = short_refine(coarse, None, None)
    cvat = Cvat(refined, tmp_path)
    (tmp_path / 'w.xml').unlink()
    move(cvat.track('v.A')[0], 2)
    result, _, same = import_corrected(cvat.save(), refined, {})
    assert same and {t.stage for t in result.tubelets.values()} == {2}
    assert list(result.videos) == ['v', 'w']  # w was not corrected and stays
    assert check_annotations(result, coarse=coarse).num_errors == 0
    assert result.track('v.A').flags[0] == EDITED


def test_the_correction_of_step_2_names_origins_of_step_1(make, tmp_path):
    coarse = make({'v': ['A' * 12 + 'B' * 20, 'B' * 12 + 'A' * 20]})
    refined, _ = short_refine(coarse, IDSwitchCorrector(), None)
    assert 'v.A.2' in refined.tubelets and 'v.A.2' not in coarse.tubelets
    result, _, _ = import_corrected(Cvat(refined, tmp_path).save(), refined, {})
    assert {tid: t.origin for tid, t in result.tubelets.items()} == {
        tid: t.origin for tid, t in refined.tubelets.items()
    }
    assert check_annotations(result, coarse=coarse).num_errors == 0


def test_the_marks_of_an_earlier_edit_outlive_the_next_one(make, tmp_path):
    coarse = make(LANES)
    cvat = Cvat(coarse, tmp_path / 'one')
    move(cvat.track('v.A')[3], 100)
    refined, _ = back(cvat, coarse)
    again = Cvat(refined, tmp_path / 'two')
    result, _, _ = import_corrected(again.save(), refined, {})
    assert result.track('v.A').flags.tolist() == refined.track('v.A').flags.tolist()
    assert check_annotations(result, coarse=coarse).num_errors == 0


def test_a_film_that_was_corrected_by_hand_takes_the_place_of_the_algorithms(make, tmp_path, lanes):
    coarse = make({'v': ['AAAABBAAAA', 'BBBBAABBBB'], 'w': ['AAAABBAAAA', 'BBBBAABBBB']})
    refined, changes = short_refine(coarse, IDSwitchCorrector(), None)
    cvat = Cvat(coarse, tmp_path)
    (tmp_path / 'w.xml').unlink()
    move(cvat.track('v.A')[0], 3)
    result, changes = refine_by_hand(coarse, refined, changes, cvat.save(), {})
    assert lanes(result, 'v') == ['AAAABBAAAA', 'BBBBAABBBB'] and lanes(result, 'w') == ['A' * 10, 'B' * 10]
    assert [(c.film, c.kind, c.decision) for c in changes.changes] == [
        *[('v', 'relabel', 'proposed')] * 2,
        ('v', 'edit', 'accepted'),
        *[('w', 'relabel', 'accepted')] * 2,
    ]
    assert check_annotations(result, coarse=coarse).num_errors == 0


def test_labels_that_were_given_in_cvat_come_with_it(make, tmp_path):
    exported = make(LANES)
    cvat = Cvat(exported, tmp_path)
    for box in cvat.track('v.A')[2:9]:
        attribute(box, 'action').text = 'atomic 3'
        attribute(box, 'activity').text = 'complex 1'
    attribute(cvat.track('v.A')[9], 'action').text = ''
    attribute(cvat.track('v.A')[9], 'activity').text = ''
    adopted, _ = adopt(exported, read_corrected(cvat.save(), exported, {}, 2))
    assert (adopted.aa.tids.tolist(), adopted.aa.labels.tolist()) == (['v.A'], [3])
    assert (adopted.aa.start_s[0], adopted.aa.end_s[0]) == pytest.approx((0.2, 0.9))
    assert adopted.ca.labels.tolist() == [1]


def test_a_film_that_was_not_exported_is_named(make, tmp_path):
    Cvat(make({'other': ['AAAA']}), tmp_path, 'other')
    with pytest.raises(InputError, match=r"the film 'other' is not in in.json"):
        import_corrected(tmp_path, make(LANES), {})


def test_a_file_of_several_stages_cannot_be_placed(make, tmp_path):
    exported = make(LANES)
    Cvat(exported, tmp_path)
    mixed = dict(exported.tubelets)
    mixed['v.B'] = replace(mixed['v.B'], stage=2)
    with pytest.raises(InputError, match=r'are of the stages \[1, 2\], they must be of one'):
        import_corrected(tmp_path, replace(exported, tubelets=mixed), {})


def test_without_people_there_is_nothing_to_trace(make, tmp_path):
    exported = make({'v': []})
    Cvat(exported, tmp_path)
    result, changes, _ = import_corrected(tmp_path, exported, {})
    assert list(result.videos) == ['v'] and not result.tubelets and not changes


def test_many_boxes_in_one_frame_find_each_their_own(make):
    exported = make({'v': ['A', 'B', 'C']})
    shuffled = {tid: exported.track(tid) for tid in reversed(exported.tubelets)}
    corrected = replace(
        exported, tubelets=dict(reversed(exported.tubelets.items())), boxes=BoxTable.from_tracks(shuffled)
    )
    result, changes = adopt(exported, corrected)
    assert {tid: t.origin for tid, t in result.tubelets.items()} == {tid: (tid,) for tid in exported.tubelets}
    assert changes == []
