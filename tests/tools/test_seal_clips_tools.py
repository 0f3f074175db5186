"""Clips as files, and the semantic cycle, as commands."""

import csv
import json

import cv2
import numpy as np
import pytest

from mmtube.datasets.clip_index import clip_index
from mmtube.structures.seal import (
    BoxTable,
    InstanceTable,
    LabelMap,
    SEALAnnotations,
    TubeletRecord,
    VideoRecord,
    read_class_rank,
    read_label_map,
    read_seal_json,
    write_label_map,
    write_seal_json,
)

BUILD, CYCLE = 'tools/data/seal/build_clips.py', 'tools/data/seal/confusion_cycle.py'
MAP = LabelMap('atomic', ('walk', 'stroll', 'lift'), {'pose': (0, 2), 'pp': (2, 2), 'po': (2, 3)})


def write_set(folder, name='train', labels=(0, 2), seconds=4):
    """A film of 100x50 pixels at 10 fps with two people: the first does ``labels`` all the time, the second nothing."""
    count = 10 * seconds
    boxes = np.tile(np.float32([10, 5, 30, 45]), (count, 1))
    boxes[:, [0, 2]] += np.arange(count)[:, None] % 40
    other = np.tile(np.float32([65, 5, 85, 45]), (count, 1))
    vid = f'v_{name}'
    annotations = SEALAnnotations(
        {vid: VideoRecord('web', 100, 50, 10.0, count, float(seconds), name)},
        {
            't1': TubeletRecord(vid, 3, (0, count), 't1'),
            't2': TubeletRecord(vid, 4, (0, count), 't2'),
        },
        InstanceTable.from_rows([('t1', label, MAP.group_of(label), 0.0, float(seconds)) for label in labels]),
        InstanceTable.from_rows([('t1', 0, '', 0.0, float(seconds))]),
        BoxTable.from_tracks(
            {
                't1': (range(count), boxes, np.ones(count), np.zeros(count)),
                't2': (range(count), other, np.ones(count), np.zeros(count)),
            }
        ),
    )
    write_seal_json(annotations, folder / f'{name}.json')
    return folder / f'{name}.json'


def rows_of(path):
    with open(path, newline='') as stream:
        return list(csv.reader(stream))


def test_clips_are_written_as_ava_csv(run_tool, tmp_path):
    path = write_set(tmp_path)
    done = run_tool(BUILD, path, '--out', tmp_path / 'clips')
    assert done.returncode == 0, done.stderr
    # Key times 1, 2 and 3 s; at 1 s the first person is at x = 10 + 10 to 30 + 10 of 100 pixels.
    rows = rows_of(tmp_path / 'clips' / 'train.csv')
    assert [row[:2] + row[6:] for row in rows] == [
        ['v_train', f'000{second}', action, '3'] for second in (1, 2, 3) for action in ('1', '3')
    ]
    assert rows[0][2:6] == ['0.2', '0.1', '0.4', '0.9'] and rows[2][2:6] == ['0.3', '0.1', '0.5', '0.9']
    people = rows_of(tmp_path / 'clips' / 'train_people.csv')
    assert [(row[1], row[6]) for row in people] == [(f'000{s}', p) for s in (1, 2, 3) for p in ('3', '4')]
    assert 'train: 3 clips, 3 with people, 6 person-clips, 6 boxes, 6 labels, 6 csv rows' in done.stdout
    assert read_class_rank(tmp_path / 'clips' / 'class_rank_atomic.json').order == (0, 2, 1)


def test_four_boxes_a_second_are_written_beside_the_same_key_frames(run_tool, tmp_path):
    path = write_set(tmp_path)
    for rate in (1, 4):
        done = run_tool(BUILD, path, '--out', tmp_path / str(rate), '--boxes-per-s', rate, '--label-rule', 'keytime')
        assert done.returncode == 0, done.stderr
    assert (tmp_path / '1' / 'train.csv').read_bytes() == (tmp_path / '4' / 'train.csv').read_bytes()
    with np.load(tmp_path / '4' / 'train_boxes4.npz', allow_pickle=False) as stored:
        assert stored['boxes_px'].shape == (6, 8, 4) and stored['valid'].all()
        assert stored['offset_s'].tolist() == [-0.875, -0.625, -0.375, -0.125, 0.125, 0.375, 0.625, 0.875]
        assert stored['tid'].tolist() == ['t1', 't2'] * 3 and stored['key_s'].tolist() == [1, 1, 2, 2, 3, 3]
        assert stored['labels'].tolist() == [0, 2] * 3 and stored['person_id'].tolist() == [3, 4] * 3


def test_a_frozen_rank_is_not_changed(run_tool, refused, tmp_path):
    out = tmp_path / 'clips'
    both = [write_set(tmp_path, 'train'), write_set(tmp_path, 'val', labels=(2,))]
    assert run_tool(BUILD, *both, '--out', out).returncode == 0
    assert read_class_rank(out / 'class_rank_atomic.json').order == (2, 0, 1)
    before = (out / 'train.csv').read_bytes()
    assert run_tool(BUILD, *both, '--out', out).returncode == 0, 'the same again is no change'
    message = refused(BUILD, both[0], '--out', out)
    assert 'class_rank_atomic.json' in message and 'frozen' in message
    assert (out / 'train.csv').read_bytes() == before


@pytest.mark.parametrize(
    ('args', 'cause'),
    [
        (['none.json'], 'none.json'),
        (['train.json', '--min-overlap', '0'], 'min_overlap'),
        (['train.json', 'train.json'], "two files are named 'train'"),
        (['train.json', '--label-map', 'map.json'], 'label 2 is not below 1 classes'),
    ],
)
def test_clips_that_cannot_be_built(refused, tmp_path, args, cause):
    write_set(tmp_path)
    write_label_map(LabelMap('atomic', ('walk',)), tmp_path / 'map.json')
    assert cause in refused(BUILD, *args, '--out', 'clips', cwd=tmp_path)


def predictions_of(path, out, seen):
    """Write what a model sees: ``seen`` maps a true class to the class that it scores 0.9."""
    index = clip_index(read_seal_json(path), num_classes=3)
    with open(out, 'w', newline='') as stream:
        for row, clip in enumerate(index.row_clips):
            labels = index.labels[index.label_offsets[row] : index.label_offsets[row + 1]]
            box = [value / size for value, size in zip(index.key_boxes_px[row].tolist(), (100, 50, 100, 50))]
            for label in labels.tolist():
                told = ','.join(map(repr, [index.key_s[clip].item(), *box, seen[label] + 1, 0.9]))
                stream.write(f'v_train,{told}\n')


def test_confused_classes_are_ranked_and_their_clips_queued(run_tool, tmp_path):
    path = write_set(tmp_path, labels=(0,), seconds=30)
    predictions_of(path, tmp_path / 'pred.csv', {0: 1})
    write_label_map(MAP, tmp_path / 'map.json')
    out = tmp_path / 'cycle'
    options = ['--min-support', '0', '--label-map', tmp_path / 'map.json', '--out', out]
    done = run_tool(CYCLE, '--gt', path, '--pred', tmp_path / 'pred.csv', *options)
    assert done.returncode == 0, done.stderr
    document = json.loads((out / 'confusion.json').read_text())
    assert document['person_clips'] == 29 and document['without_prediction'] == 29, 'the second person has no action'
    assert document['pairs'] == [
        dict(first='walk', second='stroll', rate=0.5, first_as_second=29, second_as_first=0, merge=True)
    ]
    assert document['confusion'] == [{'true': 'walk', 'predicted': 'stroll', 'samples': 29}]
    queue = rows_of(out / 'relabel_queue.csv')
    assert queue == [
        ['pair', 'video', 'tubelet', 'person_id', 'start_s', 'end_s', 'label', 'predicted', 'clips', 'score'],
        ['1', 'v_train', 't1', '3', '0.0', '30.0', 'walk', 'stroll', '29', '0.9'],
    ]
    assert cv2.imread(str(out / 'confusion.png')) is not None
    assert '1  0.50  walk / stroll, 29 + 0 person-clips: one class? (--merge)' in done.stdout


def test_a_model_that_is_right_confuses_nothing(run_tool, tmp_path):
    path = write_set(tmp_path, labels=(0, 2), seconds=30)
    predictions_of(path, tmp_path / 'pred.csv', {0: 0, 2: 2})
    done = run_tool(CYCLE, '--gt', path, '--pred', tmp_path / 'pred.csv', '--out', tmp_path / 'cycle')
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / 'cycle' / 'confusion.json').read_text())['pairs'] == []
    assert len(rows_of(tmp_path / 'cycle' / 'relabel_queue.csv')) == 1


def test_classes_are_merged_into_a_new_file(run_tool, refused, tmp_path):
    path = write_set(tmp_path, labels=(0, 1, 2))
    write_label_map(MAP, tmp_path / 'map.json')
    options = ['--label-map', tmp_path / 'map.json', '--out', tmp_path / 'cycle']
    done = run_tool(CYCLE, '--gt', path, '--merge', 'stroll=walk', *options)
    assert done.returncode == 0, done.stderr
    assert 'stroll is walk now, 1 instances were joined, 2 classes are left' in done.stdout
    assert read_label_map(tmp_path / 'cycle' / 'label_map_atomic.json').names == ('walk', 'lift')
    merged = read_seal_json(tmp_path / 'cycle' / 'train.json')
    assert merged.aa.labels.tolist() == [0, 1] and len(merged.boxes) == 80
    assert 'is there already' in refused(CYCLE, '--gt', path, '--merge', 'stroll=walk', *options)


@pytest.mark.parametrize(
    ('args', 'cause'),
    [
        ([], 'either --pred'),
        (['--pred', 'a.csv', '--merge', 'a=b'], 'either --pred'),
        (['--merge', 'walk'], '--label-map'),
        (['--merge', 'walk', '--label-map', 'map.json'], 'not of the form A=B'),
        (['--merge', 'walk=lift', '--label-map', 'map.json'], "of 'pose'"),
        (['--pred', 'none.csv'], 'none.csv'),
        (['--pred', 'other.csv'], "none of its films is in train.json, such as 'elsewhere'"),
    ],
)
def test_a_cycle_that_cannot_be_run(refused, tmp_path, args, cause):
    write_set(tmp_path)
    write_label_map(MAP, tmp_path / 'map.json')
    (tmp_path / 'other.csv').write_text('elsewhere,1,0.1,0.1,0.2,0.2,1,0.5\n')
    assert cause in refused(CYCLE, '--gt', 'train.json', '--out', 'cycle', *args, cwd=tmp_path)
