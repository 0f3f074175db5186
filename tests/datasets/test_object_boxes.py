"""Objects of clips: which are taken, and that they come through the transforms of MMAction2."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from mmengine.registry import DefaultScope

from mmtube.datasets import AVAStyle, SEALClips
from mmtube.datasets.object_boxes import KeyMoments, ObjectBoxes
from mmtube.datasets.transforms import DecodeWindow, PackSEALClip
from mmtube.errors import InputError
from mmtube.registry import TRANSFORMS
from mmtube.structures.seal import BoxTable, SEALAnnotations, TubeletRecord, VideoRecord, write_seal_json

SAMPLE = dict(type='SampleSEALClip', clip_len=4, frame_interval=2)
PACK = [dict(type='mmaction.FormatShape', input_format='NCTHW', collapse=True), dict(type='PackSEALClip')]


def write_objects(path, tracks):
    """Write tracks ``name: (vid, frames, box, score)`` of boxes that stand still in a25 and b30."""
    videos = {
        'b30': VideoRecord('mini', 64, 48, 30.0, 180, 6.0, 'train'),
        'a25': VideoRecord('mini', 64, 48, 25.0, 150, 6.0, 'train'),
    }
    tubelets, boxes = {}, {}
    for number, (name, (vid, frames, box, score)) in enumerate(tracks.items()):
        tubelets[name] = TubeletRecord(vid, number, (int(frames[0]), int(frames[-1]) + 1), name)
        rows = np.tile(np.float32(box), (len(frames), 1))
        boxes[name] = (np.asarray(frames), rows, np.full(len(frames), score), np.zeros(len(frames)))
    write_seal_json(SEALAnnotations(videos, tubelets, boxes=BoxTable.from_tracks(boxes)), path)
    return str(path)


@pytest.fixture
def objects(tmp_path):
    """In a25 a cup all the time, a ball up to 2.4 s, a tiny pen, and a chair that leaves the frame; none in b30."""
    return write_objects(
        tmp_path / 'objects.json',
        {
            'pen': ('a25', np.arange(150), [1, 1, 2, 2], 1),
            'cup': ('a25', np.arange(150), [8, 8, 16, 16], 1),
            'ball': ('a25', np.arange(60), [20, 20, 40, 40], 1),
            'chair': ('a25', np.arange(150), [50, 30, 80, 60], 0.5),
            'gone': ('a25', np.arange(150), [70, 0, 80, 20], 1),
        },
    )


def clips(root, objects, **options):
    options = {'ann_file': 'train.json', 'label_map': 'map.json', 'pipeline': [], **options}
    return SEALClips(data_root=str(root), data_prefix=dict(video='videos'), objects=objects, **options)


def test_the_most_confident_come_first_and_of_equal_ones_the_largest(seal_set, objects):
    dataset = clips(seal_set, objects, test_mode=True)
    info = dataset[0]  # a25 at 1 s
    assert info['objects'].tolist() == [[20, 20, 40, 40], [8, 8, 16, 16], [1, 1, 2, 2], [50, 30, 64, 48]]
    assert info['object_scores'].tolist() == [1, 1, 1, 0.5] and info['objects'].dtype == np.float32
    # The last box of the ball is at 2.36 s, that is more than a quarter of a second before 3 s.
    assert dataset[2]['objects'].tolist() == [[8, 8, 16, 16], [1, 1, 2, 2], [50, 30, 64, 48]]


def test_no_more_than_max_objects_are_taken_and_none_are_normal(seal_set, objects):
    dataset = clips(seal_set, objects, test_mode=True, max_objects=2)
    assert dataset[0]['objects'].tolist() == [[20, 20, 40, 40], [8, 8, 16, 16]]
    assert dataset[5]['img_key'] == 'b30,0001'
    assert dataset[5]['objects'].shape == (0, 4) and dataset[5]['object_scores'].shape == (0,)
    assert 'objects' not in clips(seal_set, None)[0]


def test_a_subset_has_the_objects_of_its_clips(seal_set, objects):
    dataset = clips(seal_set, objects, test_mode=True)
    part = dataset.get_subset([5, 0])
    assert [len(part[index]['objects']) for index in range(2)] == [0, 4]


def test_detections_by_image_key_are_fractions_of_the_frame(seal_set, tmp_path):
    boxes = np.array([[0, 0, 0.5, 0.5, 0.3], [0.5, 0.5, 1, 1, 0.9]])
    (tmp_path / 'o.pkl').write_bytes(pickle.dumps({'a25,0002': boxes, 'b30,0001': boxes[:0]}))
    dataset = clips(seal_set, str(tmp_path / 'o.pkl'), test_mode=True)
    assert [len(dataset[index]['objects']) for index in range(7)] == [0, 2, 0, 0, 0, 0, 0]
    assert dataset[1]['objects'].tolist() == [[32, 24, 64, 48], [0, 0, 32, 24]]
    assert dataset[1]['object_scores'].tolist() == [np.float32(0.9), np.float32(0.3)]


def test_files_in_the_form_of_ava_take_objects_too(seal_set, tmp_path):
    (tmp_path / 'ava.csv').write_text('b30,902,0,0,1,1,1\na25,902,0,0,1,1,1\na25,901,0,0,1,1,1\n')
    (tmp_path / 'labels.txt').write_text('walk\n')
    (tmp_path / 'o.pkl').write_bytes(pickle.dumps({'a25,0902': np.array([[0, 0, 0.5, 0.5]])}))
    options = dict(data_prefix=dict(video=str(seal_set / 'videos')), label_file=str(tmp_path / 'labels.txt'))
    options.update(time_offset_s=900, pipeline=[])
    dataset = AVAStyle(str(tmp_path / 'ava.csv'), objects=str(tmp_path / 'o.pkl'), **options)
    assert [dataset[index]['img_key'] for index in range(3)] == ['a25,0901', 'a25,0902', 'b30,0902']
    assert [dataset[index]['objects'].tolist() for index in range(3)] == [[], [[0, 0, 32, 24]], []]
    tracks = write_objects(tmp_path / 'o.json', {'cup': ('b30', np.arange(40, 70), [0, 0, 8, 8], 1)})
    dataset = AVAStyle(str(tmp_path / 'ava.csv'), objects=tracks, **options)  # b30 at 2 s is frame 60
    assert [len(dataset[index]['objects']) for index in range(3)] == [0, 0, 1]


def test_files_that_cannot_be_used_are_named(seal_set, tmp_path):
    (tmp_path / 'o.pkl').write_bytes(pickle.dumps({'z,0002': np.zeros((0, 5))}))
    with pytest.raises(InputError, match=r"o\.pkl: has the objects of none of the 2 films, 'a25' is one"):
        len(clips(seal_set, str(tmp_path / 'o.pkl')))
    (tmp_path / 'o.pkl').write_bytes(pickle.dumps({'a25,0001': np.array([[0, 0, 30, 30]])}))
    with pytest.raises(InputError, match=r"o\.pkl: 'a25,0001': box .* is in pixels"):
        len(clips(seal_set, str(tmp_path / 'o.pkl')))
    with pytest.raises(InputError, match=r'none\.json'):
        len(clips(seal_set, str(tmp_path / 'none.json')))
    with pytest.raises(ValueError, match='max_objects must be at least 1'):
        clips(seal_set, None, max_objects=0)


@pytest.mark.parametrize('boxes_per_s', [1, 4])
@pytest.mark.parametrize('jitter', [False, True])
def test_objects_come_through_resize_and_flip_behind_people_and_their_tubes(seal_set, objects, boxes_per_s, jitter):
    steps = [dict(type='mmaction.Resize', scale=(32, 24), keep_ratio=False), dict(type='mmaction.Flip', flip_ratio=1.0)]
    pipeline = [SAMPLE, *([dict(type='JitterBoxes')] if jitter else []), dict(type='DecodeWindow'), *steps, *PACK]
    sample = clips(seal_set, objects, boxes_per_s=boxes_per_s, pipeline=pipeline)[2]['data_samples']
    # Half the size, then mirrored in a width of 32: x1, x2 become 32 - x2, 32 - x1.
    assert sample.objects.bboxes.tolist() == [[24, 4, 28, 8], [0, 15, 7, 24]]  # the pen is half a pixel wide
    assert sample.objects.scores.tolist() == [1, 0.5]
    assert len(sample.proposals) == len(sample.gt_instances) == 2
    # The people are at 7.5 and 27.5 of 64; see the data set.
    np.testing.assert_allclose(sample.gt_instances.bboxes[:, 2], [32 - 7.5 / 2, 32 - 27.5 / 2])
    assert ('tube_boxes' in sample.proposals) == (boxes_per_s == 4)
    assert sample.proposals_are_gt is True


def test_objects_that_a_crop_leaves_out_are_dropped(seal_set, objects, monkeypatch):
    steps = [SAMPLE, dict(type='DecodeWindow'), dict(type='mmaction.RandomCrop', size=32), *PACK]
    monkeypatch.setattr(np.random, 'randint', lambda low, high=None: 0)  # what the crop draws: the upper left corner
    sample = clips(seal_set, objects, pipeline=steps, test_mode=True)[0]['data_samples']
    assert sample.img_shape == (32, 32)
    assert sample.objects.bboxes.tolist() == [[20, 20, 31, 31], [8, 8, 16, 16], [1, 1, 2, 2]]  # it cuts at 31
    assert sample.objects.scores.tolist() == [1, 1, 1]
    with DefaultScope.overwrite_default_scope('mmtube'):
        none = clips(seal_set, objects, pipeline=steps, test_mode=True)[5]['data_samples']
    assert none.objects.bboxes.shape == (0, 4) and none.objects.scores.shape == (0,)


@settings(max_examples=40, deadline=None)
@given(
    arrays(np.int64, st.tuples(st.integers(0, 3), st.just(3)), elements=st.integers(0, 20)),
    st.integers(0, 3),
    st.integers(0, 2),
    st.booleans(),
)
def test_people_tubes_and_objects_are_parted_as_they_were_joined(corners, people, boxes_per_person, flip):
    """Numbers of everything are free; each box comes back to its owner."""
    objects = np.concatenate([corners[:, :2], corners[:, :2] + 3 + corners[:, 2:]], axis=1).astype(np.float32)
    boxes = np.float32([[n, n, n + 10, n + 20] for n in range(people)]).reshape(-1, 4)
    tubes = np.float32([[boxes[n] + b for b in range(boxes_per_person)] for n in range(people)])
    results = dict(
        gt_bboxes=boxes,
        proposals=boxes.copy(),
        objects=objects,
        object_scores=np.linspace(1, 0.5, len(objects), dtype=np.float32),
        gt_labels=np.zeros((people, 2), bool),
        person_ids=np.arange(people),
        imgs=[np.zeros((48, 64, 3), np.uint8)] * 2,
        img_shape=(48, 64),
        modality='RGB',
    )
    if boxes_per_person:
        results['tube_boxes'] = tubes.reshape(people, boxes_per_person, 4)
        results['tube_valid'] = np.ones((people, boxes_per_person), bool)
    for key, riders in DecodeWindow.RIDERS:
        if riders in results:
            results[key] = np.concatenate([results[key], results[riders].reshape(-1, 4)])
    results = TRANSFORMS.build(dict(type='mmaction.Flip', flip_ratio=float(flip)))(results)
    sample = PackSEALClip()(results)['data_samples']

    def back(found):
        found = found.numpy().reshape(-1, 4)
        return np.stack([64 - found[:, 2], found[:, 1], 64 - found[:, 0], found[:, 3]], 1) if flip else found

    np.testing.assert_array_equal(back(sample.objects.bboxes), objects)
    np.testing.assert_array_equal(back(sample.proposals.bboxes), boxes)
    if boxes_per_person:
        np.testing.assert_array_equal(back(sample.proposals.tube_boxes), tubes.reshape(-1, 4))


def test_ranking_is_that_of_a_plain_loop(tmp_path):
    rng = np.random.default_rng(0)
    content = {
        f'v,{key:04d}': np.column_stack([rng.uniform(0, 0.5, (9, 2)), rng.uniform(0.5, 1, (9, 2)), scores])
        for key, scores in enumerate(rng.integers(0, 3, (5, 9)) / 2)
    }
    (tmp_path / 'v.pkl').write_bytes(pickle.dumps(content))
    moments = KeyMoments(['v'], np.array([[64, 48]]), np.zeros(5, int), np.arange(5.0), list(content))
    index = ObjectBoxes(tmp_path / 'v.pkl', moments, 4)
    for number, boxes in enumerate(content.values()):
        boxes = boxes * [64, 48, 64, 48, 1]
        ranked = sorted(boxes.tolist(), key=lambda b: (-b[4], -(b[2] - b[0]) * (b[3] - b[1])))[:4]
        np.testing.assert_allclose(index(number)[0], np.array(ranked)[:, :4], rtol=1e-6)
        assert index(number)[1].tolist() == [row[4] for row in ranked]
