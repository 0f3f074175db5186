import json
from collections import Counter

import pytest
from hypothesis import given
from results import through, video_results

from mmtube.errors import InputError
from mmtube.structures import TASKS, Segment, Tube, VideoInfo, VideoResult
from mmtube.structures.io import read_activitynet_json, write_activitynet_json


def film(label_maps=None):
    segments = [Segment(1, 2, 0, 0.25), Segment(0, 4, 1, 0.5, 'complex'), Segment(2, 3.5, 1, 0.75)]
    tube = Tube(3, [0], [0.0], [[0, 0, 4, 8]], segments=segments)
    maps = {'atomic': ['walk', 'eat'], 'complex': ['cook', 'dine']} if label_maps is None else label_maps
    return VideoResult(VideoInfo('film.mp4', 64, 48, 25.0, 3, 0.12), [tube], label_maps=maps)


def best_first(segments):
    return sorted(segments, key=lambda segment: -segment.score)


@given(video_results())
def test_the_segments_of_both_tasks_come_back(result):
    back = through(write_activitynet_json, read_activitynet_json, result)
    assert [tube.track_id for tube in back.tubes] == [tube.track_id for tube in result.tubes]
    for one, two in zip(back.tubes, result.tubes):
        assert one.segments == best_first(two.segments)
    assert {task: back.label_maps[task] for task in TASKS if task in back.label_maps} == {
        task: names for task, names in result.label_maps.items() if task in TASKS
    }


def test_a_file_for_evaluation_has_one_task(tmp_path):
    write_activitynet_json(film(), tmp_path / 'film.json', task='atomic')
    document = json.loads((tmp_path / 'film.json').read_text())
    assert document == {
        'version': 'VERSION 1.3',
        'external_data': {},
        'label_maps': {'atomic': ['walk', 'eat']},
        'results': {
            'film#3': [
                {'label': 'eat', 'score': 0.75, 'segment': [2, 3.5], 'task': 'atomic'},
                {'label': 'walk', 'score': 0.25, 'segment': [1, 2], 'task': 'atomic'},
            ]
        },
    }
    with pytest.raises(ValueError, match='task must be one of'):
        write_activitynet_json(film(), tmp_path / 'film.json', task='clip')


def test_labels_without_a_map_come_back_by_number():
    back = through(write_activitynet_json, read_activitynet_json, film(label_maps={}))
    assert back.tubes[0].segments == best_first(film().tubes[0].segments)
    assert back.label_maps == {}


def plain(detection, name='film#3'):
    return {'version': 'VERSION 1.3', 'external_data': {}, 'results': {name: [detection]}}


def read(document, tmp_path, **options):
    (tmp_path / 'film.json').write_text(json.dumps(document))
    return read_activitynet_json(tmp_path / 'film.json', **options)


DETECTION = {'label': 'eat', 'score': 0.5, 'segment': [1.0, 2.0]}


def test_a_file_without_tasks_and_maps_is_read_with_the_names_that_occur(tmp_path):
    result = read(plain(DETECTION), tmp_path, task='complex')
    assert result.tubes[0].segments == [Segment(1, 2, 0, 0.5, 'complex')]
    assert result.label_maps == {'complex': ['eat']}
    assert (len(result.tubes[0]), result.video.name) == (0, 'film')


def test_label_maps_of_the_caller_number_the_classes(tmp_path):
    result = read(plain(DETECTION), tmp_path, label_maps={'atomic': ['walk', 'eat']})
    assert result.tubes[0].segments[0].label == 1
    with pytest.raises(InputError, match=r'results\["film#3"\]\[0\]\.label: \'eat\' is not in the label map of atomic'):
        read(plain(DETECTION), tmp_path, label_maps={'atomic': ['walk']})


def test_one_of_several_films_is_chosen(tmp_path):
    document = plain(DETECTION)
    document['results']['a#b#7'] = []
    assert [tube.track_id for tube in read(document, tmp_path, video_id='a#b').tubes] == [7]
    with pytest.raises(InputError, match='holds 2 films'):
        read(document, tmp_path)
    with pytest.raises(InputError, match='no tube of other'):
        read(document, tmp_path, video_id='other')


BAD = {
    'no score': ({'label': 'eat', 'segment': [1, 2]}, 'results["film#3"][0]: "score" is missing'),
    'label as number': ({**DETECTION, 'label': 3}, 'results["film#3"][0].label: must be a text'),
    'three times': ({**DETECTION, 'segment': [1, 2, 3]}, 'results["film#3"][0].segment: must be 2, not 3'),
    'reversed': ({**DETECTION, 'segment': [2, 1]}, 'results["film#3"][0]: segment ends at 1.0 s before it starts'),
    'unknown task': (
        {**DETECTION, 'task': 'clip'},
        'results["film#3"][0].label: \'eat\' is not in the label map of clip',
    ),
    'text': ('eat', 'results["film#3"][0]: must be an object'),
}


@pytest.mark.parametrize('detection, cause', BAD.values(), ids=BAD)
def test_a_bad_detection_is_named_by_its_place(tmp_path, detection, cause):
    with pytest.raises(InputError) as caught:
        read(plain(detection), tmp_path)
    assert f'film.json: {cause}' in str(caught.value)


def test_a_key_that_names_no_tube_is_refused(tmp_path):
    with pytest.raises(InputError, match='is not named <video>#<track id>'):
        read(plain(DETECTION, name='film'), tmp_path)
    with pytest.raises(InputError, match='"results" is missing'):
        read({}, tmp_path)


def test_a_label_map_with_one_name_for_two_classes_is_not_written(tmp_path):
    with pytest.raises(InputError, match="the label map atomic names 'walk' twice"):
        write_activitynet_json(film({'atomic': ['walk', 'walk']}), tmp_path / 'film.json')
    assert Counter(path.name for path in tmp_path.iterdir()) == {}
