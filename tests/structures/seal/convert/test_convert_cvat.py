import json
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmtube.errors import InputError
from mmtube.structures.seal import (
    BoxTable,
    InstanceTable,
    LabelMap,
    SEALAnnotations,
    TubeletRecord,
    VideoRecord,
)
from mmtube.structures.seal.convert import read_cvat, write_cvat

HEAD = """<?xml version="1.0" encoding="utf-8"?>
<annotations><version>1.1</version><meta><task><id>7</id><name>film</name><size>20</size>
<mode>interpolation</mode><start_frame>0</start_frame><stop_frame>19</stop_frame><subset>Validation</subset>
<original_size><width>100</width><height>50</height></original_size></task>
<source>clip.avi</source></meta>
"""


def box(frame, x=10, extra='', **attributes):
    texts = ''.join(f'<attribute name="{name}">{text}</attribute>' for name, text in attributes.items())
    marks = '' if 'outside' in extra else 'outside="0" '
    corners = f'xtl="{x}" ytl="5" xbr="{x + 10}" ybr="45"'
    return f'<box frame="{frame}" {marks}occluded="0" keyframe="1" {corners} z_order="0" {extra}>{texts}</box>\n'


def track(*boxes, number=3, label='person'):
    return f'<track id="{number}" label="{label}" source="manual">\n{"".join(boxes)}</track>\n'


def xml(tmp_path, *tracks, head=HEAD):
    (tmp_path / 'task.xml').write_text(f'{head}{"".join(tracks)}</annotations>\n')
    return tmp_path / 'task.xml'


def rows(table):
    return list(zip(table.tids.tolist(), table.labels.tolist(), table.start_s.tolist(), table.end_s.tolist()))


def test_boxes_ids_and_instances_come_back(tmp_path, sample, label_maps):
    assert write_cvat(sample, tmp_path / 'out', label_maps=label_maps) == {}
    again = read_cvat(tmp_path / 'out', label_maps=label_maps)
    assert again.tubelets == sample.tubelets
    assert {vid: (video.fps, video.num_frames, video.split) for vid, video in again.videos.items()} == {
        'street': (10.0, 40, 'train'),
        'park': (25.0, 50, 'val'),
    }
    for tid in sample.tubelets:
        one, other = sample.track(tid), again.track(tid)
        np.testing.assert_array_equal(one.frame_inds, other.frame_inds)
        np.testing.assert_allclose(one.boxes_px, other.boxes_px, atol=6e-4)
        np.testing.assert_array_equal(one.flags, other.flags)
    assert rows(again.aa) == rows(sample.aa) and rows(again.ca) == rows(sample.ca)
    assert again.aa.groups.tolist() == sample.aa.groups.tolist()


def test_without_a_label_map_classes_have_numbers(tmp_path, sample):
    write_cvat(sample, tmp_path / 'out')
    again = read_cvat(tmp_path / 'out')
    assert rows(again.aa) == rows(sample.aa) and again.aa.groups.tolist() == sample.aa.groups.tolist()


def test_every_box_is_a_key_frame_and_holes_are_outside(tmp_path, sample, label_maps):
    write_cvat(sample, tmp_path / 'out', label_maps=label_maps)
    root = ElementTree.parse(tmp_path / 'out' / 'street.xml').getroot()
    first, second = root.findall('track')
    assert {element.get('keyframe') for element in root.iter('box')} == {'1'}
    outside = [int(element.get('frame')) for element in first if element.get('outside') == '1']
    # The hole begins at frame 15; the lift begins with the box of frame 20; frame 39 is the film's last.
    assert outside == [15]
    assert [int(element.get('frame')) for element in second if element.get('outside') == '1'] == [20]
    assert [int(element.get('frame')) for element in first] == [*range(16), *range(20, 40)]
    assert [element.get('frame') for element in first if element.get('occluded') == '1'] == ['39']


def texts(tmp_path, name, attribute):
    root = ElementTree.parse(tmp_path / 'out' / name).getroot()
    found = {}
    for element in root.iter('box'):
        values = {item.get('name'): item.text or '' for item in element}
        found.setdefault(int(element.get('frame')), []).append(values[attribute])
    return {frame: values[0] for frame, values in found.items()}


def test_attributes_say_who_and_what(tmp_path, sample, label_maps):
    write_cvat(sample, tmp_path / 'out', label_maps=label_maps)
    pose = texts(tmp_path, 'street.xml', 'pose')
    assert (pose[4], pose[5], pose[14], pose[15], pose[20], pose[24], pose[25]) == (
        *('', 'walk', 'walk', 'walk (unseen)'),
        *('walk', 'walk', ''),
    )
    assert texts(tmp_path, 'street.xml', 'person_object')[20] == 'lift'
    assert texts(tmp_path, 'street.xml', 'activity')[34] == 'moving boxes'
    assert texts(tmp_path, 'street.xml', 'tubelet')[0] == 'street.1'
    assert texts(tmp_path, 'street.xml', 'origin')[0] == 'c1; c2'
    assert texts(tmp_path, 'street.xml', 'across_shots')[0] == 'true'


def test_the_head_says_what_cvat_needs(tmp_path, sample, label_maps):
    write_cvat(sample, tmp_path / 'out', label_maps=label_maps)
    root = ElementTree.parse(tmp_path / 'out' / 'street.xml').getroot()
    task = root.find('meta/task')
    assert root.findtext('version') == '1.1' and task.findtext('mode') == 'interpolation'
    assert [task.findtext(name) for name in ('name', 'size', 'start_frame', 'stop_frame')] == [
        'street',
        '40',
        '0',
        '39',
    ]
    assert [task.findtext(f'original_size/{name}') for name in ('width', 'height')] == ['100', '50']
    assert root.findtext('meta/source') == 'street.mp4'
    attributes = {item.findtext('name'): item for item in task.iter('attribute')}
    assert [name for name, item in attributes.items() if item.findtext('mutable') == 'True'] == [
        *('head_visible', 'pose', 'person_person', 'person_object', 'activity'),
    ]
    used = {item.get('name') for element in root.iter('box') for item in element}
    assert used == set(attributes)
    (label,) = json.loads((tmp_path / 'out' / 'labels.json').read_text())
    assert label['name'] == 'person' and {spec['name'] for spec in label['attributes']} == set(attributes)


frames = st.integers(0, 12)
spans = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 11), st.integers(1, 6)).map(
        lambda s: (s[0], s[1], min(s[1] + s[2], 12))
    ),
    max_size=5,
)


def without_overlap(found):
    """Keep of each class what does not overlap what came before."""
    kept = []
    for label, first, end in sorted(found):
        if all(other != label or first >= stop for other, _, stop in kept):
            kept.append((label, first, end))
    return kept


@settings(max_examples=200)
@given(st.sets(st.integers(0, 11), min_size=1), spans)
def test_any_instances_come_back_over_any_holes(tmp_path_factory, seen, found):
    found = without_overlap(found)
    names = ('walk', 'run', 'hug', 'lift')
    maps = {'atomic': LabelMap('atomic', names, {'pose': (0, 2), 'pp': (2, 3), 'po': (3, 4)})}
    inds = sorted(seen)
    annotations = SEALAnnotations(
        {'v': VideoRecord('web', 100, 50, 4.0, 12, 3.0, 'train')},
        {'t': TubeletRecord('v', 0, (inds[0], inds[-1] + 1), 't')},
        InstanceTable.from_rows([('t', label, maps['atomic'].group_of(label), a / 4, b / 4) for label, a, b in found]),
        boxes=BoxTable.from_tracks({'t': (inds, [[0, 0, 5, 5]] * len(inds), [1] * len(inds), [0] * len(inds))}),
    )
    folder = tmp_path_factory.mktemp('any')
    assert write_cvat(annotations, folder, label_maps=maps) == {}
    again = read_cvat(folder, label_maps=maps)
    assert again.track('t').frame_inds.tolist() == inds
    assert sorted(rows(again.aa)) == sorted(rows(annotations.aa))


def test_edges_are_rounded_to_the_nearest_frame_and_an_instance_has_one_at_least(tmp_path, sample, label_maps):
    sample.aa = InstanceTable.from_rows([('street.2', 0, 'pose', 0.26, 0.94), ('street.2', 1, 'pose', 1.0, 1.01)])
    write_cvat(sample, tmp_path / 'out', label_maps=label_maps)
    again = read_cvat(tmp_path / 'out', label_maps=label_maps)
    assert rows(again.aa) == [('street.2', 0, 0.3, 0.9), ('street.2', 1, 1.0, 1.1)]


def test_what_is_lost_is_counted(tmp_path, sample, label_maps):
    sample.tubelets['ghost'] = TubeletRecord('park', 0, (0, 50), 'ghost')
    sample.boxes.flags[0] |= 2
    sample.boxes.scores[:3] = 0.5
    sample.aa = InstanceTable.from_rows([('street.1', 0, 'pose', 0.5, 2.0), ('street.1', 0, 'pose', 1.5, 3.0)])
    assert write_cvat(sample, tmp_path / 'out', label_maps=label_maps) == {
        'tubelets without boxes': 1,
        'instances that overlap one of their class': 1,
        'scores': 3,
        'marks of edited boxes': 1,
    }


@pytest.mark.parametrize('name', ['a; b', 'walk (unseen)', 'walk (new)', ' walk', 'a\x01'])
def test_a_class_name_that_cvat_cannot_hold_is_refused(tmp_path, sample, name):
    with pytest.raises(InputError, match='CVAT cannot hold the class name'):
        write_cvat(sample, tmp_path, label_maps={'atomic': LabelMap('atomic', (name, 'b', 'c', 'd'))})


def test_names_are_escaped(tmp_path, sample):
    maps = {'atomic': LabelMap('atomic', ('a <b> & "c"', 'b', 'c', 'd'))}
    sample.videos['a&b/<film>'] = sample.videos.pop('park')
    write_cvat(sample, tmp_path / 'out', label_maps=maps)
    again = read_cvat(tmp_path / 'out', label_maps=maps)
    assert 'a&b/<film>' in again.videos and again.aa.labels.tolist() == [0, 3, 2]


def test_a_track_of_others_is_read(tmp_path, label_maps):
    path = xml(tmp_path, track(box(2, pose='walk'), box(3, 12, pose='walk'), box(4, 12, 'outside="1"')))
    found = read_cvat(path, fps=10.0, label_maps=label_maps, stage=2)
    assert found.videos == {'film': VideoRecord('cvat', 100, 50, 10.0, 20, 2.0, 'val')}
    assert found.tubelets == {'film.3': TubeletRecord('film', 3, (2, 4), 'film.3', (), 2)}
    assert found.track('film.3').boxes_px.tolist() == [[10, 5, 20, 45], [12, 5, 22, 45]]
    assert rows(found.aa) == [('film.3', 0, 0.2, 0.4)]


def test_tracks_of_another_label_are_left_out(tmp_path):
    path = xml(tmp_path, track(box(2)), track(box(2), label='ball', number=4))
    assert list(read_cvat(path, fps=10.0).tubelets) == ['film.3']
    assert list(read_cvat(path, fps=10.0, label='ball').tubelets) == ['film.4']


def test_boxes_between_key_frames_are_filled_in_on_a_straight_line(tmp_path):
    path = xml(tmp_path, track(box(2, 10), box(6, 30), box(8, 34, 'outside="1"'), box(12, 50)))
    found = read_cvat(path, fps=10.0).track('film.3')
    assert found.frame_inds.tolist() == [2, 3, 4, 5, 6, 7, 12]
    assert found.boxes_px[:, 0].tolist() == [10, 15, 20, 25, 30, 32, 50]
    assert found.flags.tolist() == [0, 1, 1, 1, 0, 1, 0]


def test_boxes_that_are_no_key_frames_are_marked(tmp_path):
    boxes = [box(2), box(3).replace('keyframe="1"', 'keyframe="0"'), box(4).replace('occluded="0"', 'occluded="1"')]
    found = read_cvat(xml(tmp_path, track(*boxes)), fps=10.0)
    assert found.track('film.3').flags.tolist() == [0, 1, 1]


def test_an_action_holds_until_the_text_changes(tmp_path, label_maps):
    boxes = [box(2, pose='walk', person_object='lift'), box(5), box(7, pose='run;walk ; '), box(9, pose='')]
    found = read_cvat(xml(tmp_path, track(*boxes)), fps=10.0, label_maps=label_maps)
    assert rows(found.aa) == [
        ('film.3', 0, 0.2, 0.9),
        ('film.3', 3, 0.2, 1.0),
        ('film.3', 1, 0.7, 0.9),
    ]


def test_a_text_that_cvat_repeats_in_a_hole_counts_only_if_the_action_goes_on(tmp_path, label_maps):
    hidden = box(4, 10, 'outside="1"', pose='walk; run')
    boxes = [box(3, pose='walk; run'), hidden, box(8, pose='walk'), box(9, 10, 'outside="1"', pose='walk')]
    found = read_cvat(xml(tmp_path, track(*boxes)), fps=10.0, label_maps=label_maps)
    assert sorted(rows(found.aa)) == [('film.3', 0, 0.3, 0.9), ('film.3', 1, 0.3, 0.4)]


def test_films_are_found_by_task_source_or_file(tmp_path):
    film = VideoRecord('web', 100, 50, 25.0, 20, 0.8, 'test')
    path = xml(tmp_path, track(box(2)))
    for name in ('film', 'clip', 'task'):
        assert read_cvat(path, {name: film}).videos == {name: film}
    with pytest.raises(InputError, match=r"task\.xml: size, length or rate of 'film' are not known"):
        read_cvat(path, {'other': film})


def test_the_tracks_of_a_project_go_to_their_tasks(tmp_path):
    tasks = ''.join(
        f'<task><id>{number}</id><name>f{number}</name><size>20</size><subset>{subset}</subset></task>'
        for number, subset in ((1, 'Train'), (2, 'mine'))
    )
    head = f'<annotations><version>1.1</version><meta><project><name>p</name><tasks>{tasks}</tasks></project></meta>'
    one, other = track(box(1)), track(box(2), number=4)
    path = xml(
        tmp_path, one.replace('<track', '<track task_id="1"'), other.replace('<track', '<track task_id="2"'), head=head
    )
    films = {name: VideoRecord('web', 100, 50, 25.0, 20, 0.8, 'test') for name in ('f1', 'f2')}
    found = read_cvat(path, films)
    assert {tid: record.vid for tid, record in found.tubelets.items()} == {'f1.3': 'f1', 'f2.4': 'f2'}
    with pytest.raises(InputError, match=r"track 3: is of task '', which the file does not describe"):
        read_cvat(xml(tmp_path, track(box(1)), head=head), films)


@pytest.mark.parametrize(
    'boxes, cause',
    [
        ([box(2), box(2)], 'has two boxes in frame 2'),
        ([box(20)], 'frames 20 to 20 go beyond the 20 of the film'),
        ([box(-1)], 'frames -1 to -1 go beyond'),
        ([box(2).replace('xbr="20"', 'xbr="10"')], 'the box of frame 2 has no area'),
        ([box(2).replace('xbr="20"', 'xbr="nan"')], 'the box of frame 2 has no area'),
        ([box(2).replace('xbr="20"', 'xbr="wide"')], 'a box has a value that is no number'),
        ([box(2).replace('frame="2"', 'frame="2.5"')], 'a box has a value that is no number'),
        ([box(2).replace('frame="2"', '')], "a box has no 'frame'"),
        ([box(2, extra='rotation="30"')], 'the box of frame 2 is turned'),
        ([box(2, person_id='two')], "person_id is 'two', it must be a whole number"),
        ([box(2), '<polygon frame="3" points="1,1;2,2"/>'], 'holds a polygon, only boxes are read'),
    ],
)
def test_a_wrong_track_is_refused_with_its_number(tmp_path, boxes, cause):
    path = xml(tmp_path, track(box(1), number=1), track(*boxes))
    with pytest.raises(InputError) as caught:
        read_cvat(path, fps=10.0)
    assert str(caught.value).startswith(f'{path}: track 3: ') and cause in str(caught.value)
    findings = []
    assert list(read_cvat(path, fps=10.0, findings=findings).tubelets) == ['film.1']
    assert [finding.row for finding in findings] == ['track 3']


def test_an_action_that_the_label_map_does_not_have_is_refused_with_its_frame(tmp_path, label_maps):
    path = xml(tmp_path, track(box(2, pose='walk'), box(3, pose='wlak')))
    with pytest.raises(InputError, match=r"track 3 frame 3: there is no class 'wlak' in the label map of pose"):
        read_cvat(path, fps=10.0, label_maps=label_maps)
    findings = []
    assert rows(read_cvat(path, fps=10.0, label_maps=label_maps, findings=findings).aa) == [('film.3', 0, 0.2, 0.3)]
    assert len(findings) == 1


BOMB = '<!DOCTYPE a [<!ENTITY x "xxxxxxxxxx"><!ENTITY y "&x;&x;&x;&x;&x;&x;&x;&x;">]>'
FILE = '<!DOCTYPE a SYSTEM "file:///etc/passwd">'


@pytest.mark.parametrize('doctype', [BOMB, FILE])
@pytest.mark.parametrize('encoding', ['utf-8', 'utf-16'])
def test_a_document_type_is_refused(tmp_path, doctype, encoding):
    text = f'<?xml version="1.0" encoding="{encoding}"?>{doctype}<annotations>&y;</annotations>'
    (tmp_path / 'a.xml').write_bytes(text.encode(encoding))
    with pytest.raises(InputError, match=r'a\.xml: has a document type \(DOCTYPE\), which is not read'):
        read_cvat(tmp_path / 'a.xml')


@pytest.mark.parametrize(
    'text, cause',
    [
        ('', 'a.xml:1: is not XML, or is cut off'),
        ('not xml', 'a.xml:1: is not XML, or is cut off'),
        (HEAD, 'is not XML, or is cut off'),
        ('<html></html>', 'a.xml: is not of CVAT, its root is <html>'),
        ('<annotations><image id="0"/></annotations>', 'export the task as "CVAT for video"'),
        (f'<annotations>{track(box(1))}</annotations>', 'track 3: the file describes no task'),
        (f'{HEAD}{track(box(1))[:60]}', 'is not XML, or is cut off'),
    ],
)
def test_another_file_is_refused_in_one_line(tmp_path, text, cause):
    (tmp_path / 'a.xml').write_text(text)
    with pytest.raises(InputError) as caught:
        read_cvat(tmp_path / 'a.xml', fps=10.0)
    assert cause in str(caught.value) and '\n' not in str(caught.value)


def test_a_missing_file_and_an_empty_folder_are_refused(tmp_path):
    with pytest.raises(InputError, match='cannot be read'):
        read_cvat(tmp_path / 'a.xml')
    with pytest.raises(InputError, match=r'has no \.xml'):
        read_cvat(tmp_path)


def test_a_broken_write_leaves_the_old_file(tmp_path, sample, label_maps):
    write_cvat(sample, tmp_path, label_maps=label_maps)
    before = (tmp_path / 'street.xml').read_bytes()
    sample.aa.labels[:] = 99
    sample.tubelets['street.2'] = TubeletRecord('street', 2, (0, 20), 'street.2', origin=(3,))
    with pytest.raises(TypeError):
        write_cvat(sample, tmp_path, label_maps=label_maps)
    assert (tmp_path / 'street.xml').read_bytes() == before
    assert not [path for path in tmp_path.iterdir() if re.match(r'\.', path.name)]
