import json

import pytest

from mmtube.errors import InputError
from mmtube.structures.seal import (
    GROUPS,
    LabelMap,
    label_maps_beside,
    read_label_map,
    seal_label_map,
    write_label_map,
)


def test_seal_has_172_atomic_actions_in_three_groups():
    label_map = seal_label_map('atomic')
    assert len(label_map) == 172 and label_map.placeholder
    sizes = {group: end - first for group, (first, end) in label_map.groups.items()}
    assert sizes == {'pose': 61, 'pp': 15, 'po': 96} and tuple(label_map.groups) == GROUPS
    edges = [label_map.group_of(label) for label in (0, 60, 61, 75, 76, 171)]
    assert edges == ['pose', 'pose', 'pp', 'pp', 'po', 'po']


def test_seal_has_the_200_activities_of_activitynet():
    label_map = seal_label_map('complex')
    assert len(label_map) == len(set(label_map.names)) == 200 and not label_map.placeholder
    assert {'Wakeboarding', 'Cleaning shoes', 'Zumba'} <= set(label_map.names)
    assert label_map.group_of(7) == ''


def test_a_label_map_comes_back(tmp_path, label_maps):
    for task, label_map in label_maps.items():
        write_label_map(label_map, tmp_path / f'{task}.json')
        assert read_label_map(tmp_path / f'{task}.json') == label_map


def test_a_name_that_is_no_ascii_comes_back(tmp_path):
    label_map = LabelMap('complex', ('höher', '跑'), placeholder=True)
    write_label_map(label_map, tmp_path / 'm.json')
    assert read_label_map(tmp_path / 'm.json') == label_map


@pytest.mark.parametrize(
    'arguments, cause',
    [
        (('clip', ('a',)), 'task must be one of'),
        (('atomic', ('a', 'b', 'a')), "class name 'a' stands twice"),
        (('atomic', ('a', 'b'), {'pose': (0, 1), 'pp': (1, 2)}), 'groups must be'),
        (('atomic', ('a', 'b'), {'pp': (0, 1), 'pose': (1, 1), 'po': (1, 2)}), 'in this order'),
        (('atomic', ('a', 'b'), {'pose': (0, 1), 'pp': (1, 1), 'po': (1, 3)}), 'must cover 0 to 2'),
        (('atomic', ('a', 'b'), {'pose': (1, 1), 'pp': (1, 1), 'po': (1, 2)}), 'must cover 0 to 2'),
        (('atomic', ('a', 'b', 'c'), {'pose': (0, 1), 'pp': (2, 2), 'po': (2, 3)}), 'without a gap'),
        (('atomic', ('a', 'b', 'c'), {'pose': (0, 2), 'pp': (2, 1), 'po': (1, 3)}), 'must cover'),
    ],
)
def test_a_map_that_contradicts_itself_is_refused(tmp_path, arguments, cause):
    with pytest.raises(ValueError, match=cause):
        LabelMap(*arguments)
    task, names, *groups = arguments
    document = {'task': task, 'names': names, 'groups': groups[0] if groups else {}}
    (tmp_path / 'm.json').write_text(json.dumps(document))
    with pytest.raises(InputError, match=cause) as caught:
        read_label_map(tmp_path / 'm.json')
    assert str(caught.value).startswith(str(tmp_path / 'm.json'))


@pytest.mark.parametrize('key', ['task', 'names'])
def test_a_missing_part_of_a_map_is_named(tmp_path, label_maps, key):
    write_label_map(label_maps['atomic'], tmp_path / 'm.json')
    document = json.loads((tmp_path / 'm.json').read_text())
    del document[key]
    (tmp_path / 'm.json').write_text(json.dumps(document))
    with pytest.raises(InputError, match=rf'm\.json: "{key}" is missing'):
        read_label_map(tmp_path / 'm.json')


@pytest.mark.parametrize('group', [[0], [0, 1, 2], [0, 1.5], 3, ['a', 'b'], [-1, 1]])
def test_a_group_that_is_no_range_is_refused(tmp_path, label_maps, group):
    write_label_map(label_maps['atomic'], tmp_path / 'm.json')
    document = json.loads((tmp_path / 'm.json').read_text())
    document['groups']['pose'] = group
    (tmp_path / 'm.json').write_text(json.dumps(document))
    with pytest.raises(InputError, match=r'm\.json: '):
        read_label_map(tmp_path / 'm.json')


def test_an_unknown_task_has_no_map_of_seal():
    with pytest.raises((InputError, ValueError), match='clip'):
        seal_label_map('clip')


def test_label_maps_beside_a_file_are_found_its_own_before_the_common_ones(tmp_path):
    assert label_maps_beside(tmp_path / 'train.json') == {}
    common, own = LabelMap('atomic', ('walk', 'run')), LabelMap('atomic', ('jump',))
    write_label_map(common, tmp_path / 'label_map_atomic.json')
    write_label_map(own, tmp_path / 'train_label_map_atomic.json')
    assert label_maps_beside(tmp_path / 'train.json') == {'atomic': own}
    assert label_maps_beside(tmp_path / 'val.json') == {'atomic': common}


def test_a_label_map_of_the_other_task_is_refused(tmp_path):
    write_label_map(LabelMap('complex', ('cooking',)), tmp_path / 'label_map_atomic.json')
    with pytest.raises(InputError, match=r"label_map_atomic.json: is a label map of the task 'complex'"):
        label_maps_beside(tmp_path / 'train.json')


def test_task_and_names_are_enough(tmp_path):
    (tmp_path / 'm.json').write_text('{"task": "atomic", "names": ["walk", "run"]}')
    assert read_label_map(tmp_path / 'm.json') == LabelMap('atomic', ('walk', 'run'))


def test_a_label_map_of_another_task_than_asked_for_is_refused(tmp_path):
    write_label_map(LabelMap('complex', ('cooking',)), tmp_path / 'm.json')
    assert read_label_map(tmp_path / 'm.json', 'complex').names == ('cooking',)
    with pytest.raises(InputError, match=r"m\.json: is a label map of the task 'complex', not 'atomic'"):
        read_label_map(tmp_path / 'm.json', 'atomic')
