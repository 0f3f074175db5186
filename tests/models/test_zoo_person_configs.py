"""Detectors of the zoo as configs of people alone: they build offline, train, and take published weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mmdet.structures import DetDataSample
from mmengine.config import Config
from mmengine.registry import MODELS as ROOT_MODELS
from mmengine.registry import DefaultScope
from mmengine.structures import InstanceData

from mmtube.config import load_config
from mmtube.models.detectors import PersonDetector
from mmtube.models.detectors.class_rows import keep_class

ZOO = {
    'rtmdet_tiny_coco_person': 'mmdet::rtmdet/rtmdet_tiny_8xb32-300e_coco.py',
    'faster_rcnn_r50_coco_person': 'mmdet::faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py',
    'yolox_tiny_coco_person': 'mmdet::yolox/yolox_tiny_8xb8-300e_coco.py',
}


def small(name: str) -> Config:
    """A config whose test pictures are made small, so that a test takes seconds."""
    cfg = load_config(f'mmtube::person/{name}' if name in ZOO else name)
    for step in cfg.test_dataloader.dataset.pipeline:
        if step['type'].endswith('Resize'):
            step['scale'] = (128, 128)
    return cfg


def build(cfg: Config) -> torch.nn.Module:
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmdet'):
        return ROOT_MODELS.build(cfg.model)


def sample(size: int = 128) -> DetDataSample:
    metainfo = dict(
        img_shape=(size, size),
        ori_shape=(size, size),
        pad_shape=(size, size),
        batch_input_shape=(size, size),
        scale_factor=(1.0, 1.0),
    )
    boxes = torch.tensor([[20.0, 10.0, 60.0, 120.0], [70.0, 30.0, 110.0, 100.0]])
    return DetDataSample(
        gt_instances=InstanceData(bboxes=boxes, labels=torch.zeros(2, dtype=torch.long)), metainfo=metainfo
    )


def image() -> np.ndarray:
    y, x, c = np.mgrid[:96, :128, :3]
    return ((7 * x + 13 * y + 29 * c) % 256).astype(np.uint8)


@pytest.mark.parametrize('name', ZOO)
def test_published_weights_of_80_classes_give_the_scores_of_people(name, tmp_path):
    from mmdet.datasets import CocoDataset  # after mmtube, which supplies what mmcv-lite lacks

    whole = build(load_config(ZOO[name]))
    # Weights of their own for each class: a wrong row would have another value.
    generator = torch.Generator().manual_seed(1)
    state = {
        key: torch.randn(value.shape, generator=generator) * 0.02
        if value.dtype is torch.float32 and value.dim() > 1
        else value
        for key, value in whole.state_dict().items()
    }
    torch.save(dict(state_dict=state, meta=dict(CLASSES=CocoDataset.METAINFO['classes'])), tmp_path / 'published.pth')
    detector = PersonDetector(small(name), checkpoint=str(tmp_path / 'published.pth'), score_thr=0.0)
    [(boxes_px, scores)] = detector([image()])
    assert len(boxes_px) == len(scores)
    kept = build(load_config(f'mmtube::person/{name}')).state_dict()
    cut = dict(state)
    assert keep_class(cut, kept, 0, 80) >= 1
    assert all(cut[key].shape == value.shape for key, value in kept.items())
    layer = {
        'rtmdet_tiny_coco_person': 'bbox_head.rtm_cls.0.weight',
        'yolox_tiny_coco_person': 'bbox_head.multi_level_conv_cls.1.weight',
    }
    if name in layer:
        assert torch.equal(cut[layer[name]], state[layer[name]][:1])
    else:
        assert torch.equal(cut['roi_head.bbox_head.fc_cls.weight'], state['roi_head.bbox_head.fc_cls.weight'][[0, 80]])
        assert torch.equal(cut['roi_head.bbox_head.fc_reg.weight'], state['roi_head.bbox_head.fc_reg.weight'][:4])


@pytest.mark.parametrize('name', ZOO)
def test_a_step_of_training_reaches_the_class_layer(name):
    cfg = load_config(f'mmtube::person/{name}')
    assert cfg.train_dataloader.dataset.get('dataset', cfg.train_dataloader.dataset).metainfo.classes == ('person',)
    assert cfg.val_dataloader.dataset.metainfo.classes == ('person',)
    assert cfg.load_from.startswith('https://download.openmmlab.com/mmdetection/')
    model = build(cfg).train()
    with DefaultScope.overwrite_default_scope('mmdet'):
        losses = model.loss(
            torch.randn(2, 3, 128, 128, generator=torch.Generator().manual_seed(0)), [sample(), sample()]
        )
    total = sum(sum(value) if isinstance(value, list) else value for key, value in losses.items() if 'loss' in key)
    total.backward()
    head = model.roi_head.bbox_head if hasattr(model, 'roi_head') else model.bbox_head
    gradients = [p.grad for key, p in head.named_parameters() if 'cls' in key and p.grad is not None]
    assert torch.isfinite(total) and gradients
    assert any(gradient.abs().sum() > 0 for gradient in gradients)


def test_rows_of_a_class_lie_by_anchor_in_one_stage_heads_and_by_class_in_two_stage_ones():
    rows = torch.arange(6.0)[:, None]  # 3 classes
    own = {'head.cls.weight': torch.zeros(2, 1), 'head.fc_reg.weight': torch.zeros(2, 1), 'fc_cls.bias': torch.zeros(2)}
    state = {'head.cls.weight': rows, 'head.fc_reg.weight': rows, 'fc_cls.bias': torch.arange(4.0), 'other': rows}
    assert keep_class(state, own, index=1, num_classes=3) == 3
    assert state['head.cls.weight'].ravel().tolist() == [1, 4]  # anchors 0 and 1
    assert state['head.fc_reg.weight'].ravel().tolist() == [2, 3]
    assert state['fc_cls.bias'].tolist() == [1, 3]  # and background
    assert state['other'].shape == (6, 1)


def test_weights_of_another_model_are_left_as_they_are():
    state = {'cls.weight': torch.zeros(7, 1), 'cls.bias': torch.zeros(3, 2)}
    assert keep_class(state, {'cls.weight': torch.zeros(2, 1), 'cls.bias': torch.zeros(3, 1)}, 0, 3) == 0
    assert state['cls.weight'].shape == (7, 1)
