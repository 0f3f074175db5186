import pickle

import numpy as np
import pytest

from mmtube.errors import InputError
from mmtube.evaluation.readers.tube_files import (
    classes_beside,
    people_of_annotations,
    read_people,
    read_tube_pickle,
)
from mmtube.structures import Segment, Tube, VideoInfo, VideoResult
from mmtube.structures.io import write_result_json
from mmtube.structures.seal import (
    BoxTable,
    InstanceTable,
    LabelMap,
    SEALAnnotations,
    TubeletRecord,
    VideoRecord,
    seal_label_map,
    write_label_map,
    write_seal_json,
)

CLASSES = ['walk', 'hug', 'lift']
ROWS = np.array([[4, 0, 0, 10, 10], [5, 1, 1, 11, 11]], np.float32)


def dump(path, document):
    path.write_bytes(pickle.dumps(document))
    return path


def result(name='film.mp4', segments=((0.0, 0.2, 1, 0.5),), names=(), track_id=7):
    tube = Tube(track_id, [0, 1, 2], [0.0, 0.1, 0.2], [[0, 0, 4, 8]] * 3)
    tube.segments = [Segment(*segment) for segment in segments]
    tube.segments.append(Segment(0.0, 0.2, 150, 0.9, task='complex'))
    maps = {'atomic': list(names)} if names else {}
    return VideoResult(VideoInfo(name, 20, 10, 10.0, 3, 0.3), [tube], label_maps=maps)


def test_tubes_of_a_pickle_are_read_by_number_or_name_of_the_class(tmp_path):
    wide = np.column_stack([ROWS, [0.3, 0.4]])
    document = {1: [('b', 0.5, ROWS)], 'lift': [['a', np.float32(0.25), wide.tolist()], ('b', 1, ROWS)], 0: []}
    table = read_tube_pickle(dump(tmp_path / 'pred.pkl', document), CLASSES)
    assert [table.videos[video] for video in table.video] == ['b', 'a', 'b']
    assert table.labels.tolist() == [1, 2, 2] and table.scores.tolist() == [0.5, 0.25, 1.0]
    assert table.offsets.tolist() == [0, 2, 4, 6] and table.frames.tolist() == [4, 5] * 3
    assert table.boxes_px[3].tolist() == [1, 1, 11, 11]


def test_a_list_has_a_list_for_each_class_and_an_empty_one_is_legal(tmp_path):
    assert read_tube_pickle(dump(tmp_path / 'a.pkl', [[], [('b', 0.5, ROWS)]]), CLASSES).labels.tolist() == [1]
    assert len(read_tube_pickle(dump(tmp_path / 'b.pkl', {}), CLASSES)) == 0


@pytest.mark.parametrize(
    ('document', 'cause'),
    [
        ('tubes', 'must be a dict or list with the tubes of each class'),
        ({5: []}, '[5]: is none of the 3 classes'),
        ({'swim': []}, "['swim']: is none of the 3 classes"),
        ({0: 3}, '[0]: must be a list of tubes'),
        ({0: [('a', 0.5)]}, '[0][0]: a predicted tube is (video, score, rows)'),
        ({0: [('a', 'much', ROWS)]}, "[0][0]: could not convert string to float: 'much'"),
        ({0: [('a', 0.5, ROWS), ('a', 0.5, ROWS[:, :4])]}, '[0][1]: rows must be (n, 5) or (n, 6)'),
        ({0: [('a', 0.5, ROWS * np.nan)]}, '[0][0]: a number is not finite'),
        ({0: [('a', 0.5, ROWS + 0.5)]}, '[0][0]: a frame is no whole number'),
        ({0: [('a', 0.5, ROWS[::-1])]}, '[0][0]: its frames do not increase'),
        ({0: [('a', 0.5, ROWS[:0])]}, '[0][0]: the tube has no box'),
        ({0: [('a', np.nan, ROWS)]}, '[0][0]: the score is not a finite number'),
    ],
)
def test_a_pickle_that_is_wrong_is_refused_with_the_place(document, cause, tmp_path):
    path = dump(tmp_path / 'pred.pkl', document)
    with pytest.raises(InputError) as told:
        read_tube_pickle(path, CLASSES)
    assert str(told.value).startswith(f'{path}: {cause}')


def test_results_give_people_with_the_actions_of_the_task(tmp_path):
    write_result_json(result(), tmp_path / 'film.json')
    (someone,) = read_people(tmp_path / 'film.json', 'atomic', ['film'], CLASSES)
    assert (someone.video, someone.person) == ('film', 7)
    assert someone.segments_s.tolist() == [[0, 0.2]] and someone.labels.tolist() == [1] and someone.scores == [0.5]
    assert someone.places == ['film.json: tubes[0].segments[0]']
    (complex_,) = read_people(tmp_path, 'complex', ['film'], [f'c{number}' for number in range(200)])
    assert complex_.labels.tolist() == [150]


def test_classes_of_results_are_matched_by_name_where_both_have_names(tmp_path):
    write_result_json(result(names=('run', 'lift')), tmp_path / 'film.json')
    (someone,) = read_people(tmp_path, 'atomic', ['film'], CLASSES)
    assert someone.labels.tolist() == [2]


def test_a_class_that_the_truth_does_not_know_is_refused(tmp_path):
    write_result_json(result(names=('walk', 'swim')), tmp_path / 'film.json')
    with pytest.raises(InputError, match=r"film.json: tubes\[0\].segments\[0\]: the class 'swim' is none of the 3"):
        read_people(tmp_path, 'atomic', ['film'], CLASSES)
    with pytest.raises(InputError, match="the class 'complex 150' is none of the 3"):
        read_people(tmp_path, 'complex', ['film'], CLASSES)


def test_a_film_is_the_one_whose_name_ends_so(tmp_path):
    write_result_json(result('v_1.mp4'), tmp_path / 'v_1' / 'result.json')
    assert read_people(tmp_path, 'atomic', ['tennis/v_1', 'tennis/v_2'], CLASSES)[0].video == 'tennis/v_1'
    assert read_people(tmp_path, 'atomic', ['v_1', 'tennis/v_1'], CLASSES)[0].video == 'v_1'
    assert read_people(tmp_path, 'atomic', ['other'], CLASSES)[0].video == 'v_1'


def test_of_two_films_that_end_alike_the_folder_tells(tmp_path):
    videos = ['tennis/v_1', 'chess/v_1']
    write_result_json(result('v_1.mp4'), tmp_path / 'chess' / 'v_1.json')
    write_result_json(result('v_1.mp4', track_id=2), tmp_path / 'tennis' / 'v_1' / 'result.json')
    found = read_people(tmp_path, 'atomic', videos, CLASSES)
    assert [(one.video, one.person) for one in found] == [('chess/v_1', 7), ('tennis/v_1', 2)]
    write_result_json(result('v_1.mp4'), tmp_path / 'v_1.json')
    with pytest.raises(InputError, match=r"v_1.json: 'v_1' may be any of \['tennis/v_1', 'chess/v_1'\]"):
        read_people(tmp_path, 'atomic', videos, CLASSES)


def test_a_second_result_of_a_film_and_a_folder_without_results_are_refused(tmp_path):
    with pytest.raises(InputError, match='has no result'):
        read_people(tmp_path, 'atomic', [], CLASSES)
    for name in ('one.json', 'two.json'):
        write_result_json(result(), tmp_path / name)
    with pytest.raises(InputError, match=r"two.json: is a second result of 'film', the first is .*one.json"):
        read_people(tmp_path, 'atomic', [], CLASSES)


def annotations():
    videos = {'film': VideoRecord('web', 20, 10, 10.0, 9, 0.9, 'val')}
    tubelets = {tid: TubeletRecord('film', person, (0, 3), tid) for tid, person in (('t1', 4), ('t2', 4), ('t3', 5))}
    boxes = BoxTable.from_tracks(
        {
            tid: (np.arange(first, first + 3), np.tile([0, 0, 4, 8], (3, 1)), np.ones(3), np.zeros(3))
            for tid, first in (('t1', 0), ('t2', 4), ('t3', 0))
        }
    )
    aa = InstanceTable.from_rows([('t2', 2, 'po', 0.4, 0.6), ('t1', 0, 'pose', 0.0, 0.2), ('t2', 1, 'pp', 0.5, 0.7)])
    return SEALAnnotations(videos, tubelets, aa, InstanceTable.from_rows([('t1', 9, '', 0.0, 0.3)]), boxes)


def test_tubelets_of_annotations_are_people_with_their_own_actions():
    people = people_of_annotations(annotations(), 'atomic')
    assert [one.person for one in people] == [4, 4, 5]
    assert [one.labels.tolist() for one in people] == [[0], [2, 1], []]
    assert people[1].frames.tolist() == [4, 5, 6] and people[1].places == ['aa[0]', 'aa[2]']
    np.testing.assert_allclose(people[1].times_s, [0.4, 0.5, 0.6])
    assert [one.labels.tolist() for one in people_of_annotations(annotations(), 'complex')] == [[9], [], []]


def test_annotations_are_predictions_too(tmp_path):
    write_seal_json(annotations(), tmp_path / 'val.json')
    people = read_people(tmp_path / 'val.json', 'atomic', ['film'], CLASSES)
    assert [one.labels.tolist() for one in people] == [[0], [2, 1], []]
    assert people[1].scores.tolist() == [1, 1]


def test_class_names_are_those_asked_for_then_those_beside_then_seals(tmp_path):
    assert classes_beside(tmp_path / 'val.json', 'complex') == list(seal_label_map('complex').names)
    write_label_map(LabelMap('atomic', tuple(CLASSES)), tmp_path / 'label_map_atomic.json')
    assert classes_beside(tmp_path / 'val.json', 'atomic') == CLASSES
    write_label_map(LabelMap('atomic', ('one',)), tmp_path / 'mine.json')
    assert classes_beside(tmp_path / 'val.json', 'atomic', tmp_path / 'mine.json') == ['one']
