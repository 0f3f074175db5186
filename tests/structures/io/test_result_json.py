import copy
import json

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings
from results import assert_same, through, video_results

from mmtube.errors import InputError
from mmtube.structures import Link, Segment, StageReport, Tube, VideoInfo, VideoResult
from mmtube.structures.io import read_result_json, result_schema, write_result_json

SCHEMA = jsonschema.Draft202012Validator(result_schema())


def film():
    tube = Tube(
        3,
        [0, 2],
        [0.0, 0.08],
        [[0.1, 0, 4, 8], [1, 0, 5, 8]],
        scores=[0.9, 0.5],
        observed=[True, False],
        clip_times_s=[1.0],
        clip_scores=[[0.25, 0.75]],
        embedding=[0.6, 0.8],
        segments=[Segment(0.5, 1.5, 1, 0.5, 'complex')],
    )
    return VideoResult(
        VideoInfo('film.mp4', 64, 48, 25.0, 3, 0.12),
        [tube],
        shots=[(0, 3)],
        links=[Link(3, 5, 0.1, 2.0, 'alike')],
        stages=[StageReport('detect', 'run')],
        label_maps={'complex': ['cook', 'eat']},
    )


@pytest.fixture
def document(tmp_path):
    write_result_json(film(), tmp_path / 'film.json')
    return json.loads((tmp_path / 'film.json').read_text())


def read(document, tmp_path):
    (tmp_path / 'changed.json').write_text(json.dumps(document))
    return read_result_json(tmp_path / 'changed.json')


@given(video_results())
def test_everything_comes_back_bit_for_bit(result):
    assert_same(through(write_result_json, read_result_json, result), result)


@settings(max_examples=20)
@given(video_results())
def test_what_is_written_obeys_the_published_schema(result):
    document = through(write_result_json, lambda path: json.loads(path.read_text(encoding='utf-8')), result)
    SCHEMA.validate(document)


def test_the_schema_itself_is_valid():
    jsonschema.Draft202012Validator.check_schema(result_schema())


def test_a_file_name_that_is_not_unicode_comes_back(tmp_path):
    result = VideoResult(VideoInfo('fil\udce9.mp4', 64, 48, 25.0, 0, 0.0))
    assert_same(through(write_result_json, read_result_json, result), result)


def test_each_array_is_one_line_with_the_fewest_digits(tmp_path):
    write_result_json(film(), tmp_path / 'film.json')
    lines = [line.strip() for line in (tmp_path / 'film.json').read_text().splitlines()]
    assert '"boxes_px": [[0.1, 0.0, 4.0, 8.0], [1.0, 0.0, 5.0, 8.0]],' in lines
    assert '{"task": "complex", "label": 1, "start_s": 0.5, "end_s": 1.5, "score": 0.5}' in lines
    assert '"complex": ["cook", "eat"]' in lines


def test_keys_of_later_versions_are_ignored(document, tmp_path):
    document['tubes'][0]['mood'] = 'good'
    assert_same(read(document, tmp_path), film())


BROKEN = {
    'other format': (('format',), 'coco', 'is not a result of this library'),
    'newer version': (('version',), 2, 'version: is 2, this reader knows version 1'),
    'width as text': (('video', 'width'), '64', 'video.width: must hold numbers only'),
    'negative width': (('video', 'width'), -1, 'video.width: must be at least 0'),
    'half a frame': (('video', 'num_frames'), 2.5, 'video.num_frames: is not a whole number'),
    'tubes not a list': (('tubes',), {}, 'tubes: must be a list'),
    'three numbers in a box': (('tubes', 0, 'boxes_px', 1), [1, 0, 5], 'tubes[0].boxes_px[1]: has 3 numbers, not 4'),
    'a box that is a number': (('tubes', 0, 'boxes_px', 1), 7, 'tubes[0].boxes_px[1]: must be a list'),
    'text in a box': (('tubes', 0, 'boxes_px', 1, 2), 'x', 'tubes[0].boxes_px: must hold numbers only'),
    'null score': (('tubes', 0, 'scores', 0), None, 'tubes[0].scores: must hold numbers only'),
    'observed as number': (('tubes', 0, 'observed'), [1, 0], 'tubes[0].observed: must hold true and false only'),
    'nested scores': (('tubes', 0, 'scores'), [[1.0], [1.0]], 'tubes[0].scores: must be N, not 2 x 1'),
    'negative label': (('tubes', 0, 'segments', 0, 'label'), -1, 'tubes[0].segments[0].label: must be at least 0'),
    'unknown task': (('tubes', 0, 'segments', 0, 'task'), 'other', 'tubes[0].segments[0]: segment task must be one of'),
    'unknown state': (('stages', 0, 'state'), 'ran', 'stages[0]: state must be one of'),
    'failed without reason': (('stages', 0, 'state'), 'failed', 'stages[0]: stage detect was failed: a reason'),
    'names not a list': (('label_maps', 'complex'), 'cook', 'label_maps["complex"]: must be a list'),
    'name not a text': (('label_maps', 'complex', 1), 5, 'label_maps["complex"][1]: must be a text'),
    'shot of three': (('shots', 0), [0, 1, 2], 'shots[0]: has 3 numbers, not 2'),
    'negative shot': (('shots', 0), [-1, 2], 'shots: a shot begins before frame 0'),
    'embedding as text': (('tubes', 0, 'embedding'), 'abc', 'tubes[0].embedding: must hold numbers only'),
}


@pytest.mark.parametrize('place, value, cause', BROKEN.values(), ids=BROKEN)
def test_schema_and_reader_refuse_what_is_broken_and_the_reader_says_where(document, tmp_path, place, value, cause):
    *parents, last = place
    target = document
    for key in parents:
        target = target[key]
    target[last] = value
    with pytest.raises(jsonschema.ValidationError):
        SCHEMA.validate(document)
    with pytest.raises(InputError) as caught:
        read(document, tmp_path)
    assert f'changed.json: {cause}' in str(caught.value)
    assert '\n' not in str(caught.value)


# What a schema cannot say.
INCONSISTENT = {
    'one score too many': (('tubes', 0, 'scores'), [1, 1, 1], 'tubes[0]: scores must have shape (2,), got (3,)'),
    'frames out of order': (('tubes', 0, 'frame_inds'), [2, 0], 'tubes[0]: frame_inds of tube 3 must be'),
    'flat box': (('tubes', 0, 'boxes_px', 0), [1, 1, 1, 5], 'tubes[0]: tube 3 has a box'),
    'reversed segment': (('tubes', 0, 'segments', 0, 'end_s'), 0.1, 'tubes[0].segments[0]: segment ends at 0.1 s'),
    'too large for float32': (('tubes', 0, 'boxes_px', 1, 2), 1e39, 'tubes[0].boxes_px[1][2]: is out of range'),
    'reversed shot': (('shots', 0), [5, 2], 'shots: a shot begins before frame 0 or ends before it begins'),
}


@pytest.mark.parametrize('place, value, cause', INCONSISTENT.values(), ids=INCONSISTENT)
def test_the_reader_refuses_what_contradicts_itself(document, tmp_path, place, value, cause):
    *parents, last = place
    target = document
    for key in parents:
        target = target[key]
    target[last] = value
    with pytest.raises(InputError) as caught:
        read(document, tmp_path)
    assert f'changed.json: {cause}' in str(caught.value)


def test_two_tubes_with_one_id_are_refused(document, tmp_path):
    document['tubes'].append(copy.deepcopy(document['tubes'][0]))
    with pytest.raises(InputError, match=r'tubes\[1\]\.track_id: 3 is used twice'):
        read(document, tmp_path)


def all_keys(value, place=()):
    if isinstance(value, dict):
        for key in value:
            yield place, key
            yield from all_keys(value[key], (*place, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from all_keys(item, (*place, index))


def test_every_key_is_required_by_schema_and_reader(document, tmp_path):
    keys = [(place, key) for place, key in all_keys(document) if place != ('label_maps',)]
    assert len(keys) > 30
    for place, key in keys:
        broken = copy.deepcopy(document)
        target = broken
        for step in place:
            target = target[step]
        del target[key]
        assert not SCHEMA.is_valid(broken), (place, key)
        with pytest.raises(InputError, match=f'"{key}"'):
            read(broken, tmp_path)


def test_a_file_cut_off_anywhere_is_refused_in_one_line(tmp_path):
    write_result_json(film(), tmp_path / 'film.json')
    text = (tmp_path / 'film.json').read_text().rstrip()
    for length in range(len(text)):
        (tmp_path / 'cut.json').write_text(text[:length])
        with pytest.raises(InputError) as caught:
            read_result_json(tmp_path / 'cut.json')
        assert '\n' not in str(caught.value)
    (tmp_path / 'cut.json').write_text(text[:-30])
    with pytest.raises(InputError, match='is cut off'):
        read_result_json(tmp_path / 'cut.json')


@pytest.mark.parametrize('column', ['scores', 'clip_scores', 'embedding', 'times_s'])
def test_a_number_that_is_not_finite_is_not_written(tmp_path, column):
    result = film()
    getattr(result.tubes[0], column)[:] = np.nan
    with pytest.raises(InputError, match=f'{column} of tube 3 has a number that is not finite'):
        write_result_json(result, tmp_path / 'film.json')
    assert not (tmp_path / 'film.json').exists()


def test_nan_in_a_file_is_refused(tmp_path):
    (tmp_path / 'film.json').write_text('{"format": "mmtube-result", "version": NaN}')
    with pytest.raises(InputError, match='holds NaN'):
        read_result_json(tmp_path / 'film.json')
