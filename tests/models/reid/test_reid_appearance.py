"""The appearance stage by a re-identification network: crops as in training, and boxes of every kind."""

import hashlib

import cv2
import numpy as np
import pytest
import torch
from mmaction.structures import ActionDataSample
from mmengine.registry import DefaultScope

from mmtube.apis import build_stage
from mmtube.config import load_config
from mmtube.datasets.transforms import LoadSequence, PackSequence
from mmtube.errors import InputError
from mmtube.models.checkpoint import ASSETS, read_checkpoint
from mmtube.models.reid.appearance import ReIDAppearance
from mmtube.ops.crops import cut_boxes
from mmtube.registry import MODELS

CONFIG = 'mmtube::seal_mini/reid'
BOXES = np.array([[10, 20, 60, 120], [100.4, 3.6, 140.2, 99.9], [-30, 40, 25, 130]], np.float32)


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory):
    """Weights of a network that was never trained, with statistics that are not those of a fresh one."""
    with DefaultScope.overwrite_default_scope('mmtube'):
        torch.manual_seed(0)
        model = MODELS.build(load_config(CONFIG).model)
    for module in model.modules():
        if isinstance(module, (torch.nn.BatchNorm1d, torch.nn.BatchNorm2d)):
            module.running_mean.normal_(std=0.1)
            module.running_var.uniform_(0.5, 2)
    path = tmp_path_factory.mktemp('weights') / 'reid.pth'
    torch.save({'state_dict': model.state_dict()}, path)
    return str(path), model.eval()


@pytest.fixture(scope='module')
def appearance(checkpoint):
    return ReIDAppearance(CONFIG, checkpoint[0])


@pytest.fixture(scope='module')
def frame():
    noise = np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)
    return cv2.resize(noise, (200, 150), interpolation=cv2.INTER_CUBIC)


def test_crops_are_exactly_those_of_training(appearance, frame, tmp_path):
    """What the data set makes of the crop's file is what the network gets of the frame: size, order, pixels."""
    crops, rows = appearance.crops(frame, BOXES)
    step = next(step for step in load_config(CONFIG).test_pipeline if step['type'] == 'LoadSequence')
    for row, crop in zip(rows, cut_boxes(frame, BOXES)):
        path = tmp_path / f'{row}.png'
        cv2.imwrite(str(path), crop)
        results = LoadSequence(**{key: value for key, value in step.items() if key != 'type'})(
            dict(img_paths=[str(path)], gt_label=0)
        )
        np.testing.assert_array_equal(PackSequence()(results)['inputs'][0].numpy(), crops[row])
    assert rows.tolist() == [0, 1, 2]


def test_a_descriptor_is_the_test_feature_of_the_network(appearance, checkpoint, frame):
    model = checkpoint[1]
    crops, _ = appearance.crops(frame, BOXES)
    with torch.no_grad():
        samples = model.test_step(
            {'inputs': list(torch.from_numpy(crops)[:, None]), 'data_samples': [ActionDataSample() for _ in crops]}
        )
    expected = np.stack([sample.pred_feature.numpy() for sample in samples])
    np.testing.assert_allclose(appearance(frame, BOXES), expected, atol=1e-6)


def test_descriptors_are_unit_rows_and_the_same_each_time(appearance, frame):
    first, second = appearance(frame, BOXES), appearance(frame, BOXES)
    assert first.shape == (3, 128) and first.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(first, axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(first, second)


def test_a_box_without_a_pixel_or_that_is_no_number_gets_the_uniform_descriptor(appearance, frame):
    boxes = np.array([[300, 0, 340, 90], BOXES[0], [5, 5, 5, 50], [np.nan, 0, 9, 9]], np.float32)
    found = appearance(frame, boxes)
    np.testing.assert_allclose(found[[0, 2, 3]], 128**-0.5, rtol=1e-6)
    np.testing.assert_allclose(found[1], appearance(frame, BOXES[:1])[0], atol=1e-6)


def test_no_box_gives_no_row(appearance, frame):
    assert appearance(frame, np.zeros((0, 4), np.float32)).shape == (0, 128)


def test_many_boxes_take_several_passes_with_the_same_result(checkpoint, appearance, frame):
    boxes = np.concatenate([BOXES + shift for shift in range(5)])
    small = ReIDAppearance(CONFIG, checkpoint[0], max_crops=4)
    np.testing.assert_allclose(small(frame, boxes), appearance(frame, boxes), atol=1e-6)


def test_the_pipeline_builds_it_and_hands_it_the_device(checkpoint):
    stage = load_config('mmtube::seal/tube_pipeline').appearance
    stage = type(stage)(type='ReIDAppearance', model=CONFIG, checkpoint=checkpoint[0])
    assert isinstance(build_stage('appearance', stage, device='cpu'), ReIDAppearance)
    with pytest.raises(InputError, match='device nowhere: cannot be used'):
        build_stage('appearance', stage, device='nowhere')
    stage.device = 'cpu'  # the config's own goes first
    build_stage('appearance', stage, device='nowhere')


def test_a_stage_without_a_network_is_built_without_a_device():
    stage = load_config('mmtube::seal/tube_pipeline')
    assert build_stage('tracker', stage.tracker, device='cuda:7') is not None


def test_training_checkpoints_load_without_a_warning_about_what_is_left_out(checkpoint, recwarn):
    ReIDAppearance(CONFIG, checkpoint[0])
    assert not [warning for warning in recwarn if 'are not used' in str(warning.message)]


def test_configs_and_weights_that_cannot_be_used_are_named(tmp_path, checkpoint):
    with pytest.raises(InputError, match=r'picodet.*test_pipeline has no LoadSequence'):
        ReIDAppearance('mmtube::person/picodet_s_coco_person.py', checkpoint[0])
    with pytest.raises(InputError, match='no model'):
        ReIDAppearance('mmtube::tracking/motion', checkpoint[0])
    with pytest.raises(InputError, match='no checkpoint was given'):
        ReIDAppearance(CONFIG, None)
    with pytest.raises(InputError, match='is of another model'):
        ReIDAppearance('mmtube::reid/video_reid_r50_mars', checkpoint[0])
    detector = tmp_path / 'detector.py'
    detector.write_text(
        "_base_ = 'mmtube::person/picodet_s_coco_person.py'\ntest_pipeline = [dict(type='LoadSequence')]"
    )
    with pytest.raises(InputError, match=r'is the config of a mmdet\.SingleStageDetector, not of a VideoReID'):
        ReIDAppearance(str(detector), checkpoint[0])
    with pytest.raises(ValueError, match='max_crops'):
        ReIDAppearance(CONFIG, checkpoint[0], max_crops=0)


def test_the_network_that_ships_is_the_one_that_its_page_describes():
    content = (ASSETS / 'reid_seal_mini.pth').read_bytes()
    page = (ASSETS / 'README.md').read_text(encoding='utf-8')
    assert len(content) <= 2_000_000 and f'{len(content):,} bytes' in page
    assert hashlib.sha256(content).hexdigest() in page
    found = read_checkpoint('mmtube://reid_seal_mini.pth')
    assert found['meta']['config'] == 'seal_mini/reid' and found['meta']['licence'] == 'Apache-2.0'
    assert not [name for name in found['state_dict'] if name.startswith('loss_center')]


def test_the_network_that_ships_knows_people_by_their_clothes():
    """Figures of two colours on two grounds: the clothes decide, not the ground."""
    appearance = ReIDAppearance()
    frame = np.full((140, 320, 3), (120, 150, 170), np.uint8)
    frame[:, 160:] = (90, 140, 90)
    clothes = [((40, 40, 200), (60, 60, 60)), ((200, 120, 40), (210, 210, 210))]
    boxes = []
    for x, (shirt, trousers) in zip((20, 90, 180, 250), clothes * 2):
        cv2.circle(frame, (x + 20, 25), 9, (140, 170, 220), -1)
        frame[35:75, x + 8 : x + 32] = shirt
        frame[75:125, x + 9 : x + 31] = trousers
        boxes.append([x, 15, x + 40, 127])
    features = appearance(frame, np.array(boxes, np.float32))
    distances = 1 - features @ features.T
    same = max(distances[0, 2], distances[1, 3])
    assert same < min(distances[0, 1], distances[0, 3], distances[1, 2], distances[2, 3])
