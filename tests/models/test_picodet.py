"""The parts of PicoDet: backbone, neck and head, alone and with the weights that ship with the package."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest
import torch
from mmdet.structures import DetDataSample
from mmengine.registry import MODELS as ROOT_MODELS
from mmengine.registry import DefaultScope
from mmengine.structures import InstanceData

from mmtube.config import load_config
from mmtube.models.backbones import PPLCNet
from mmtube.models.checkpoint import load_weights
from mmtube.models.heads.pico_head import joint_logit
from mmtube.models.necks import LCPAN

ROOT = Path(__file__).parents[2]
SOURCE = ROOT.parent / 'shared' / 'data' / 'weights' / 'picodet_s'
CONFIG = 'mmtube::person/picodet_s_coco_person.py'
# Person score per level of the released graph, largest and mean, on golden_image().
GOLDEN = ((0.01630, 0.004255), (0.03927, 0.006814), (0.04360, 0.018552), (0.11218, 0.042619))
GOLDEN_FEATURES = (0.10482, 0.18689, 0.33278)


def golden_image() -> np.ndarray:
    y, x, c = np.mgrid[:416, :416, :3]
    image = ((7 * x + 13 * y + 29 * c) % 256).astype(np.uint8)
    image[120:300, 160:240] = (40, 90, 200)
    return image


def build(num_classes: int = 1) -> torch.nn.Module:
    torch.manual_seed(0)
    cfg = load_config(CONFIG)
    cfg.model.bbox_head.num_classes = num_classes
    with DefaultScope.overwrite_default_scope('mmtube'):
        return ROOT_MODELS.build(cfg.model)


def features_and_scores(model, image):
    """Mean of every backbone map; largest and mean person score of every level."""
    pixels = torch.from_numpy(image.transpose(2, 0, 1).copy())
    inputs = model.data_preprocessor({'inputs': [pixels], 'data_samples': None})['inputs']
    with torch.inference_mode():
        features = model.backbone(inputs)
        logits, _ = model.bbox_head(model.neck(features))
    scores = [level[:, 0].sigmoid() for level in logits]
    return [float(f.mean()) for f in features], [(float(s.max()), float(s.mean())) for s in scores]


def sample(boxes, size=(192, 160)):
    """A data sample of a picture of ``size`` (width, height) with people in ``boxes``."""
    boxes = torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4)
    shape = (size[1], size[0])
    metainfo = dict(img_shape=shape, ori_shape=shape, pad_shape=shape, batch_input_shape=shape, scale_factor=(1.0, 1.0))
    instances = InstanceData(bboxes=boxes, labels=torch.zeros(len(boxes), dtype=torch.int64))
    return DetDataSample(gt_instances=instances, metainfo=metainfo)


def picture(boxes, size=(192, 160)):
    """Grey noise with a red rectangle for every box."""
    rng = np.random.default_rng(0)
    image = rng.normal(0, 0.3, (3, size[1], size[0]))
    for x1, y1, x2, y2 in boxes:
        image[:, y1:y2, x1:x2] += np.array([2.0, -1.0, -1.0])[:, None, None]
    return torch.from_numpy(image).float()


def total_loss(model, images, samples):
    losses = model.loss(torch.stack(images), samples)
    return sum(sum(value) for value in losses.values())


@pytest.fixture(scope='module')
def shipped():
    model = build()
    load_weights(model, 'mmtube://picodet_s_person_fp16.pth')
    return model.eval()


def test_parameters_are_as_many_as_published():
    model = build()
    assert sum(p.numel() for p in model.parameters()) == 1_155_840
    assert sum(p.numel() for p in model.backbone.parameters()) == 584_488
    assert sum(p.numel() for p in build(num_classes=80).parameters()) == 1_186_492


def test_shipped_weights_agree_with_the_released_graph_within_float16(shipped):
    features, scores = features_and_scores(shipped, golden_image())
    assert features == pytest.approx(GOLDEN_FEATURES, rel=0.01)
    for (largest, mean), (golden_largest, golden_mean) in zip(scores, GOLDEN):
        assert largest == pytest.approx(golden_largest, rel=0.03)
        assert mean == pytest.approx(golden_mean, rel=0.01)


@pytest.mark.skipif(not SOURCE.is_dir(), reason='the released weights are not here')
def test_converted_weights_reproduce_the_released_graph():
    tool = runpy.run_path(str(ROOT / 'tools' / 'model_converters' / 'picodet_to_mmtube.py'))
    layers, _ = tool['read_source'](SOURCE)
    model = build(num_classes=80)
    model.load_state_dict(
        {name: torch.from_numpy(a.copy()) for name, a in tool['convert'](layers).items()}, strict=True
    )
    features, scores = features_and_scores(model.eval(), golden_image())
    assert [f'{mean:.5f}' for mean in features] == [f'{mean:.5f}' for mean in GOLDEN_FEATURES]
    assert [(f'{a:.5f}', f'{b:.6f}') for a, b in scores] == [(f'{a:.5f}', f'{b:.6f}') for a, b in GOLDEN]


def test_maps_of_a_side_that_64_does_not_divide_are_rounded_up():
    model = build().eval()
    with torch.inference_mode():
        logits, distances = model.bbox_head(model.neck(model.backbone(torch.zeros(1, 3, 96, 160))))
    assert [tuple(level.shape) for level in logits] == [(1, 1, 12, 20), (1, 1, 6, 10), (1, 1, 3, 5), (1, 1, 2, 3)]
    assert [level.shape[1] for level in distances] == [32, 32, 32, 32]


def test_backbone_width_scales_to_multiples_of_eight():
    backbone = PPLCNet(scale=0.25, out_stages=(2, 3))  # 16 -> 8, 32 -> 8, 64 -> 16
    maps = backbone(torch.zeros(2, 3, 32, 32))
    assert [tuple(m.shape) for m in maps] == [(2, 8, 16, 16), (2, 16, 8, 8)]
    assert not hasattr(backbone, 'blocks4')


@pytest.mark.parametrize('stages', [(1, 2), (7,), ()])
def test_backbone_refuses_a_stage_that_it_does_not_have(stages):
    with pytest.raises(ValueError, match='out_stages'):
        PPLCNet(out_stages=stages)


def test_neck_puts_the_resampled_map_first():
    neck = LCPAN(in_channels=[8, 8], out_channels=8).eval()
    met = {}
    for name in ('top_down_blocks', 'bottom_up_blocks'):
        getattr(neck, name)[0].register_forward_pre_hook(lambda _, args, name=name: met.update({name: args[0]}))
    with torch.inference_mode():
        fine, coarse = torch.randn(1, 8, 4, 4), torch.randn(1, 8, 2, 2)
        neck([fine, coarse])
        assert torch.equal(met['top_down_blocks'][:, 8:], neck.convs[0](fine))
        assert torch.equal(met['top_down_blocks'][:, :8, ::2, ::2], neck.convs[1](coarse))
        assert torch.equal(met['bottom_up_blocks'][:, 8:], neck.convs[1](coarse))


def test_score_is_the_geometric_mean_of_class_and_alignment():
    quarter = torch.log(torch.tensor(1 / 3))  # sigmoid 0.25
    score = joint_logit(torch.zeros(1, 1, 1, 1), quarter.reshape(1, 1, 1, 1)).sigmoid()
    assert float(score) == pytest.approx((0.5 * 0.25) ** 0.5)


@pytest.mark.parametrize('dtype', [torch.float32, torch.float16])
def test_score_logit_stays_finite_where_the_sigmoids_saturate(dtype):
    extremes = torch.tensor([-100.0, 0.0, 100.0], dtype=dtype, requires_grad=True)
    logit = joint_logit(extremes, torch.tensor([-100.0, 100.0, 100.0], dtype=dtype))
    logit.sum().backward()
    assert logit.dtype is torch.float32
    assert torch.isfinite(logit).all() and torch.isfinite(extremes.grad).all()
    assert logit[0] < -90 and logit[2] > 13


def test_boxes_stand_around_the_centre_of_their_cell():
    head = build().eval().bbox_head
    logits = [torch.full((1, 1, 4 >> i or 1, 4 >> i or 1), -9.0) for i in range(4)]
    distances = [torch.full((1, 4, 8, *level.shape[2:]), -50.0) for level in logits]
    logits[0][0, 0, 2, 1] = 3.0  # cell x = 1, y = 2 of stride 8: centre (12, 20)
    for side, distance in enumerate((1, 2, 3, 1)):  # in strides: left, top, right, bottom
        distances[0][0, side, distance, 2, 1] = 50.0
    [result] = head.predict_by_feat(
        logits, [d.flatten(1, 2) for d in distances], batch_img_metas=[sample([]).metainfo], rescale=False
    )
    assert result.bboxes.tolist() == [[4.0, 4.0, 36.0, 28.0]]
    assert float(result.scores) == pytest.approx(1 / (1 + np.exp(-3)))


def test_untrained_scores_are_low():
    model = build().eval()
    _, scores = features_and_scores(model, golden_image())
    assert all(0.02 < mean < 0.2 for _, mean in scores)  # sqrt(0.01 * 0.5) = 0.07


def test_initialisation_keeps_the_low_scores():
    model = build()
    model.init_weights()  # what the runner calls; GFLHead's own default names a layer that is not there
    assert {round(float(level.cls.bias), 3) for level in model.bbox_head.levels} == {-4.595}


def test_gradient_reaches_every_parameter():
    model = build().train()
    size = (320, 320)
    boxes = [[8, 8, 40, 60], [60, 20, 140, 120], [20, 140, 180, 310], [2, 2, 318, 318]]  # one for every level
    total_loss(model, [picture(boxes, size)], [sample(boxes, size)]).backward()
    without = [name for name, p in model.named_parameters() if p.grad is None or not torch.isfinite(p.grad).all()]
    assert without == []
    assert [name for name, p in model.named_parameters() if not p.grad.abs().sum() > 0] == []


def test_loss_falls_on_one_picture():
    model = build()
    load_weights(model, 'mmtube://picodet_s_person_fp16.pth')
    model.train()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9)
    boxes = [[30, 20, 90, 140]]
    losses = []
    for _ in range(6):
        optimizer.zero_grad()
        loss = total_loss(model, [picture(boxes)], [sample(boxes)])
        loss.backward()
        optimizer.step()
        losses.append(float(loss))
    assert np.isfinite(losses).all()
    assert losses[-1] < 0.7 * losses[0]


def test_a_picture_without_people_trains():
    model = build().train()
    loss = total_loss(model, [picture([])], [sample([])])
    loss.backward()
    assert torch.isfinite(loss) and loss > 0
    assert all(torch.isfinite(p.grad).all() for p in model.parameters())
