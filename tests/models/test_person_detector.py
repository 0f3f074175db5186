from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
import torch
from mmdet.structures import DetDataSample
from mmengine.registry import MODELS as ROOT_MODELS
from mmengine.registry import DefaultScope
from mmengine.structures import InstanceData

from mmtube.config import load_config
from mmtube.errors import InputError
from mmtube.models.checkpoint import read_checkpoint
from mmtube.models.detectors import PersonDetector, image_detector
from mmtube.registry import MODELS

PICODET = 'mmtube::person/picodet_s_coco_person.py'
RTMDET = 'mmdet::rtmdet/rtmdet_tiny_8xb32-300e_coco.py'
FILM = Path(__file__).parents[2].parent / 'shared' / 'data' / 'videos' / 'basketball_two_people.mp4'


def stripes(width=96, height=64):
    y, x, c = np.mgrid[:height, :width, :3]
    return ((7 * x + 13 * y + 29 * c) % 256).astype(np.uint8)


@pytest.fixture(scope='module')
def weak():
    """Takes every box, so that a picture without people has some."""
    return PersonDetector(PICODET, score_thr=0.005)


def prediction(boxes, scores, labels):
    instances = InstanceData(
        bboxes=torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
        scores=torch.tensor(scores, dtype=torch.float32),
        labels=torch.tensor(labels, dtype=torch.int64),
    )
    return DetDataSample(pred_instances=instances)


def answer(detector, monkeypatch, *predictions):
    """Let the network of ``detector`` find ``predictions``."""
    monkeypatch.setattr(detector._network, 'test_step', lambda batch: list(predictions))


def test_boxes_are_clipped_sorted_and_of_people_alone(weak, monkeypatch):
    boxes = [[-5, -5, 10, 10], [20, 20, 200, 90], [1, 1, 5, 5], [96, 10, 120, 20], [30, 30, 30, 40]]
    answer(weak, monkeypatch, prediction(boxes, [0.3, 0.9, 0.8, 0.7, 0.6], [0, 0, 1, 0, 0]))
    [(boxes_px, scores)] = weak([stripes(96, 64)])  # the third is no person, the fourth outside, the fifth empty
    assert boxes_px.tolist() == [[20, 20, 96, 64], [0, 0, 10, 10]]
    assert scores.tolist() == pytest.approx([0.9, 0.3])
    assert boxes_px.dtype == scores.dtype == np.float32


def test_equal_scores_keep_the_order_of_the_network(weak, monkeypatch):
    boxes = [[i, 0, i + 1, 1] for i in range(90)]
    answer(weak, monkeypatch, prediction(boxes, [0.5] * 90, [0] * 90))
    assert weak([stripes()])[0][0].tolist() == boxes


def test_scores_below_the_threshold_go_even_if_the_network_lets_them_pass(monkeypatch):
    detector = PersonDetector(PICODET, score_thr=0.4)
    answer(detector, monkeypatch, prediction([[0, 0, 4, 4], [0, 0, 8, 8]], [0.39, 0.41], [0, 0]))
    assert detector([stripes()])[0][0].tolist() == [[0, 0, 8, 8]]


def test_threshold_replaces_the_one_of_the_config():
    cfg = load_config(PICODET)
    cfg.model.test_cfg.score_thr = 0.99
    [(boxes_px, scores)] = PersonDetector(cfg, score_thr=0.005)([stripes()])
    assert len(boxes_px) > 0 and scores.max() < 0.99
    assert cfg.model.test_cfg.score_thr == 0.99  # the caller's config is not changed


def test_nms_overlap_replaces_the_one_of_the_config(weak):
    strict = PersonDetector(PICODET, score_thr=0.005, nms_iou=0.1)
    assert len(strict([stripes()])[0][1]) < len(weak([stripes()])[0][1])


def test_a_batch_gives_what_its_images_give_alone(weak):
    images = [stripes(96, 64), stripes(64, 96), 255 - stripes(96, 64), stripes(50, 40)]  # three sizes
    together, alone = weak(images), [weak([image])[0] for image in images]
    assert sum(len(scores) for _, scores in alone) > 0
    for (boxes_px, scores), (boxes_alone, scores_alone) in zip(together, alone):
        np.testing.assert_allclose(boxes_px, boxes_alone, atol=0.01)
        np.testing.assert_allclose(scores, scores_alone, atol=1e-4)


def test_faster_network_gives_the_same_boxes(weak, monkeypatch):
    monkeypatch.setattr(image_detector, 'fuse_batch_norms', lambda network: 0)
    plain = PersonDetector(PICODET, score_thr=0.005)
    count = {type(m).__name__ for m in weak._network.modules()}
    assert 'BatchNorm2d' not in count and 'BatchNorm2d' in {type(m).__name__ for m in plain._network.modules()}
    (boxes_px, scores), (plain_boxes_px, plain_scores) = weak([stripes()])[0], plain([stripes()])[0]
    np.testing.assert_allclose(boxes_px, plain_boxes_px, atol=1e-3)
    np.testing.assert_allclose(scores, plain_scores, atol=1e-4)


def test_no_images_and_no_people(weak):
    assert weak([]) == []
    [(boxes_px, scores)] = PersonDetector(PICODET, score_thr=0.3)([np.full((48, 80, 3), 128, np.uint8)])
    assert boxes_px.shape == (0, 4) and scores.shape == (0,)


@pytest.mark.parametrize(
    'image', [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3), np.float32), np.zeros((0, 4, 3), np.uint8)]
)
def test_what_is_no_picture_is_refused(weak, image):
    with pytest.raises(ValueError, match='uint8 and not empty'):
        weak([image])


def test_it_is_built_by_its_name():
    detector = MODELS.build(dict(type='PersonDetector', model=PICODET, checkpoint='mmtube://picodet_s_person_fp16.pth'))
    assert isinstance(detector, PersonDetector) and not detector._network.training


@pytest.fixture(scope='module')
def rtmdet_state():
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmdet'):
        model = ROOT_MODELS.build(load_config(RTMDET).model)
    for level in model.bbox_head.rtm_cls:
        torch.nn.init.constant_(level.bias, -9.0)
        torch.nn.init.constant_(level.bias[:1], 2.0)  # everything is a person
    return model.state_dict()


@pytest.mark.parametrize('meta', [{}, {'dataset_meta': {'classes': ('car', *'abc', 'person', *map(str, range(75)))}}])
def test_a_detector_of_the_zoo_by_its_name(tmp_path, rtmdet_state, meta):
    torch.save({'state_dict': rtmdet_state, 'meta': meta}, tmp_path / 'rtmdet.pth')
    detector = PersonDetector(RTMDET, str(tmp_path / 'rtmdet.pth'), score_thr=0.01)
    [(boxes_px, _)] = detector([stripes()])
    if meta:  # the names in the checkpoint say that label 4 is the person
        assert detector._labels == [4] and len(boxes_px) == 0
    else:  # COCO's names, from the config's data set
        assert detector._labels == [0] and len(boxes_px) > 0


def test_a_checkpoint_of_another_detector_is_refused():
    with pytest.raises(InputError, match=r'picodet_s_person_fp16\.pth: is of another model, .* the first is backbone'):
        PersonDetector(RTMDET, 'mmtube://picodet_s_person_fp16.pth')


def test_the_address_of_the_zoo_is_used_and_named_when_it_cannot_be_had(monkeypatch):
    def offline(url, **_):
        raise OSError('offline')

    monkeypatch.setattr(torch.hub, 'load_state_dict_from_url', offline)
    with pytest.raises(
        InputError, match=r'^https://.*/rtmdet_tiny_.*\.pth: cannot be fetched \(offline\); give checkpoint=FILE'
    ):
        PersonDetector(RTMDET)


def without(key):
    cfg = load_config(PICODET)
    cfg.pop(key)
    return cfg


def with_classes(*classes):
    cfg = load_config(PICODET)
    cfg.test_dataloader.dataset.metainfo.classes = classes
    return cfg


@pytest.mark.parametrize(
    ('cfg', 'checkpoint', 'message'),
    [
        (lambda: without('load_from'), None, 'no checkpoint was given and the config names none'),
        (lambda: without('model'), None, 'is not the config of a detector'),
        (lambda: {**without('test_dataloader'), 'test_pipeline': None}, None, 'has no test pipeline'),
        (lambda: with_classes('car'), 'bare', "none of its 1 classes is called 'person'"),
        (lambda: {**without('model'), 'model': dict(type='NoSuchDetector')}, None, 'NoSuchDetector is not in the'),
    ],
)
def test_a_config_that_cannot_be_used_is_refused_in_one_line(tmp_path, cfg, checkpoint, message):
    if checkpoint:
        state = read_checkpoint('mmtube://picodet_s_person_fp16.pth')['state_dict']
        torch.save(state, tmp_path / 'bare.pth')
        checkpoint = str(tmp_path / 'bare.pth')
    with pytest.raises(InputError, match=message) as raised:
        PersonDetector(cfg(), checkpoint)
    assert '\n' not in str(raised.value)


@pytest.mark.parametrize('options', [dict(device='nonsense'), dict(fp16=True)])
def test_a_device_that_is_not_there_is_refused(options):
    with pytest.raises(InputError, match=r'^(device nonsense: cannot be used|fp16 needs a GPU)'):
        PersonDetector(PICODET, **options)


@pytest.mark.parametrize('options', [dict(score_thr=1.0), dict(score_thr=-0.1), dict(nms_iou=0.0)])
def test_a_threshold_out_of_range_is_refused(options):
    with pytest.raises(ValueError, match='must lie in'):
        PersonDetector(PICODET, **options)


@pytest.mark.skipif(not FILM.is_file(), reason='the film is not here')
def test_both_players_are_found_in_a_real_film():
    with av.open(str(FILM)) as container:
        frame = next(f for i, f in enumerate(container.decode(video=0)) if i == 40).to_ndarray(format='bgr24')
    [(boxes_px, scores)] = PersonDetector(PICODET, score_thr=0.55)([frame])
    assert len(boxes_px) == 2 and scores.min() > 0.8
    centres = (boxes_px[:, :2] + boxes_px[:, 2:]) / 2
    assert np.abs(centres - [[114, 171], [339, 186]]).max() < 8  # read off the picture
