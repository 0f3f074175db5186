"""Rules of SEAL's schema on the annotations of directed films; bodies are posed, nothing is drawn."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from mmtube.datasets.synthetic.annotation.sight import Sight, look, paired_iou
from mmtube.datasets.synthetic.annotation.truth import (
    IDS_PER_SHOT,
    merge,
    object_annotations,
    people_annotations,
    subject_annotations,
)
from mmtube.datasets.synthetic.direction.activities import COMPLEX_NAMES
from mmtube.datasets.synthetic.direction.director import direct
from mmtube.datasets.synthetic.options import SetOptions
from mmtube.datasets.synthetic.picture.renderer import FilmRenderer
from mmtube.datasets.synthetic.script import Act, Activity
from mmtube.datasets.synthetic.vocabulary import ATOMIC_NAMES, BY_NAME
from mmtube.structures.seal import HEAD_VISIBLE, SEALAnnotations, table_findings

OPTIONS = SetOptions()
FILMS = [('train', 0), ('train', 4), ('train', 5), ('val', 1), ('val', 6), ('test', 3)]


@dataclass
class Film:
    script: object
    sights: list[Sight]
    subjects: SEALAnnotations
    people: SEALAnnotations
    objects: SEALAnnotations


@pytest.fixture(scope='module')
def films():
    made = []
    for split, number in FILMS:
        script = direct(OPTIONS, split, number)
        renderer = FilmRenderer(script)
        bodies = [renderer.body(person) for person in range(len(script.people))]
        sights = look(script, bodies, [renderer.occluders(shot) for shot in range(len(script.shots))])
        objects = object_annotations(script, [renderer.prop_boxes_px(prop) for prop in range(len(script.props))])
        made.append(
            Film(script, sights, subject_annotations(script, sights), people_annotations(script, sights), objects)
        )
    return made


def tracks(annotations):
    return [(record, annotations.track(tid)) for tid, record in annotations.tubelets.items()]


def test_tables_keep_the_rules_of_the_schema(films):
    for film in films:
        for part in (film.subjects, film.people, film.objects):
            assert not table_findings(part)
            assert len(part.tubelets) == len(list(part.boxes))
        assert film.subjects.tubelets and film.people.tubelets
    assert sum(len(film.objects.tubelets) for film in films) > 10


def test_boxes_lie_in_the_frame_on_the_grid_and_have_an_area(films):
    for film in films:
        for part in (film.subjects, film.people, film.objects):
            boxes = part.boxes.boxes_px
            assert (boxes >= 0).all() and (boxes <= np.array([*film.script.size] * 2)).all()
            assert (boxes[:, 2:] - boxes[:, :2] >= 2).all() and (boxes * 8 == np.round(boxes * 8)).all()
            assert (part.boxes.scores == 1).all()


def test_frame_ranges_end_with_the_last_box(films):
    for film in films:
        for record, track in tracks(film.subjects) + tracks(film.people) + tracks(film.objects):
            assert record.frame_range == (track.frame_inds[0], track.frame_inds[-1] + 1)
            assert (np.diff(track.frame_inds) > 0).all()


def test_instances_lie_within_film_tubelet_and_activity(films):
    for film in films:
        part = film.subjects
        for tid, record in part.tubelets.items():
            first_s, end_s = (frame / film.script.fps for frame in record.frame_range)
            ca, aa = ([getattr(part, name).rows(getattr(part, name).tids == tid)] for name in ('ca', 'aa'))
            (ca,), (aa,) = ca, aa
            assert len(ca) and len(aa)
            assert (ca.start_s >= first_s).all() and (ca.end_s <= end_s).all() and (ca.duration_s >= 0.999).all()
            assert (ca.start_s[1:] >= ca.end_s[:-1]).all()
            for start_s, stop_s in zip(aa.start_s, aa.end_s):
                assert ((ca.start_s <= start_s) & (ca.end_s >= stop_s)).sum() == 1
            assert (aa.duration_s >= 0.6 - 1e-9).all()


def test_times_are_thousandths_of_a_second(films):
    for film in films:
        for table in (film.subjects.aa, film.subjects.ca):
            for column in (table.start_s, table.end_s):
                assert np.abs(column * 1000 - np.round(column * 1000)).max() < 1e-6


def test_groups_are_those_of_the_vocabulary(films):
    for film in films:
        table = film.subjects.aa
        assert table.groups.tolist() == [BY_NAME[ATOMIC_NAMES[label]].group for label in table.labels]
        assert set(film.subjects.ca.groups.tolist()) == {''}


def test_an_id_of_a_subject_ends_at_a_cut_and_a_persons_does_not(films):
    crossed = 0
    for film in films:
        seen = set()
        for record, _ in tracks(film.subjects):
            shot = film.script.shots[record.person_id // IDS_PER_SHOT]
            assert shot.start <= record.frame_range[0] < record.frame_range[1] <= shot.end
            assert record.person_id not in seen and not record.across_shots
            seen.add(record.person_id)
        for record, _ in tracks(film.people):
            crossed += any(record.frame_range[0] < s.start < record.frame_range[1] for s in film.script.shots)
            assert record.across_shots
    assert crossed > 3


def test_a_subject_is_the_same_person_as_in_the_file_of_people(films):
    for film in films:
        for record, track in tracks(film.subjects):
            whole = film.people.track(f'{record.vid}_w{record.person_id % IDS_PER_SHOT}')
            rows = np.searchsorted(whole.frame_inds, track.frame_inds)
            assert (whole.boxes_px[rows] == track.boxes_px).all() and (whole.flags[rows] == track.flags).all()


def test_some_tubelets_have_holes_of_seconds(films):
    gaps_s = [np.diff(t.frame_inds).max() / f.script.fps for f in films for _, t in tracks(f.subjects) if len(t[0]) > 1]
    assert sum(gap > 3.9 for gap in gaps_s) >= 2


def test_at_most_three_subjects_have_a_box_in_a_frame(films):
    most = 0
    for film in films:
        counts = np.zeros(film.script.num_frames, int)
        for _, track in tracks(film.subjects):
            counts[track.frame_inds] += 1
        most = max(most, counts.max())
        assert counts.max() <= 3
    assert most == 3


def test_no_two_people_share_a_box(films):
    for film in films:
        for a in range(len(film.sights)):
            for b in range(a):
                assert paired_iou(film.sights[a].boxes_px, film.sights[b].boxes_px).max() <= 0.9


def test_the_flag_of_the_head_is_set_where_it_is_seen(films):
    for film in films:
        for record, track in tracks(film.subjects):
            head = film.sights[record.person_id % IDS_PER_SHOT].head[track.frame_inds]
            assert ((track.flags & HEAD_VISIBLE > 0) == head).all() and head.sum() >= len(head) / 3


@pytest.mark.parametrize('split', ['val', 'test'])
def test_every_class_is_still_there_when_what_is_hidden_is_left_out(split):
    atomic, activities = set(), set()
    for number in range(18):
        script = direct(OPTIONS, split, number)
        renderer = FilmRenderer(script)
        bodies = [renderer.body(person) for person in range(len(script.people))]
        sights = look(script, bodies, [renderer.occluders(shot) for shot in range(len(script.shots))])
        part = subject_annotations(script, sights)
        atomic |= set(part.aa.labels.tolist())
        activities |= set(part.ca.labels.tolist())
    assert len(atomic) == len(ATOMIC_NAMES) and len(activities) == len(COMPLEX_NAMES)


# Faults, on one film whose sights are changed by hand.


@pytest.fixture
def duet():
    """One shot of ten seconds in which one person warms up; everything is to be seen."""
    script = direct(SetOptions(), 'train', 0)
    script = replace(script, num_frames=250, fps=25, shots=[replace_shot(script.shots[0], 0, 250)], props=[])
    person = replace(script.people[0], acts=[], activities=[])
    person.activities = [Activity('warm up', 1.0, 8.0)]
    person.acts = [Act('stretch', 1.0, 3.0), Act('squat', 3.2, 5.0), Act('jump', 5.5, 8.0)]
    script = replace(script, people=[person])
    boxes = np.tile(np.array([100.0, 50, 140, 150]), (250, 1))
    sight = Sight(boxes, np.ones(250), np.ones(250, bool), np.ones(250, bool))
    return script, sight


def replace_shot(shot, start, end):
    return replace(shot, start=start, end=end, shift_px=np.zeros((end - start, 2), np.int32))


def spans(annotations, name='aa'):
    table = getattr(annotations, name)
    return list(zip(table.start_s.tolist(), table.end_s.tolist()))


def test_what_is_seen_is_written_down_as_it_is(duet):
    script, sight = duet
    annotations = subject_annotations(script, [sight])
    assert spans(annotations) == [(1.0, 3.0), (3.2, 5.0), (5.5, 8.0)]
    assert spans(annotations, 'ca') == [(1.0, 8.0)]
    assert annotations.videos[script.name].duration_s == 10.0


@pytest.mark.parametrize(('hidden', 'kept'), [(slice(25, 50), 3), (slice(25, 52), 2), (slice(25, 60), 2)])
def test_an_action_that_is_hidden_for_more_than_half_is_dropped_and_the_rest_stays(duet, hidden, kept):
    script, sight = duet
    sight.shown[hidden] = False
    annotations = subject_annotations(script, [sight])
    assert spans(annotations)[-2:] == [(3.2, 5.0), (5.5, 8.0)] and len(annotations.aa) == kept
    assert spans(annotations, 'ca') == [(1.0, 8.0)]


def test_instances_are_cut_to_the_frames_in_which_the_person_is_to_be_seen(duet):
    script, sight = duet
    sight.shown[:40] = sight.shown[190:] = False
    annotations = subject_annotations(script, [sight])
    assert spans(annotations, 'ca') == [(1.6, 7.6)]
    assert spans(annotations) == [(1.6, 3.0), (3.2, 5.0), (5.5, 7.6)]


def test_what_is_left_of_an_action_must_last_for_06_seconds(duet):
    script, sight = duet
    sight.shown[:61] = False  # 2.44 s: 0.56 s of stretching are left
    assert spans(subject_annotations(script, [sight])) == [(3.2, 5.0), (5.5, 8.0)]
    sight.shown[60:] = True  # 2.4 s: 0.6 s
    assert spans(subject_annotations(script, [sight]))[0] == (2.4, 3.0)


def test_a_cut_divides_tubelet_and_activity(duet):
    script, sight = duet
    shots = [replace_shot(script.shots[0], 0, 100), replace_shot(script.shots[0], 100, 250)]
    annotations = subject_annotations(replace(script, shots=shots), [sight])
    assert [record.person_id for record in annotations.tubelets.values()] == [0, IDS_PER_SHOT]
    assert spans(annotations, 'ca') == [(1.0, 4.0), (4.0, 8.0)]
    assert spans(annotations) == [(1.0, 3.0), (3.2, 4.0), (4.0, 5.0), (5.5, 8.0)]


@pytest.mark.parametrize(('heads', 'subjects'), [(84, 1), (83, 0)])
def test_whoever_shows_the_head_in_less_than_a_third_of_the_frames_is_no_subject(duet, heads, subjects):
    script, sight = duet
    sight.head[heads:] = False  # of 250
    assert len(subject_annotations(script, [sight]).tubelets) == subjects
    assert len(people_annotations(script, [sight]).tubelets) == 1


def test_acts_outside_of_activities_are_not_labelled(duet):
    script, sight = duet
    script.people[0].acts.append(Act('walk', 8.2, 9.5))
    assert len(subject_annotations(script, [sight]).aa) == 3
    script.people[0].activities.clear()
    assert not subject_annotations(script, [sight]).tubelets


def test_objects_need_half_of_their_box_in_the_frame():
    script = direct(SetOptions(), 'train', 0)
    script = replace(script, props=script.props[:1], num_frames=3)
    whole = np.array([[-8.0, 10, 12, 30], [-12.0, 10, 8, 30], [np.nan] * 4])
    ((_, track),) = tracks(object_annotations(script, [whole]))
    assert track.frame_inds.tolist() == [0] and track.boxes_px.tolist() == [[0, 10, 12, 30]]


def test_merging_keeps_everything_in_order(films):
    parts = [film.subjects for film in films]
    merged = merge(parts)
    assert list(merged.tubelets) == [tid for part in parts for tid in part.tubelets]
    assert len(merged.aa) == sum(len(part.aa) for part in parts)
    assert len(merged.boxes) == sum(len(part.boxes) for part in parts)
    assert (merged.track(list(parts[-1].tubelets)[-1]).boxes_px == tracks(parts[-1])[-1][1].boxes_px).all()
    assert len(merge([]).videos) == 0
