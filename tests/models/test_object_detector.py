from __future__ import annotations

import copy
import io
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest
import torch
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData

from mmtube.errors import InputError, MissingCheckpointError
from mmtube.models.detectors import ObjectDetector, PersonDetector
from mmtube.registry import MODELS

RTMDET = 'mmdet::rtmdet/rtmdet_tiny_8xb32-300e_coco.py'


def noise(seed=0):
    cells = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
    return cells.repeat(8, axis=0).repeat(8, axis=1)


def answer(detector, monkeypatch, boxes, scores, labels):
    """Let the network of ``detector`` find these."""
    instances = InstanceData(
        bboxes=torch.tensor(boxes, dtype=torch.float32),
        scores=torch.tensor(scores, dtype=torch.float32),
        labels=torch.tensor(labels, dtype=torch.int64),
    )
    monkeypatch.setattr(detector._network, 'test_step', lambda batch: [DetDataSample(pred_instances=instances)])


def test_the_five_best_that_are_no_person_are_kept(small_detector, monkeypatch):
    detector = ObjectDetector(**small_detector)
    boxes = [[i, 0, i + 8, 8] for i in range(8)]
    # Labels are those of cart, person, ball and box. Without persons 0.8, 0.7, 0.6, 0.5, 0.4 and 0.2 are left.
    answer(detector, monkeypatch, boxes, [0.2, 0.9, 0.8, 0.4, 0.5, 0.95, 0.7, 0.6], [0, 1, 2, 3, 0, 1, 2, 3])
    [(boxes_px, scores)] = detector([noise()])
    assert boxes_px[:, 0].tolist() == [2, 6, 7, 4, 3]
    assert scores.tolist() == pytest.approx([0.8, 0.7, 0.6, 0.5, 0.4])
    assert boxes_px.dtype == scores.dtype == np.float32


def test_boxes_are_cut_at_the_picture_and_weak_ones_go(small_detector, monkeypatch):
    detector = ObjectDetector(**small_detector, max_objects=2, score_thr=0.3)
    boxes = [[-4, -4, 8, 8], [50, 40, 99, 99], [64, 0, 70, 9], [0, 0, 5, 5]]
    answer(detector, monkeypatch, boxes, [0.4, 0.5, 0.9, 0.29], [0, 2, 3, 3])  # the third is outside
    [(boxes_px, _)] = detector([noise()])
    assert boxes_px.tolist() == [[50, 40, 64, 48], [0, 0, 8, 8]]


def test_nothing_found_is_an_empty_table(small_detector):
    [(boxes_px, scores)] = ObjectDetector(**small_detector, score_thr=0.9)([noise()])
    assert boxes_px.shape == (0, 4) and scores.shape == (0,)


@pytest.mark.parametrize(('everywhere', 'objects', 'people'), [('person', False, True), ('ball', True, False)])
def test_a_real_network_finds_its_classes(save_detector, everywhere, objects, people):
    options = save_detector(everywhere=(everywhere,))
    found, persons = ObjectDetector(**options, score_thr=0.5), PersonDetector(**options, score_thr=0.5)
    assert (len(found([noise()])[0][1]) > 0) == objects
    assert (len(persons([noise()])[0][1]) > 0) == people


def test_people_and_objects_are_all_that_the_network_finds(small_detector):
    images = [noise(0), noise(1)]
    objects = ObjectDetector(**small_detector, max_objects=1000, score_thr=0.0)
    people = PersonDetector(**small_detector, score_thr=0.0)
    for image, (boxes_px, scores), (_, person_scores) in zip(images, objects(images), people(images)):
        alone = objects([image])[0]
        np.testing.assert_allclose(boxes_px, alone[0], atol=0.01)
        np.testing.assert_allclose(scores, alone[1], atol=1e-6)
        packed = objects._pipeline(dict(img=image, img_shape=(48, 64), ori_shape=(48, 64), img_id=0, img_path=None))
        [sample] = objects._forward(dict(inputs=[packed['inputs']], data_samples=[packed['data_samples']]))
        wanted = sample.pred_instances.scores.numpy()
        assert len(scores) > 5 and len(person_scores) > 0
        np.testing.assert_allclose(np.sort(np.concatenate([scores, person_scores])), np.sort(wanted), atol=1e-6)


def test_the_names_in_the_config_count_where_the_checkpoint_has_none(save_detector):
    options = save_detector(everywhere=('person',), meta={})
    assert len(ObjectDetector(**options, score_thr=0.5)([noise()])[0][1]) == 0
    options['model'] = copy.deepcopy(options['model'])
    options['model'].test_dataloader.dataset.metainfo.classes = ('person', 'cart', 'ball', 'box')
    assert len(ObjectDetector(**options, score_thr=0.5)([noise()])[0][1]) == 5


def test_a_detector_that_knows_no_people_finds_objects_alone(save_detector):
    options = save_detector(('cart', 'ball'), everywhere=('cart', 'ball'))
    assert len(ObjectDetector(**options, max_objects=3)([noise()])[0][1]) == 3


def test_a_detector_of_people_alone_is_refused_in_one_line(save_detector):
    with pytest.raises(InputError, match=r'detector\.pth: knows nothing but people') as raised:
        ObjectDetector(**save_detector(('person',)))
    assert '\n' not in str(raised.value) and not isinstance(raised.value, MissingCheckpointError)
    with pytest.raises(InputError, match=r'fp16\.pth: knows nothing but people'):
        ObjectDetector('mmtube::person/picodet_s_coco_person.py')


def test_a_wrong_number_is_refused(small_detector):
    with pytest.raises(ValueError, match='max_objects must be at least 1, got 0'):
        ObjectDetector(**small_detector, max_objects=0)
    with pytest.raises(ValueError, match='score_thr must lie in'):
        ObjectDetector(**small_detector, score_thr=1.0)


def test_it_is_built_by_its_name(small_detector):
    assert isinstance(MODELS.build(dict(type='ObjectDetector', **small_detector)), ObjectDetector)


@pytest.fixture
def hub(tmp_path, monkeypatch):
    def offline(*args, **kwargs):
        raise urllib.error.URLError('no route to host')

    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path))
    monkeypatch.setattr(urllib.request, 'urlopen', offline)
    return tmp_path / 'checkpoints'


def test_published_weights_that_cannot_be_had_are_missing(hub):
    wanted = r'object detector is not on this machine .*no route to host.*/rtmdet_tiny_.*78e30dcc\.pth into '
    with pytest.raises(MissingCheckpointError, match=wanted) as raised:
        ObjectDetector(RTMDET)
    assert '\n' not in str(raised.value)


def test_published_weights_are_fetched_once(hub, small_detector, monkeypatch):
    content = Path(small_detector['checkpoint']).read_bytes()
    address = 'https://example.org/things.pth'
    options = {**small_detector, 'checkpoint': address}
    with monkeypatch.context() as online:
        online.setattr(urllib.request, 'urlopen', lambda *args, **kwargs: io.BytesIO(content))
        first = ObjectDetector(**options)([noise()])
    assert (hub / 'things.pth').read_bytes() == content
    np.testing.assert_array_equal(ObjectDetector(**options)([noise()])[0][0], first[0][0])  # offline again


def test_a_checkpoint_that_nobody_names_is_missing_and_a_wrong_name_is_an_error(small_detector, tmp_path):
    with pytest.raises(MissingCheckpointError, match='no checkpoint was given and the config names none'):
        ObjectDetector(small_detector['model'])
    with pytest.raises(InputError, match=r'nowhere\.pth: cannot be read') as raised:
        ObjectDetector(small_detector['model'], str(tmp_path / 'nowhere.pth'))
    assert not isinstance(raised.value, MissingCheckpointError)
