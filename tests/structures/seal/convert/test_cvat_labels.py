import pytest

from mmtube.errors import InputError
from mmtube.structures.seal.convert import cvat_label_maps, read_cvat

TRACK = """<track id="{id}" label="{label}">
<box frame="0" outside="0" occluded="0" keyframe="1" xtl="1" ytl="1" xbr="5" ybr="9">{attributes}</box></track>"""


def write(path, *tracks):
    drawn = [
        TRACK.format(
            id=number,
            label=label,
            attributes=''.join(f'<attribute name="{name}">{text}</attribute>' for name, text in texts.items()),
        )
        for number, (label, texts) in enumerate(tracks)
    ]
    meta = '<meta><task><name>a</name><size>9</size><original_size><width>64</width><height>48</height></original_size>'
    path.write_text(f'<annotations><version>1.1</version>{meta}</task></meta>{"".join(drawn)}</annotations>')


def test_classes_that_occur_are_sorted_within_their_groups(tmp_path):
    first = {'pose': 'walk;bow (unseen)', 'person_object': 'lift', 'activity': 'cooking', 'person_id': '3'}
    write(tmp_path / 'a.xml', ('person', first), ('car', {'pose': 'drive'}))
    write(tmp_path / 'b.xml', ('person', {'person_person': 'hug (new)', 'person_object': 'carry;lift'}))
    maps = cvat_label_maps(tmp_path)
    assert maps['atomic'].names == ('bow', 'walk', 'hug', 'carry', 'lift')
    assert maps['atomic'].groups == {'pose': (0, 2), 'pp': (2, 3), 'po': (3, 5)}
    assert maps['complex'].names == ('cooking',)


def test_actions_without_groups_make_a_map_without_groups(tmp_path):
    write(tmp_path / 'a.xml', ('person', {'action': 'walk;run'}))
    assert cvat_label_maps(tmp_path)['atomic'].names == ('run', 'walk')
    assert not cvat_label_maps(tmp_path)['atomic'].groups


def test_numbers_of_classes_are_no_names(tmp_path):
    write(tmp_path / 'a.xml', ('person', {'action': 'atomic 7', 'activity': ''}))
    assert cvat_label_maps(tmp_path) == {}


def test_the_maps_are_what_the_reader_needs(tmp_path):
    write(tmp_path / 'a.xml', ('person', {'pose': 'walk', 'person_person': 'hug', 'activity': 'greeting'}))
    with pytest.raises(InputError, match='no class'):
        read_cvat(tmp_path, fps=25)
    found = read_cvat(tmp_path, fps=25, label_maps=cvat_label_maps(tmp_path))
    assert sorted(zip(found.aa.labels.tolist(), found.aa.groups.tolist())) == [(0, 'pose'), (1, 'pp')]
