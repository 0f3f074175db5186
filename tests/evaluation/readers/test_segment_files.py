import json

import numpy as np
import pytest

from mmtube.errors import InputError
from mmtube.evaluation.readers.segments import (
    clean_truth,
    read_activitynet_predictions,
    read_activitynet_truth,
    read_class_names,
)
from mmtube.evaluation.readers.video_names import agree_on_names, read_video_names, without_videos
from mmtube.structures.io import write_activitynet_json
from mmtube.structures.tube import Segment
from mmtube.structures.video_result import VideoInfo, VideoResult

TRUTH = {
    'database': {
        'v_b': {
            'subset': 'validation',
            'duration': 12.5,
            'annotations': [
                {'segment': [1, 2], 'label': 'run', 'label_id': 7},
                {'segment': [0, 9], 'label': 'Ambiguous'},
            ],
        },
        'v_a': {'subset': 'testing'},
        'v_c': {'subset': 'training', 'duration': None, 'annotations': [{'segment': [3, 4], 'label': 'jump'}]},
    }
}


@pytest.fixture
def write(tmp_path):
    def run(document, name='file.json'):
        (tmp_path / name).write_text(document if isinstance(document, str) else json.dumps(document))
        return tmp_path / name

    return run


def test_ground_truth_comes_in_columns_with_durations_and_places(write):
    truth, classes = read_activitynet_truth(write(TRUTH), 'validation', ['jump', 'run'], aside='Ambiguous')
    assert classes == ['jump', 'run'] and truth.videos == ['v_b']
    assert (truth.video.tolist(), truth.labels.tolist()) == ([0, 0], [1, -1])
    assert truth.segments_s.tolist() == [[1, 2], [0, 9]] and truth.durations_s.tolist() == [12.5]
    assert truth.place(1) == 'database["v_b"].annotations[1]'


def test_classes_are_those_of_all_subsets_sorted(write):
    assert read_activitynet_truth(write(TRUTH), 'all')[1] == ['Ambiguous', 'jump', 'run']
    assert read_activitynet_truth(write(TRUTH), 'validation', aside='Ambiguous')[1] == ['jump', 'run']


def test_a_label_aside_is_no_class_even_if_it_is_in_the_list(write):
    truth, classes = read_activitynet_truth(write(TRUTH), 'validation', ['Ambiguous', 'run'], aside='Ambiguous')
    assert classes == ['run'] and truth.labels.tolist() == [0, -1]


def test_all_takes_every_video_also_those_without_annotations(write):
    truth, _ = read_activitynet_truth(write(TRUTH), 'all')
    assert truth.videos == ['v_b', 'v_a', 'v_c']
    np.testing.assert_array_equal(truth.durations_s, [12.5, np.nan, np.nan])


def test_the_only_annotated_subset_is_taken(write):
    document = json.loads(json.dumps(TRUTH))
    del document['database']['v_c']
    assert read_activitynet_truth(write(document))[0].videos == ['v_b']


def test_durations_that_no_video_has_are_none(write):
    truth, _ = read_activitynet_truth(write({'x': {'annotations': [{'segment': [0, 1], 'label': 'run'}]}}))
    assert truth.durations_s is None and truth.place(0) == '"x".annotations[0]'


def test_predictions_of_another_task_are_passed_over_and_rows_keep_their_place(write):
    rows = [
        {'segment': [0, 1], 'label': 'walk', 'score': 0.5, 'task': 'complex'},
        {'segment': [0, 2], 'label': 'walk', 'score': 0.25, 'task': 'atomic'},
        {'segment': [0, 3], 'label': 0, 'score': 0.125},
    ]
    path = write({'results': {'t': rows, 'empty': []}})
    found = read_activitynet_predictions(path, ['walk'], task='atomic', numbers=True)
    assert found.segments_s[:, 1].tolist() == [2, 3] and found.scores.tolist() == [0.25, 0.125]
    assert (found.place(0), found.place(1), found.videos) == ('results["t"][1]', 'results["t"][2]', ['t', 'empty'])
    with pytest.raises(InputError, match=r'results\["t"\]\[2\]: label 0 is none of 1 classes'):
        read_activitynet_predictions(path, ['walk'], task='atomic')


def test_what_the_pipeline_writes_is_read(tmp_path, write):
    from mmtube.structures.io._common import tube_without_boxes

    tube = tube_without_boxes(3, [Segment(0.5, 2.0, 1, 0.75, 'atomic'), Segment(0.0, 9.0, 0, 0.5, 'complex')])
    info = VideoInfo('film.mp4', 100, 50, 10.0, 90, 9.0)
    write_activitynet_json(VideoResult(info, [tube], label_maps={'atomic': ['run', 'walk']}), tmp_path / 'out.json')
    found = read_activitynet_predictions(tmp_path / 'out.json', ['run', 'walk'], task='atomic')
    assert found.videos == ['film#3'] and found.labels.tolist() == [1] and found.segments_s.tolist() == [[0.5, 2.0]]


@pytest.mark.parametrize(
    'text, cause',
    [
        ('', r'file.json:1: is empty'),
        ('{"results": {"a": [', r'is not JSON, or is cut off'),
        ('{"results": {"a": [], "a": []}}', r'"a": stands twice in one object'),
        ('{"result": {}}', r'"results" is missing'),
        ('{"results": []}', r'results: must be an object'),
        ('{"results": {"a": [3]}}', r'results\["a"\]\[0\]: must be an object'),
        (
            '{"results": {"a": [{"segment": [0, true], "label": "x", "score": "no"}]}}',
            r'segment\[1\]: must be a number',
        ),
        (
            '{"results": {"a": [{"segment": [0, 1], "label": ["x"], "score": 1}]}}',
            r'label \["x"\] is none of 1 classes',
        ),
        ('{"results": {"a": [{"segment": [0, 1], "label": "x", "score": 1}, {}]}}', r'\[1\]: "segment" is missing'),
        ('[' * 100000, 'is nested too deeply'),
        ('{"results": {"a": [{"segment": [0, 1], "label": "x", "score": "0.9"}]}}', r'\[0\].score: must be a number'),
        ('{"results": {"a": [{"segment": [0, 1], "label": "x", "score": true}]}}', r'\[0\].score: must be a number'),
        ('{"results": {"a": [{"segment": [0, 1], "label": "x", "score": null}]}}', r'\[0\].score: must be a number'),
        ('{"results": {"a": [{"segment": ["0", 1], "label": "x", "score": 1}]}}', r'segment\[0\]: must be a number'),
        ('{"results": {"a": [{"segment": [0, 1' + '0' * 400 + '], "label": "x", "score": 1}]}}', 'too large a number'),
        ('{"results": {"a": [{"segment": [0, 1e400], "label": "x", "score": 1}]}}', 'time is not a finite number'),
    ],
)
def test_a_file_of_predictions_of_another_form_is_refused(write, text, cause):
    with pytest.raises(InputError, match=cause) as error:
        read_activitynet_predictions(write(text), ['x'])
    assert '\n' not in str(error.value)


def test_class_names_come_from_lines_lists_and_label_maps(write):
    assert read_class_names(write('run\n\n long jump \n', 'a.txt')) == ['run', 'long jump']
    assert read_class_names(write(['run', 'jump'], 'b.json')) == ['run', 'jump']
    assert read_class_names(write({'names': ['run']}, 'c.json')) == ['run']
    for text, cause in (('\n', 'names no class'), ('run\njump\nrun\n', "names class 'run' twice")):
        with pytest.raises(InputError, match=cause):
            read_class_names(write(text, 'd.txt'))


def test_names_of_videos_come_from_lines_lists_and_keys(write):
    assert read_video_names(write('a\nb\n', 'a.txt')) == {'a', 'b'}
    assert read_video_names(write(['a', 'b'], 'b.json')) == {'a', 'b'}
    assert read_video_names(write({'a': 'gone'}, 'c.json')) == {'a'}
    with pytest.raises(InputError, match='names no video'):
        read_video_names(write('', 'd.txt'))


def test_leaving_out_videos_keeps_rows_durations_and_places_together(write):
    truth, _ = read_activitynet_truth(write(TRUTH), 'all')
    rest = without_videos(truth, ['b', 'v_a'])
    assert rest.videos == ['v_c'] and rest.video.tolist() == [0] and rest.segments_s.tolist() == [[3, 4]]
    assert np.isnan(rest.durations_s).tolist() == [True] and rest.place(0) == 'database["v_c"].annotations[0]'


def test_names_that_would_become_one_stay_apart(write):
    notes = [{'segment': [0, 1], 'label': 'run'}]
    truth, classes = read_activitynet_truth(
        write({'v_a': {'annotations': notes}, 'a': {'annotations': notes}}, 'gt.json')
    )
    found = read_activitynet_predictions(write({'results': {'v_v_a': []}}), classes)
    assert agree_on_names(truth, found)[0].videos == ['v_a', 'a']


def test_clean_ground_truth_stays_as_it_is(write):
    truth, classes = read_activitynet_truth(write(TRUTH), 'validation')
    cleaned, notes = clean_truth(truth, len(classes), dedup=True)
    assert cleaned is truth and notes == []
