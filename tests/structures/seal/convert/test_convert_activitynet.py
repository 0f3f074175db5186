import json

import pytest

from mmtube.errors import InputError
from mmtube.structures.seal import InstanceTable, LabelMap, VideoRecord, read_seal_json, write_seal_json
from mmtube.structures.seal.convert import activitynet_label_map, read_activitynet, write_activitynet


def document():
    return {
        'version': 'VERSION 1.3',
        'database': {
            'abc': {
                'duration': 20.0,
                'subset': 'training',
                'resolution': '640x360',
                'annotations': [
                    {'segment': [1.5, 10.25], 'label': 'Zumba'},
                    {'segment': [12.0, 20.25], 'label': 'Archery'},
                ],
            },
            'def': {'duration': 5.02, 'subset': 'testing', 'resolution': '320x240', 'annotations': []},
        },
    }


def written(tmp_path, content=None):
    (tmp_path / 'a.json').write_text(json.dumps(content or document()))
    return tmp_path / 'a.json'


def test_a_film_becomes_one_tubelet_without_boxes_that_spans_it(tmp_path):
    found = read_activitynet(written(tmp_path))
    assert found.videos == {
        'abc': VideoRecord('anet', 640, 360, 25.0, 500, 20.0, 'train'),
        'def': VideoRecord('anet', 320, 240, 25.0, 125, 5.02, 'test'),
    }
    assert list(found.tubelets) == ['abc.0', 'def.0'] and found.tubelets['abc.0'].frame_range == (0, 500)
    assert found.tubelets['abc.0'].box_key in found.boxes and len(found.boxes) == 0
    rows = zip(found.ca.tids, found.ca.labels, found.ca.start_s, found.ca.end_s)
    # Classes by sorted names; the second segment ends a quarter of a second after its film and is cut there.
    assert list(rows) == [('abc.0', 1, 1.5, 10.25), ('abc.0', 0, 12.0, 20.0)]
    assert activitynet_label_map(written(tmp_path)).names == ('Archery', 'Zumba')


def test_such_annotations_go_through_a_seal_file(tmp_path):
    write_seal_json(read_activitynet(written(tmp_path)), tmp_path / 's.json')
    assert len(read_seal_json(tmp_path / 's.json').ca) == 2


def test_a_label_map_and_a_table_of_films_go_before_the_file(tmp_path):
    films = {'abc': VideoRecord('anet', 64, 36, 30.0, 603, 20.1, 'val', ((0, 603),))}
    label_map = LabelMap('complex', ('Zumba', 'Knitting', 'Archery'))
    found = read_activitynet(written(tmp_path), films, label_map=label_map)
    assert found.videos['abc'] == films['abc'] and found.ca.labels.tolist() == [0, 2]
    assert found.ca.end_s.tolist() == [10.25, 20.1]


def test_the_films_may_stand_at_the_top_and_actions_may_be_atomic(tmp_path, label_maps):
    content = document()['database']
    content['abc']['annotations'] = [{'segment': [0, 1], 'label': 'hug'}]
    found = read_activitynet(written(tmp_path, content), task='atomic', label_map=label_maps['atomic'])
    assert len(found.ca) == 0 and (found.aa.labels[0], found.aa.groups[0]) == (2, 'pp')


def test_an_entry_may_be_one_person_of_a_film(tmp_path):
    content = document()
    content['database'] = {'abc#3': content['database']['abc'], 'abc#7': content['database']['abc']}
    found = read_activitynet(written(tmp_path, content))
    assert list(found.videos) == ['abc'] and list(found.tubelets) == ['abc.3', 'abc.7'] and len(found.ca) == 4


def test_the_size_may_be_told(tmp_path):
    content = document()
    del content['database']['def']['resolution']
    with pytest.raises(InputError, match=r'database\["def"\]: the size of this film is not known'):
        read_activitynet(written(tmp_path, content))
    found = read_activitynet(written(tmp_path, content), frame_size=(10, 20), fps=10.0)
    assert (found.videos['def'].width, found.videos['def'].height, found.videos['def'].num_frames) == (10, 20, 50)


@pytest.mark.parametrize(
    'note, cause',
    [
        ({'segment': [3, 2], 'label': 'Zumba'}, '.segment: 3 to 2 s is no part of a film of 20 s'),
        ({'segment': [3, 3], 'label': 'Zumba'}, '.segment: 3 to 3 s is no part'),
        ({'segment': [-0.1, 3], 'label': 'Zumba'}, '.segment: -0.1 to 3 s is no part'),
        ({'segment': [3, 20.6], 'label': 'Zumba'}, '.segment: 3 to 20.6 s is no part'),
        ({'segment': [20.1, 20.2], 'label': 'Zumba'}, '.segment: 20.1 to 20.2 s is no part'),
        ({'segment': [3], 'label': 'Zumba'}, '.segment: must be 2'),
        ({'segment': ['a', 'b'], 'label': 'Zumba'}, '.segment: must hold numbers'),
        ({'segment': [1, 2]}, ': "label" is missing'),
        ({'label': 'Zumba'}, ': "segment" is missing'),
        ({'segment': [1, 2], 'label': 3}, '.label: must be a text'),
        ({'segment': [1, 2], 'label': 'Zmuba'}, ".label: there is no class 'Zmuba' in the label map"),
        ([1, 2], ': must be an object'),
    ],
)
def test_a_wrong_annotation_is_refused_with_its_place(tmp_path, note, cause):
    content = document()
    content['database']['abc']['annotations'].insert(1, note)
    path, label_map = written(tmp_path, content), LabelMap('complex', ('Archery', 'Zumba'))
    with pytest.raises(InputError) as caught:
        read_activitynet(path, label_map=label_map)
    assert cause in str(caught.value) and str(caught.value).startswith(f'{path}: database["abc"].annotations[1]')
    findings = []
    found = read_activitynet(path, label_map=label_map, findings=findings)
    assert [finding.row for finding in findings] == ['database["abc"].annotations[1]'] and len(found.ca) == 2


@pytest.mark.parametrize(
    'change, cause',
    [
        ({'duration': 0}, '.duration: must be positive, not 0'),
        ({'duration': 'long'}, '.duration: '),
        ({'duration': None}, '.duration: '),
        ({'subset': 3}, '.subset: must be a text'),
        ({'annotations': {}}, '.annotations: must be a list'),
    ],
)
def test_a_wrong_film_is_refused_with_its_place(tmp_path, change, cause):
    content = document()
    content['database']['def'].update(change)
    label_map = LabelMap('complex', ('Archery', 'Zumba'))
    with pytest.raises(InputError) as caught:
        read_activitynet(written(tmp_path, content), label_map=label_map)
    assert f'database["def"]{cause}' in str(caught.value)
    findings = []
    assert 'abc' in read_activitynet(written(tmp_path, content), label_map=label_map, findings=findings).videos
    assert len(findings) == 1


def test_the_union_over_the_people_is_written(tmp_path, sample, label_maps):
    sample.ca = InstanceTable.from_rows(
        [
            ('street.1', 1, '', 0.5, 2.0),
            ('street.2', 1, '', 1.0, 2.5),
            ('street.2', 0, '', 1.0, 1.5),
            ('street.1', 1, '', 3.0, 3.5),
        ]
    )
    losses = write_activitynet(sample, tmp_path / 'a.json', label_map=label_maps['complex'])
    database = json.loads((tmp_path / 'a.json').read_text())['database']
    assert database['street'] == {
        'subset': 'training',
        'duration': 4.0,
        'resolution': '100x50',
        'annotations': [
            {'segment': [0.5, 2.5], 'label': 'moving boxes'},
            {'segment': [1.0, 1.5], 'label': 'greeting'},
            {'segment': [3.0, 3.5], 'label': 'moving boxes'},
        ],
    }
    assert database['park'] == {'subset': 'validation', 'duration': 2.0, 'resolution': '64x48', 'annotations': []}
    assert losses == {'boxes': 55, 'instances joined': 1, 'instances of the other task': 3}


def test_people_come_back_with_their_instances(tmp_path, sample, label_maps):
    options = {'label_map': label_maps['atomic'], 'task': 'atomic'}
    losses = write_activitynet(sample, tmp_path / 'a.json', per_person=True, **options)
    assert list(json.loads((tmp_path / 'a.json').read_text())['database']) == ['street#1', 'street#2']
    assert losses == {'boxes': 55, 'instances of the other task': 1}
    again = read_activitynet(tmp_path / 'a.json', sample.videos, **options)
    for column in ('tids', 'labels', 'groups', 'start_s', 'end_s'):
        assert getattr(again.aa, column).tolist() == getattr(sample.aa, column).tolist()


def test_a_class_that_no_map_names_has_a_number(tmp_path, sample):
    write_activitynet(sample, tmp_path / 'a.json')
    assert json.loads((tmp_path / 'a.json').read_text())['database']['street']['annotations'][0]['label'] == 'complex 1'


def test_a_file_of_activitynet_is_read_and_comes_back(tmp_path, shared_data):
    path = shared_data / 'eval/mmaction2_tests/eval_localization/gt.json'
    found = read_activitynet(path)
    assert list(found.videos) == ['v_bYUmtLBL7W4', 'v_hDPLy21Yyuk'] and len(found.ca) == 4
    assert found.videos['v_bYUmtLBL7W4'] == VideoRecord('anet', 1920, 1080, 25.0, 5612, 224.49, 'val')
    assert activitynet_label_map(path).names == ('Cleaning shoes', 'Wakeboarding')
    write_activitynet(found, tmp_path / 'a.json', label_map=activitynet_label_map(path))
    one, other = json.loads(path.read_text()), json.loads((tmp_path / 'a.json').read_text())['database']
    for vid, entry in one.items():
        assert {key: other[vid][key] for key in ('duration', 'subset', 'resolution')} == {
            key: entry[key] for key in ('duration', 'subset', 'resolution')
        }
        assert sorted(map(str, other[vid]['annotations'])) == sorted(map(str, entry['annotations']))
