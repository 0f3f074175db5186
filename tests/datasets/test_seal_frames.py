"""Single frames of films with everybody in them, as detectors train on them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mmtube.config import load_config
from mmtube.datasets import SEALFrames
from mmtube.datasets.transforms import LoadFilmFrame
from mmtube.errors import InputError
from mmtube.registry import DATASETS, METRICS
from mmtube.structures import Tube, VideoInfo, VideoResult
from mmtube.structures.seal import write_seal_json
from mmtube.structures.seal.convert.results import from_results
from mmtube.testing import make_film

FPS = 10


def film(name, num_frames, spans):
    """A film of 64 x 48 with (ID, first frame, frame behind the last, left edge) of each person, who walks a pixel."""
    tubes = []
    for number, begin, end, left in spans:
        frames = np.arange(begin, end)
        boxes = np.stack([left + frames, 0 * frames + 8, left + 10 + frames, 0 * frames + 40], axis=1)
        tubes.append(Tube(number, frames, frames / FPS, boxes.astype(np.float32), np.ones(len(frames), np.float32)))
    return VideoResult(VideoInfo(name, 64, 48, FPS, num_frames, num_frames / FPS), tubes)


@pytest.fixture
def root(tmp_path):
    """Film a: 10 frames, person 1 in 0 to 6, person 2 in 5 to 9. Film b: 5 frames, person 1 in frame 1."""
    (tmp_path / 'videos').mkdir()
    make_film(tmp_path / 'videos' / 'a.mp4', 10, fps=FPS)
    make_film(tmp_path / 'videos' / 'b.mp4', 5, fps=FPS)
    films = [film('a.mp4', 10, [(1, 0, 7, 2), (2, 5, 10, 30)]), film('b.mp4', 5, [(1, 1, 2, 20)])]
    write_seal_json(from_results(films, split='train'), tmp_path / 'people.json')
    return tmp_path


def dataset(root, **options):
    return SEALFrames('people.json', data_root=str(root), data_prefix=dict(video='videos'), **options)


def test_every_nth_frame_of_each_film_has_its_people(root):
    frames = dataset(root, every=3)
    items = [frames.get_data_info(number) for number in range(len(frames))]
    assert [(item['video_id'], item['frame_ind']) for item in items] == [
        ('a', 0), ('a', 3), ('a', 6), ('a', 9), ('b', 0), ('b', 3),
    ]  # fmt: skip
    assert [len(item['instances']) for item in items] == [1, 1, 2, 1, 0, 0]
    assert sorted(row['bbox'] for row in items[2]['instances']) == [[8, 8, 18, 40], [36, 8, 46, 40]]
    assert all(row['bbox_label'] == 0 and row['ignore_flag'] == 0 for item in items for row in item['instances'])
    assert items[2]['time_s'] == pytest.approx(0.6) and (items[2]['width'], items[2]['height']) == (64, 48)
    assert [item['img_id'] for item in items] == list(range(6))  # one number for each picture


def test_the_first_frame_can_be_another(root):
    frames = dataset(root, every=4, first=1)
    items = [frames.get_data_info(number) for number in range(len(frames))]
    assert [(item['video_id'], item['frame_ind'], len(item['instances'])) for item in items] == [
        ('a', 1, 1), ('a', 5, 2), ('a', 9, 1), ('b', 1, 1),
    ]  # fmt: skip


def test_frames_without_people_can_be_left_out(root):
    frames = dataset(root, every=3, keep_empty=False)
    assert len(frames) == 4
    assert all(frames.get_data_info(number)['instances'] for number in range(4))


def test_small_boxes_can_be_ignored(root):
    frames = dataset(root, every=3, min_size_px=10.5)  # the boxes are 10 pixels wide
    assert frames.get_data_info(0)['instances'][0]['ignore_flag'] == 1
    assert dataset(root, every=3, min_size_px=10).get_data_info(0)['instances'][0]['ignore_flag'] == 0


def test_the_frame_is_the_one_that_was_asked_for(root):
    frames = dataset(root, every=1, pipeline=[dict(type='LoadFilmFrame')])
    for number in (13, 0, 7, 2):  # in no order, over both films; frame i has the grey 20 + 8 i
        item = frames[number]
        assert item['img'].shape == (48, 64, 3) and item['img'].dtype == np.uint8
        assert item['img_shape'] == item['ori_shape'] == (48, 64)
        assert abs(float(item['img'].mean()) - (20 + 8 * item['frame_ind'])) < 2


def test_channels_are_blue_green_red(tmp_path):
    blue = np.zeros((48, 64, 3), np.uint8)
    blue[..., 0] = 200
    path = make_film(tmp_path / 'blue.mp4', frames=[blue] * 3)
    item = LoadFilmFrame()(dict(film=str(path), time_s=0.0, img_path='blue, frame index 0', width=64, height=48))
    assert item['img'][..., 0].mean() > 150 and item['img'][..., 2].mean() < 50


def test_a_film_that_ends_before_the_frame_or_has_another_size_is_told(root):
    make_film(root / 'videos' / 'a.mp4', 4, fps=FPS)
    frames = dataset(root, every=3, pipeline=[dict(type='LoadFilmFrame')])
    assert frames[1]['frame_ind'] == 3
    with pytest.raises(InputError, match=r'a\.mp4, frame index 9: the film ends after 0\.40 s'):
        frames[3]
    make_film(root / 'videos' / 'b.mp4', 5, size=(32, 48), fps=FPS)
    with pytest.raises(InputError, match=r'b\.mp4, frame index 0: the film is 32x48, the annotation says 64x48'):
        frames[4]
    (root / 'videos' / 'b.mp4').unlink()
    with pytest.raises(InputError, match="has no film 'b'"):
        frames[5]


@pytest.mark.parametrize('options', [dict(every=0), dict(first=-1), dict(min_size_px=-1)])
def test_arguments_out_of_range_are_refused(options, root):
    with pytest.raises(ValueError, match='every must be >= 1'):
        dataset(root, **options)


def test_nothing_to_serve_is_refused(root):
    with pytest.raises(InputError, match=r'no frame to serve \(every 3, first 10\)'):
        dataset(root, every=3, first=10).full_init()


def test_cocos_metric_needs_no_file_of_its_own(root):
    cfg = load_config('mmtube::_base_/datasets/seal_mini_people.py')
    options = dict(cfg.test_dataloader.dataset, data_root=str(root), ann_file='people.json', every=3)
    frames = DATASETS.build(options)
    metric = METRICS.build(cfg.test_evaluator)
    metric.dataset_meta = frames.metainfo
    for number in range(len(frames)):
        sample = frames[number]['data_samples']
        boxes = (
            sample.gt_instances.bboxes.tensor
        )  # loaded after the resize: in pixels of the film, as the metric has it
        found = dict(bboxes=boxes, scores=torch.full((len(boxes),), 0.9), labels=torch.zeros(len(boxes)).long())
        metric.process({}, [{**sample.to_dict(), 'pred_instances': found}])
    assert metric.evaluate(len(frames))['coco/bbox_mAP'] == 1.0
