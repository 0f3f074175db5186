"""Files of the ACT scripts."""

import pickle

import numpy as np
import pytest

from mmtube.errors import InputError
from mmtube.evaluation.readers.act_files import boxes_of_tubes, read_act_truth, read_flat_detections

TUBE = np.array([[3, 0, 0, 10, 20], [4, 1, 0, 11, 20]], np.float32)
ROWS = '# video,frame,label,score,x1,y1,x2,y2\n0,3,1,0.5,0,0,10,20\n1,4,0,0.25,1,2,3,4\n'


def write_truth(tmp_path, **changes):
    document = {
        'labels': ['run', 'jump'],
        'gttubes': {'b/v2': {1: [TUBE], 0: [TUBE + 1]}, 'other': {0: [TUBE]}},
        'test_videos': [['b/v2', 'a/v1'], ['other']],
        **changes,
    }
    path = tmp_path / 'gt.pkl'
    path.write_bytes(pickle.dumps(document, protocol=2))
    return path


def write_rows(tmp_path, text=ROWS):
    path = tmp_path / 'found.csv'
    path.write_text(text)
    return path


def test_tubes_of_the_test_videos_of_a_split(tmp_path):
    table, classes = read_act_truth(write_truth(tmp_path))
    assert table.videos == ['b/v2', 'a/v1'] and classes == ['run', 'jump']
    assert table.labels.tolist() == [1, 0] and table.video.tolist() == [0, 0]
    assert table.offsets.tolist() == [0, 2, 4] and table.frames.tolist() == [3, 4, 4, 5]
    assert table.boxes_px[0].tolist() == [0, 0, 10, 20]
    assert read_act_truth(write_truth(tmp_path), split=1)[0].videos == ['other']


def test_each_box_of_a_tube_is_a_row(tmp_path):
    boxes = boxes_of_tubes(read_act_truth(write_truth(tmp_path))[0])
    assert boxes.labels.tolist() == [1, 1, 0, 0] and boxes.frames.tolist() == [3, 4, 4, 5]
    with pytest.raises(InputError, match=r"gt.pkl: gttubes\['b/v2'\]\[0\]\[0\] frame 5: wrong"):
        boxes.refuse(boxes.frames == 5, 'wrong')


@pytest.mark.parametrize(
    ('changes', 'cause'),
    [
        (dict(gttubes={'b/v2': {7: [TUBE]}}), r"gttubes\['b/v2'\]\[7\]\[0\]: the label is none of 2"),
        (dict(gttubes={'b/v2': {0: [TUBE[:, :4]]}}), r'\[0\]\[0\]: a tube is \(n, 5\)'),
        (dict(gttubes={'b/v2': {0: [TUBE[:0]]}}), r'\[0\]\[0\]: the tube has no box'),
        (dict(gttubes={'b/v2': {0: [TUBE * np.nan]}}), 'a number is not finite'),
        (dict(gttubes={'b/v2': {0: [TUBE + 0.5]}}), 'a frame is no whole number'),
        (dict(gttubes={'b/v2': {0: [TUBE[::-1].copy()]}}), 'its frames do not increase'),
        (dict(gttubes={'b/v2': {0: [TUBE[:, [0, 3, 2, 1, 4]]]}}), 'a box is reversed'),
        (dict(gttubes={'b/v2': {0: [TUBE, TUBE + 1, TUBE]}}), r'\[0\]\[2\]: stands there twice'),
        (dict(gttubes={'b/v2': {'run': [TUBE]}}), r"\['run'\]\[0\]: invalid literal"),
        (dict(gttubes={'b/v2': [TUBE]}), 'is no dict of tubes'),
        (dict(labels=['run', 'run']), "names 'run' twice"),
        (dict(labels=None), "has no list 'labels'"),
        (dict(test_videos=['b/v2']), 'a list of videos for each split'),
        (dict(test_videos=[['a', 'a']]), "names 'a' twice"),
        (dict(test_videos=[]), 'has 0 splits, there is no split 0'),
    ],
)
def test_wrong_ground_truth_is_named(tmp_path, changes, cause):
    with pytest.raises(InputError, match=cause):
        read_act_truth(write_truth(tmp_path, **changes))


@pytest.mark.parametrize('form', ['csv', 'npy', 'names'])
def test_detections_of_three_forms_are_the_same(tmp_path, form):
    path = write_rows(tmp_path)
    if form == 'npy':
        path = tmp_path / 'found.npy'
        np.save(path, np.loadtxt(ROWS.splitlines(), delimiter=',').astype(np.float32))
    elif form == 'names':
        path = write_rows(tmp_path, ROWS.replace('\n0,', '\nb/v2,').replace('\n1,', '\na/v1,'))
    table = read_flat_detections(path, ['b/v2', 'a/v1'], 2)
    assert table.videos == ['b/v2', 'a/v1'] and table.video.tolist() == [0, 1]
    assert table.frames.tolist() == [3, 4] and table.labels.tolist() == [1, 0]
    assert table.scores.tolist() == [0.5, 0.25] and table.boxes.tolist() == [[0, 0, 10, 20], [1, 2, 3, 4]]


def test_names_may_be_numbers_and_may_be_unknown(tmp_path):
    text = '17,3,1,0.5,0,0,10,20\n23,3,1,0.5,0,0,10,20\n'
    table = read_flat_detections(write_rows(tmp_path, text), ['23', '99'], 2)
    assert table.videos == ['23', '99', '17'] and table.video.tolist() == [2, 0]
    with pytest.raises(InputError, match='line 1: there is no such video, the ground truth has 2'):
        read_flat_detections(write_rows(tmp_path, text), ['a', 'b'], 2)


def test_no_detections_are_legal(tmp_path):
    assert len(read_flat_detections(write_rows(tmp_path, ''), ['a'], 2)) == 0
    np.save(tmp_path / 'found.npy', np.zeros((0, 8)))
    assert len(read_flat_detections(tmp_path / 'found.npy', ['a'], 2)) == 0


@pytest.mark.parametrize(
    ('row', 'cause'),
    [
        ('2,3,1,0.5,0,0,10,20', 'there is no such video'),
        ('-1,3,1,0.5,0,0,10,20', 'there is no such video'),
        ('nan,3,1,0.5,0,0,10,20', 'there is no such video'),
        ('0.5,3,1,0.5,0,0,10,20', 'the video is no whole number'),
        ('0,3.5,1,0.5,0,0,10,20', 'the frame is no whole number'),
        ('0,3,inf,0.5,0,0,10,20', 'the label is no whole number'),
        ('0,3,2,0.5,0,0,10,20', 'the label is none of 2 classes'),
        ('0,3,-1,0.5,0,0,10,20', 'the label is none of 2 classes'),
        ('0,3,1,nan,0,0,10,20', 'the score is not a finite number'),
        ('0,3,1,0.5,0,0,inf,20', 'a coordinate is not a finite number'),
        ('0,3,1,0.5,10,0,0,20', 'the box is reversed'),
        ('0,3,1,0.5,0,0,10', 'has 7 columns'),
    ],
)
def test_a_wrong_detection_is_named_with_its_line(tmp_path, row, cause):
    with pytest.raises(InputError, match=f'found.csv: line 4: {cause}'):
        read_flat_detections(write_rows(tmp_path, ROWS + row + '\n'), ['a', 'b'], 2)


def test_an_array_of_another_form_is_refused(tmp_path):
    path = tmp_path / 'found.npy'
    for array in (np.zeros((3, 7)), np.zeros(8), np.array(['a'] * 8)[None]):
        np.save(path, array)
        with pytest.raises(InputError, match=r'must be \(N, 8\) numbers'):
            read_flat_detections(path, ['a'], 2)
    np.save(path, np.array([[0, 3, 5, 0.5, 0, 0, 1, 1]]))
    with pytest.raises(InputError, match='row 0: the label is none of 2'):
        read_flat_detections(path, ['a'], 2)
    np.save(path, np.array([{}], object), allow_pickle=True)
    with pytest.raises(InputError, match='is no npy of numbers'):
        read_flat_detections(path, ['a'], 2)
