"""Class names in pbtxt and text files."""

import pytest

from mmtube.errors import InputError
from mmtube.structures.label_files import read_label_file, read_label_types

LABELS = 'item {\n  name: "walk"\n  id: 12\n}\nitem {\n  name: "talk"\n  id: 17\n}\n'
TYPED = """label {
  name: "walk"
  label_id: 14
  label_type: PERSON_MOVEMENT
}
label {
  name: "watch (a person)"
  label_id: 80
  label_type: PERSON_INTERACTION
}
"""


def test_label_files_of_three_forms(tmp_path):
    path = tmp_path / 'labels'
    path.write_text(LABELS)
    assert read_label_file(path) == {12: 'walk', 17: 'talk'}
    path.write_text('12: walk\n17: talk: aloud\n')
    assert read_label_file(path) == {12: 'walk', 17: 'talk: aloud'}
    path.write_text('walk\n\ntalk\n')
    assert read_label_file(path) == {1: 'walk', 2: 'talk'} and read_label_file(path, 0) == {0: 'walk', 1: 'talk'}
    for text, told in (('', 'no class'), ('3: a\n3: b\n', '3 stands twice'), ('item { id: 3 }', 'item 1 has no name')):
        path.write_text(text)
        with pytest.raises(InputError, match=told):
            read_label_file(path)


def test_the_label_files_of_ava_are_read(shared_data):
    path = shared_data / 'labels' / 'ava_action_list_v2.1_for_activitynet_2018.pbtxt.txt'
    names = read_label_file(path)
    assert len(names) == 60 and names[1] == 'bend/bow (at the waist)' and max(names) == 80


def test_types_of_labels_are_read_where_there_are(tmp_path):
    path = tmp_path / 'labels'
    path.write_text(TYPED)
    assert read_label_types(path) == {14: 'PERSON_MOVEMENT', 80: 'PERSON_INTERACTION'}
    assert read_label_file(path) == {14: 'walk', 80: 'watch (a person)'}
    path.write_text(LABELS)
    assert read_label_types(path) == {}
