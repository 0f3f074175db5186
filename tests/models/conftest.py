"""A detector of people and three kinds of things, with weights that tell pictures apart."""

import pytest
import torch
from mmengine.registry import DefaultScope

from mmtube.config import load_config
from mmtube.registry import MODELS

CLASSES = ('cart', 'person', 'ball', 'box')


def several_classes(classes=CLASSES):
    """PicoDet-S for other classes, on small pictures."""
    cfg = load_config('mmtube::person/picodet_s_coco_person.py')
    cfg.pop('load_from')
    cfg.model.bbox_head.num_classes = len(classes)
    cfg.test_dataloader.dataset.metainfo.classes = classes
    for step in cfg.test_dataloader.dataset.pipeline:
        if step['type'].endswith('Resize'):
            step['scale'] = (64, 64)
    return cfg


@pytest.fixture(scope='session')
def save_detector(tmp_path_factory):
    """Write a checkpoint of classes, some of them found everywhere, and return the options of a detector of it."""

    def save(classes=CLASSES, everywhere=(), meta=None):
        cfg = several_classes(classes)
        torch.manual_seed(0)
        with DefaultScope.overwrite_default_scope('mmtube'):
            network = MODELS.build(cfg.model)
        for parameter in network.parameters():
            if parameter.dim() > 1:
                torch.nn.init.normal_(parameter, std=(1.5 / parameter[0].numel()) ** 0.5)
        for level in network.bbox_head.levels:
            torch.nn.init.normal_(level.cls.weight, std=20.0)
            level.cls.bias.data[[classes.index(name) for name in everywhere]] = 200.0
        file = tmp_path_factory.mktemp('detectors') / 'detector.pth'
        meta = dict(dataset_meta=dict(classes=classes)) if meta is None else meta
        torch.save(dict(state_dict=network.state_dict(), meta=meta), file)
        return dict(model=cfg, checkpoint=str(file))

    return save


@pytest.fixture(scope='session')
def small_detector(save_detector):
    """Options of a detector of four classes."""
    return save_detector()
