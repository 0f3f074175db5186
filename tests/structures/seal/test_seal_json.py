import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmtube.errors import InputError
from mmtube.structures.seal import (
    BoxTable,
    InstanceTable,
    SEALAnnotations,
    TubeletRecord,
    VideoRecord,
    boxes_path,
    read_seal_json,
    write_seal_json,
)


def same(one, other):
    assert one.videos == other.videos and list(one.videos) == list(other.videos)
    assert one.tubelets == other.tubelets and list(one.tubelets) == list(other.tubelets)
    for name in ('aa', 'ca'):
        for column in ('tids', 'labels', 'groups', 'start_s', 'end_s'):
            expected, found = getattr(getattr(one, name), column), getattr(getattr(other, name), column)
            assert expected.tolist() == found.tolist() and expected.dtype.kind == found.dtype.kind
    assert list(one.boxes) == list(other.boxes)
    for column in ('offsets', 'frame_inds', 'boxes_px', 'scores', 'flags'):
        assert getattr(one.boxes, column).tobytes() == getattr(other.boxes, column).tobytes()


def edited(tmp_path, sample, edit):
    """Write the sample, change its document and return the path."""
    path = tmp_path / 'set.json'
    write_seal_json(sample, path)
    document = json.loads(path.read_text())
    edit(document)
    path.write_text(json.dumps(document))
    return path


def test_annotations_come_back_bit_for_bit(tmp_path, sample):
    write_seal_json(sample, tmp_path / 'train.json')
    again = read_seal_json(tmp_path / 'train.json')
    same(sample, again)
    assert again.name == str(tmp_path / 'train.json')
    assert boxes_path(tmp_path / 'train.json') == tmp_path / 'train_boxes.npz'
    assert isinstance(again.boxes.boxes_px.base, np.memmap)


def test_equal_annotations_give_equal_bytes(tmp_path, sample):
    write_seal_json(sample, tmp_path / 'a' / 'train.json')
    write_seal_json(read_seal_json(tmp_path / 'a' / 'train.json'), tmp_path / 'b' / 'train.json')
    for name in ('train.json', 'train_boxes.npz'):
        assert (tmp_path / 'a' / name).read_bytes() == (tmp_path / 'b' / name).read_bytes()


def test_the_file_holds_one_line_for_each_record(tmp_path, sample):
    write_seal_json(sample, tmp_path / 'train.json')
    lines = (tmp_path / 'train.json').read_text().splitlines()
    assert '"boxes": "train_boxes.npz",' in lines
    assert '{"tid": "street.1", "label": 0, "group": "pose", "start": 0.5, "end": 2.5},' in lines
    assert '{"tid": "street.1", "label": 1, "start": 0.5, "end": 3.5}' in lines
    assert '"across_shots": true' in next(line for line in lines if line.startswith('"street.1"'))
    assert 'across_shots' not in next(line for line in lines if line.startswith('"street.2"'))


def test_annotations_of_nothing_come_back(tmp_path):
    write_seal_json(SEALAnnotations({}, {}), tmp_path / 'none.json')
    same(SEALAnnotations({}, {}), read_seal_json(tmp_path / 'none.json'))


seconds = st.floats(0, 3.9)


@given(
    st.lists(
        st.tuples(st.integers(0, 171), st.sampled_from(['pose', 'pp', 'po']), seconds, st.floats(1e-6, 0.1)),
        max_size=6,
    ),
    st.text(st.characters(blacklist_characters='\0', blacklist_categories=('Cs',)), min_size=1, max_size=6),
    st.floats(1, 120),
)
def test_any_name_and_number_comes_back(tmp_path_factory, rows, tid, fps):
    annotations = SEALAnnotations(
        {'v': VideoRecord('web', 10, 10, fps, max(round(4 * fps), 1), 4.0, 'train')},
        {tid: TubeletRecord('v', 0, (0, 1), tid)},
        InstanceTable.from_rows([(tid, label, group, start, start + length) for label, group, start, length in rows]),
        boxes=BoxTable.from_tracks({tid: ([0], [[0, 0, 1, 1]], [1], [0])}),
    )
    path = tmp_path_factory.mktemp('any') / 'a.json'
    write_seal_json(annotations, path)
    same(annotations, read_seal_json(path))


def test_optional_parts_have_defaults(tmp_path, sample):
    def edit(document):
        del document['ca'], document['version'], document['boxes']
        del document['videos']['street']['shots']
        for key in ('origin', 'stage', 'across_shots'):
            document['tubelets']['street.1'].pop(key, None)

    found = read_seal_json(edited(tmp_path, sample, edit))
    assert len(found.ca) == 0 and len(found.aa) == 3 and found.videos['street'].shots == ()
    record = found.tubelets['street.1']
    assert (record.origin, record.stage, record.across_shots) == ((), 4, False)


@pytest.mark.parametrize(
    'part, key, field',
    [
        *(
            ('videos', 'street', name)
            for name in ('source', 'width', 'height', 'fps', 'num_frames', 'duration', 'split')
        ),
        *(('tubelets', 'street.1', name) for name in ('vid', 'person_id', 'frame_range', 'box_key')),
        *(('aa', 1, name) for name in ('tid', 'label', 'group', 'start', 'end')),
        *(('ca', 0, name) for name in ('tid', 'label', 'start', 'end')),
    ],
)
def test_a_missing_key_is_named_with_its_record(tmp_path, sample, part, key, field):
    path = edited(tmp_path, sample, lambda document: document[part][key].pop(field))
    with pytest.raises(InputError) as caught:
        read_seal_json(path)
    where = f'{part}[{json.dumps(key)}]'
    assert str(caught.value).startswith(f"{path}: {where}: '{field}' is missing [record]")


@pytest.mark.parametrize(
    'part, key, field, value, cause',
    [
        ('videos', 'street', 'width', '100', 'width must be a whole number, not "100"'),
        ('videos', 'street', 'num_frames', 40.5, 'num_frames must be a whole number, not 40.5'),
        ('videos', 'street', 'num_frames', True, 'num_frames must be a whole number, not true'),
        ('videos', 'street', 'num_frames', float('inf'), 'num_frames must be a whole number, not Infinity'),
        ('videos', 'street', 'fps', None, 'fps must be a number, not null'),
        ('videos', 'street', 'source', 7, 'source must be a text, not 7'),
        ('videos', 'street', 'shots', [[0, 10, 20]], 'shots must be two frames, not [0, 10, 20]'),
        ('videos', 'street', 'shots', [[0, 1.5]], 'shots must be a whole number, not 1.5'),
        ('videos', 'street', 'shots', 3, 'cannot be read'),
        ('tubelets', 'street.1', 'person_id', [1], 'person_id must be a whole number, not [1]'),
        ('tubelets', 'street.1', 'frame_range', 5, 'frame_range must be two frames, not 5'),
        ('tubelets', 'street.1', 'origin', [1], 'origin must be a text, not 1'),
        ('tubelets', 'street.1', 'stage', 'four', 'stage must be a whole number, not "four"'),
        ('aa', 1, 'label', '3', 'label must be a whole number, not "3"'),
        ('aa', 1, 'label', 10**30, 'label is out of range'),
        ('aa', 1, 'start', 'now', 'start must be a number, not "now"'),
        ('aa', 1, 'group', None, 'group must be a text, not null'),
        ('aa', 1, 'tid', 2, 'tid must be a text, not 2'),
        ('ca', 0, 'end', [], 'end must be a number, not []'),
    ],
)
def test_a_value_of_another_type_is_told(tmp_path, sample, part, key, field, value, cause):
    path = edited(tmp_path, sample, lambda document: document[part][key].update({field: value}))
    with pytest.raises(InputError) as caught:
        read_seal_json(path)
    message = str(caught.value)
    assert message.startswith(f'{path}: {part}[{json.dumps(key)}]: ') and cause in message and '\n' not in message


@pytest.mark.parametrize('value', [None, 3, 'x', [], [1]])
def test_a_record_that_is_no_object_is_told(tmp_path, sample, value):
    for part, key in (('videos', 'street'), ('tubelets', 'street.1'), ('aa', 0), ('ca', 0)):

        def put(document, part=part, key=key):
            document[part][key] = value

        path = edited(tmp_path, sample, put)
        with pytest.raises(InputError) as caught:
            read_seal_json(path)
        assert f'{part}[{json.dumps(key)}]: ' in str(caught.value)


@pytest.mark.parametrize('field, rule', [('fps', 'video-fps'), ('duration', 'video-length')])
def test_nan_in_a_film_is_refused(tmp_path, sample, field, rule):
    path = edited(tmp_path, sample, lambda document: document['videos']['park'].update({field: float('nan')}))
    assert 'NaN' in path.read_text()
    with pytest.raises(InputError, match=rf'videos\["park"\]: .*\[{rule}\]'):
        read_seal_json(path)


def test_nan_in_an_instance_is_refused(tmp_path, sample):
    path = edited(tmp_path, sample, lambda document: document['aa'][2].update(end=float('nan')))
    with pytest.raises(InputError, match=r'aa\[2\]: the segment is 0\.0 to nan s \[not-a-number\]'):
        read_seal_json(path)


@pytest.mark.parametrize('where', ['start', 'fps'])
def test_nan_is_not_written_and_the_old_file_stays(tmp_path, sample, where):
    write_seal_json(sample, tmp_path / 'train.json')
    before = {name: (tmp_path / name).read_bytes() for name in ('train.json', 'train_boxes.npz')}
    if where == 'start':
        sample.aa.start_s[0] = np.nan
    else:
        sample.videos['street'] = replace(sample.videos['street'], fps=np.inf)
    with pytest.raises(InputError, match=r'train\.json: not written, a number is not finite'):
        write_seal_json(sample, tmp_path / 'train.json')
    assert {name: (tmp_path / name).read_bytes() for name in before} == before


def test_an_id_that_stands_twice_is_refused(tmp_path, sample):
    write_seal_json(sample, tmp_path / 'train.json')
    path = tmp_path / 'train.json'
    path.write_text(path.read_text().replace('"park": {', '"street": {'))
    with pytest.raises(InputError, match=r'train\.json: "street": the ID stands twice in the file \[duplicate-id\]'):
        read_seal_json(path)


def test_every_cut_of_the_file_is_refused_in_one_line(tmp_path, sample):
    path = tmp_path / 'train.json'
    write_seal_json(sample, path)
    whole = path.read_text()
    for length in range(0, len(whole.rstrip()), 41):
        path.write_text(whole[:length])
        with pytest.raises(InputError, match=r'train\.json:\d+: is (empty|not JSON, or is cut off)') as caught:
            read_seal_json(path)
        assert '\n' not in str(caught.value)


@pytest.mark.parametrize(
    'text, cause',
    [
        ('[]', 'must be an object'),
        ('{"tubelets": {}}', '"videos" is missing'),
        ('{"videos": {}, "tubelets": []}', 'tubelets: must be an object'),
        ('{"videos": {}, "tubelets": {}, "aa": {}}', 'aa: must be a list'),
        ('{"version": "seal-2", "videos": {}, "tubelets": {}}', 'version: must be "seal-1", not "seal-2"'),
        ('{"version": 1, "videos": {}, "tubelets": {}}', 'version: must be "seal-1", not 1'),
        ('{"boxes": 3, "videos": {}, "tubelets": {}}', 'boxes: must be a text'),
        ('{"boxes": "other/b.npz", "videos": {}, "tubelets": {}}', 'boxes: must be the name of a file beside'),
        ('{"boxes": "", "videos": {}, "tubelets": {}}', 'boxes: must be the name of a file beside'),
        ('{"boxes": "..", "videos": {}, "tubelets": {}}', 'boxes: must be the name of a file beside'),
        ('{"videos": {}, "tubelets": {}}', 'x_boxes.npz: cannot be read'),
        ('[' * 100_000, 'is nested too deeply'),
    ],
)
def test_a_document_of_another_form_is_refused(tmp_path, text, cause):
    (tmp_path / 'x.json').write_text(text)
    with pytest.raises(InputError) as caught:
        read_seal_json(tmp_path / 'x.json')
    assert cause in str(caught.value) and '\n' not in str(caught.value)


def test_a_file_that_is_missing_or_no_text_is_refused(tmp_path):
    with pytest.raises(InputError, match='cannot be read'):
        read_seal_json(tmp_path / 'x.json')
    (tmp_path / 'x.json').write_bytes(b'\xff\xfe\x00')
    with pytest.raises(InputError, match='is not a UTF-8 text file'):
        read_seal_json(tmp_path / 'x.json')


def test_the_first_finding_is_told_with_the_number_of_the_others(tmp_path, sample):
    def edit(document):
        document['videos']['park']['fps'] = 0
        document['aa'][0]['end'] = 0.25
        del document['aa'][1]['tid']

    with pytest.raises(InputError) as caught:
        read_seal_json(edited(tmp_path, sample, edit))
    assert str(caught.value).endswith("aa[1]: 'tid' is missing [record] (and 2 more)")


def test_findings_collect_everything_and_reading_goes_on(tmp_path, sample):
    def edit(document):
        document['videos']['park'] = 'no film'
        document['tubelets']['street.2']['person_id'] = 'two'
        document['aa'][0]['end'] = 0.25
        del document['aa'][1]['tid']

    findings = []
    found = read_seal_json(edited(tmp_path, sample, edit), findings=findings)
    assert [(finding.row, finding.rule) for finding in findings] == [
        ('videos["park"]', 'record'),
        ('tubelets["street.2"]', 'record'),
        ('aa[1]', 'record'),
        ('aa[0]', 'reversed-segment'),
        ('aa[2]', 'unknown-tubelet'),  # the third record of the file, though only two were read
    ]
    assert list(found.videos) == ['street'] and list(found.tubelets) == ['street.1'] and len(found.aa) == 2
    assert all(finding.file == found.name for finding in findings)


def test_numbers_of_numpy_are_written_as_numbers(tmp_path, sample):
    tid = next(iter(sample.tubelets))
    first, end = sample.tubelets[tid].frame_range
    numpy_range = (np.int64(first), np.int32(end))
    changed = SEALAnnotations(
        sample.videos,
        {**sample.tubelets, tid: replace(sample.tubelets[tid], frame_range=numpy_range)},
        sample.aa,
        sample.ca,
        sample.boxes,
    )
    write_seal_json(changed, tmp_path / 'numpy.json')
    same(read_seal_json(tmp_path / 'numpy.json'), sample)
