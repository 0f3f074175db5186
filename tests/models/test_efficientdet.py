"""EfficientDet: its size, pyramid and head against a literal reference, training, and weights of mmdet's project."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmdet.structures import DetDataSample
from mmengine.registry import MODELS as ROOT_MODELS
from mmengine.registry import DefaultScope
from mmengine.structures import InstanceData

from mmtube.config import load_config
from mmtube.errors import InputError
from mmtube.models.detectors import PersonDetector
from mmtube.models.heads import EfficientDetHead
from mmtube.models.necks import BiFPN
from mmtube.models.necks.bifpn import fuse, halve

ROOT = Path(__file__).parents[2]
TOOL = runpy.run_path(str(ROOT / 'tools' / 'model_converters' / 'mmdet_efficientdet_to_mmtube.py'))
CONFIG = {name: f'mmtube::seal/person_efficientdet_{name}.py' for name in ('d0', 'd3')}
# Inputs of the pyramid, width, layers of the pyramid, convolutions of a tower (EfficientDet, Table 1).
SHAPE = {'d0': ((40, 112, 320), 64, 3, 3), 'd3': ((48, 136, 384), 160, 6, 4)}


def build(name: str = 'd0', num_classes: int = 1) -> torch.nn.Module:
    torch.manual_seed(0)
    cfg = load_config(CONFIG[name], {'model.bbox_head.num_classes': num_classes, 'model.backbone.init_cfg': None})
    with DefaultScope.overwrite_default_scope('mmtube'):
        return ROOT_MODELS.build(cfg.model)


def their_state(name: str, num_classes: int) -> dict[str, torch.Tensor]:
    """Random weights by the names and shapes of mmdet's projects/EfficientDet."""
    generator = torch.Generator().manual_seed(1)
    inputs, width, layers, convs = SHAPE[name]
    state = {f'backbone.{key}': value for key, value in build(name).backbone.state_dict().items()}

    def add(key, *shape):
        state[key] = torch.randn(shape, generator=generator) / np.sqrt(max(np.prod(shape[1:]), 1))

    def add_norm(key, channels):
        for tail in ('weight', 'bias', 'running_mean'):
            add(f'{key}.{tail}', channels)
        state[f'{key}.running_var'] = torch.rand(channels, generator=generator) + 0.5
        state[f'{key}.num_batches_tracked'] = torch.tensor(7)

    def add_separable(key, channels, out, norm=False):
        add(f'{key}.depthwise_conv.weight', channels, 1, 3, 3)
        add(f'{key}.pointwise_conv.weight', out, channels, 1, 1)
        add(f'{key}.pointwise_conv.bias', out)
        if norm:
            add_norm(f'{key}.bn', out)

    projections = [(f'p{level}_down_channel', channels) for level, channels in zip((3, 4, 5), inputs)]
    projections += [(f'p{level}_level_connection', channels) for level, channels in zip((4, 5), inputs[1:])]
    for key, channels in [*projections, ('p5_to_p6.0', inputs[2])]:
        add(f'neck.bifpn.0.{key}.down_conv.weight', width, channels, 1, 1)
        add(f'neck.bifpn.0.{key}.down_conv.bias', width)
        add_norm(f'neck.bifpn.0.{key}.bn', width)
    for layer in range(layers):
        for key in ('conv6_up', 'conv5_up', 'conv4_up', 'conv3_up', *(f'conv{level}_down' for level in (4, 5, 6, 7))):
            add_separable(f'neck.bifpn.{layer}.{key}', width, width, norm=True)
        for key, count in [('p6_w1', 2), ('p5_w1', 2), ('p4_w1', 2), ('p3_w1', 2)]:
            state[f'neck.bifpn.{layer}.{key}'] = torch.rand(count, generator=generator) - 0.2
        for key, count in [('p4_w2', 3), ('p5_w2', 3), ('p6_w2', 3), ('p7_w2', 2)]:
            state[f'neck.bifpn.{layer}.{key}'] = torch.rand(count, generator=generator) - 0.2
    for task, out in (('cls', 9 * num_classes), ('reg', 36)):
        for conv in range(convs):
            add_separable(f'bbox_head.{task}_conv_list.{conv}', width, width)
            for level in range(5):
                add_norm(f'bbox_head.{task}_bn_list.{conv}.{level}', width)
        add_separable(f'bbox_head.{task}_header', width, out)
    return state


def norm(state, key, x):
    values = [state[f'{key}.{tail}'] for tail in ('running_mean', 'running_var', 'weight', 'bias')]
    return F.batch_norm(x, *values, eps=1e-3)


def separable(state, key, x):
    x = F.conv2d(x, state[f'{key}.depthwise_conv.weight'], padding=1, groups=x.shape[1])
    return F.conv2d(x, state[f'{key}.pointwise_conv.weight'], state[f'{key}.pointwise_conv.bias'])


def pooled(x):
    return F.max_pool2d(F.pad(x, (0, 1, 0, 1)), 3, 2)  # sides here are even


def their_neck(state, layers, inputs):
    """The pyramid written out level by level, with their names."""

    def project(key, x):
        key = f'neck.bifpn.0.{key}'
        return norm(state, f'{key}.bn', F.conv2d(x, state[f'{key}.down_conv.weight'], state[f'{key}.down_conv.bias']))

    p3, p4, p5 = inputs
    p6_in = pooled(project('p5_to_p6.0', p5))
    p7_in = pooled(p6_in)
    p3_in, p4_in, p5_in = (project(f'p{level}_down_channel', x) for level, x in ((3, p3), (4, p4), (5, p5)))
    p4_skip, p5_skip = project('p4_level_connection', p4), project('p5_level_connection', p5)
    for layer in range(layers):
        prefix = f'neck.bifpn.{layer}'

        def node(level, way, weights, *maps, prefix=prefix):
            share = state[f'{prefix}.p{level}_{weights}'].clamp(min=0)
            share = share / (share.sum() + 1e-4)
            total = sum(float(part) * x for part, x in zip(share, maps))
            key = f'{prefix}.conv{level}_{way}'
            return norm(state, f'{key}.bn', separable(state, key, total * total.sigmoid()))

        def twice(x):
            return x.repeat_interleave(2, 2).repeat_interleave(2, 3)

        p6_up = node(6, 'up', 'w1', p6_in, twice(p7_in))
        p5_up = node(5, 'up', 'w1', p5_in, twice(p6_up))
        p4_up = node(4, 'up', 'w1', p4_in, twice(p5_up))
        p3_out = node(3, 'up', 'w1', p3_in, twice(p4_up))
        p4_out = node(4, 'down', 'w2', p4_skip, p4_up, pooled(p3_out))
        p5_out = node(5, 'down', 'w2', p5_skip, p5_up, pooled(p4_out))
        p6_out = node(6, 'down', 'w2', p6_in, p6_up, pooled(p5_out))
        p7_out = node(7, 'down', 'w2', p7_in, pooled(p6_out))
        p3_in, p4_in, p5_in, p6_in, p7_in = p3_out, p4_out, p5_out, p6_out, p7_out
        p4_skip, p5_skip = p4_in, p5_in
    return p3_in, p4_in, p5_in, p6_in, p7_in


def their_head(state, task, convs, maps):
    outputs = []
    for level, x in enumerate(maps):
        for conv in range(convs):
            x = separable(state, f'bbox_head.{task}_conv_list.{conv}', x)
            x = norm(state, f'bbox_head.{task}_bn_list.{conv}.{level}', x)
            x = x * x.sigmoid()
        outputs.append(separable(state, f'bbox_head.{task}_header', x))
    return outputs


def write(path, state, **meta):
    torch.save(dict(state_dict=state, meta=meta), path)
    return str(path)


def convert(*arguments):
    TOOL['main']([str(argument) for argument in arguments])


def sample(boxes, size):
    boxes = torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4)
    shape = (size[1], size[0])
    metainfo = dict(img_shape=shape, ori_shape=shape, pad_shape=shape, batch_input_shape=shape, scale_factor=(1.0, 1.0))
    instances = InstanceData(bboxes=boxes, labels=torch.zeros(len(boxes), dtype=torch.int64))
    return DetDataSample(gt_instances=instances, metainfo=metainfo)


def picture(boxes, size, seed=0):
    """Grey noise with a red rectangle for every box."""
    image = np.random.default_rng(seed).normal(0, 0.3, (3, size[1], size[0]))
    for x1, y1, x2, y2 in boxes:
        image[:, y1:y2, x1:x2] += np.array([2.0, -1.0, -1.0])[:, None, None]
    return torch.from_numpy(image).float()


@pytest.mark.parametrize(('name', 'parameters'), [('d0', 3_880_067), ('d3', 12_032_296)])
def test_parameters_are_as_many_as_published_with_the_90_classes_of_coco(name, parameters):
    # The paper rounds to 3.9 M and 12 M (Table 2).
    assert sum(p.numel() for p in build(name, 90).parameters()) == parameters


@pytest.mark.parametrize('name', ['d0', 'd3'])
def test_converted_weights_compute_what_the_names_of_mmdet_say(name, tmp_path):
    inputs, _, layers, convs = SHAPE[name]
    theirs = their_state(name, num_classes=80)
    convert(write(tmp_path / 'theirs.pth', theirs), tmp_path / 'ours.pth')
    ours = torch.load(tmp_path / 'ours.pth', weights_only=True)
    assert ours['meta']['dataset_meta']['classes'][0] == 'person'
    model = build(name, 80)
    model.load_state_dict(ours['state_dict'], strict=True)  # nothing missing, nothing left over
    model.eval()
    generator = torch.Generator().manual_seed(2)
    maps = [torch.randn(2, channels, 32 >> i, 48 >> i, generator=generator) for i, channels in enumerate(inputs)]
    with torch.inference_mode():
        features = model.neck(maps)
        expected = their_neck(theirs, layers, maps)
        for feature, reference in zip(features, expected, strict=True):
            torch.testing.assert_close(feature, reference, rtol=1e-4, atol=1e-4)
        for output, task in zip(model.bbox_head(expected), ('cls', 'reg')):
            for level, reference in zip(output, their_head(theirs, task, convs, expected), strict=True):
                torch.testing.assert_close(level, reference, rtol=1e-4, atol=1e-4)


def test_person_alone_keeps_the_scores_of_person(tmp_path):
    source = write(tmp_path / 'theirs.pth', their_state('d0', 80))
    convert(source, tmp_path / 'all.pth')
    convert(source, tmp_path / 'person.pth', '--person-only')
    both = [build('d0', 80).eval(), build('d0', 1).eval()]
    for model, name in zip(both, ('all', 'person')):
        model.load_state_dict(torch.load(tmp_path / f'{name}.pth', weights_only=True)['state_dict'], strict=True)
    maps = [torch.randn(1, 64, 16 >> i, 16 >> i) for i in range(5)]
    with torch.inference_mode():
        (every, boxes), (person, same) = (model.bbox_head(maps) for model in both)
    assert [tuple(level.shape) for level in person] == [(1, 9, 16 >> i, 16 >> i) for i in range(5)]
    assert torch.equal(person[0], every[0].reshape(1, 9, 80, 16, 16)[:, :, 0])
    assert torch.equal(boxes[0], same[0])


def test_person_is_found_by_name_where_the_file_names_its_classes(tmp_path):
    state = their_state('d0', 3)
    source = write(tmp_path / 'theirs.pth', state, dataset_meta=dict(classes=('dog', 'person', 'cat')))
    convert(source, tmp_path / 'person.pth', '--person-only')
    kept = torch.load(tmp_path / 'person.pth', weights_only=True)
    assert kept['meta']['dataset_meta']['classes'] == ('person',)
    bias = kept['state_dict']['bbox_head.cls_tower.out.pointwise.bias']
    assert torch.equal(bias, state['bbox_head.cls_header.pointwise_conv.bias'].reshape(9, 3)[:, 1])


def test_detector_runs_with_converted_weights(tmp_path):
    convert(write(tmp_path / 'theirs.pth', their_state('d0', 80)), tmp_path / 'person.pth', '--person-only')
    detector = PersonDetector('mmtube::seal/person_efficientdet_d0', checkpoint=str(tmp_path / 'person.pth'))
    [(boxes_px, scores)] = detector([np.full((60, 80, 3), 128, np.uint8)])
    assert boxes_px.shape == (len(scores), 4)
    assert (boxes_px >= 0).all() and (boxes_px <= [80, 60, 80, 60]).all()


@pytest.mark.parametrize(
    ('change', 'cause'),
    [
        (lambda s: s.pop('neck.bifpn.2.p7_w2'), 'tensors are missing, such as neck.layers.2.up_weights.3'),
        (lambda s: s.update({'roi_head.fc.weight': torch.zeros(2)}), 'foreign tensors, such as roi_head.fc.weight'),
        (lambda s: s.update({'neck.bifpn.9.p7_w2': torch.zeros(2)}), 'left over, such as neck.layers.9'),
        (lambda s: s.update({'neck.bifpn.1.p7_w2': torch.zeros(3)}), r'is \(3,\), not \(2,\)'),
        (lambda s: s.pop('bbox_head.cls_header.pointwise_conv.bias'), 'no class layer'),
        (lambda s: s.update({'neck.bifpn.0.p5_to_p6.0.down_conv.bias': torch.zeros(88)}), 'neither D0 nor D3'),
    ],
)
def test_another_file_is_refused_by_one_line(change, cause, tmp_path):
    state = their_state('d0', 80)
    change(state)
    with pytest.raises(InputError, match=cause):
        convert(write(tmp_path / 'theirs.pth', state), tmp_path / 'ours.pth')
    assert not (tmp_path / 'ours.pth').exists()


def test_classes_that_the_file_does_not_name_are_refused(tmp_path):
    source = write(tmp_path / 'theirs.pth', their_state('d0', 90))
    with pytest.raises(InputError, match='has 90 classes and does not name them'):
        convert(source, tmp_path / 'ours.pth', '--person-only')


def test_fusion_weights_are_kept_from_being_negative_and_are_normalised():
    ones = torch.ones(1, 1, 1, 1)
    assert float(fuse(torch.tensor([1.0, 3.0]), (ones, 5 * ones), epsilon=0.0)) == 4.0  # (1 + 3 * 5) / 4
    assert float(fuse(torch.tensor([-2.0, 3.0]), (ones, 5 * ones), epsilon=0.0)) == 5.0
    assert float(fuse(torch.tensor([0.0, 0.0]), (ones, 5 * ones), epsilon=1e-4)) == 0.0


def test_pooling_pads_an_even_side_behind_and_an_odd_side_on_both_ends():
    even = torch.tensor([[[[-1.0, -2.0, -3.0, -4.0]]]])
    assert halve(even, edge=-torch.inf).tolist() == [[[[-1.0, -3.0]]]]
    assert halve(even).tolist() == [[[[0.0, 0.0]]]]  # what mmdet's weights are trained with: there are zeros around
    odd = torch.tensor([[[[5.0, 1.0, 2.0]]]])
    assert halve(odd).tolist() == [[[[5.0, 2.0]]]]


def test_pyramid_takes_sides_that_are_not_divisible():
    neck = BiFPN(in_channels=[4, 6, 8], out_channels=5, num_layers=2).eval()
    with torch.inference_mode():
        maps = neck([torch.zeros(1, 4, 13, 21), torch.zeros(1, 6, 7, 11), torch.zeros(1, 8, 4, 6)])
    assert [tuple(level.shape[1:]) for level in maps] == [(5, 13, 21), (5, 7, 11), (5, 4, 6), (5, 2, 3), (5, 1, 2)]


def test_pyramid_needs_a_level_of_its_own():
    with pytest.raises(ValueError, match='num_outs must exceed the 3 inputs'):
        BiFPN(in_channels=[4, 6, 8], out_channels=5, num_outs=3)


def test_initialisation_begins_with_rare_people():
    model = build()
    model.bbox_head.init_weights()
    assert {round(value, 3) for value in model.bbox_head.cls_tower.out.pointwise.bias.tolist()} == {-4.595}
    assert set(model.bbox_head.reg_tower.out.pointwise.bias.tolist()) == {0.0}
    # Variance 1 / fan in: 64 channels in.
    assert float(model.bbox_head.cls_tower.convs[0].pointwise.weight.std()) == pytest.approx(0.125, rel=0.1)


def test_box_loss_is_hubers_of_delta_a_tenth_and_weight_50():
    head: EfficientDetHead = build().bbox_head
    errors = torch.tensor([[0.05, 0.1, 0.3, -2.0]])
    # Huber: e^2 / 2 up to delta, delta * (|e| - delta / 2) beyond; the authors take the mean over the coordinates.
    huber = [0.00125, 0.005, 0.1 * 0.25, 0.1 * 1.95]
    loss = head.loss_bbox(errors, torch.zeros(1, 4), torch.ones(1, 4), avg_factor=1.0)
    assert float(loss) == pytest.approx(50 * sum(huber) / 4, rel=1e-6)


def test_overfitting_two_pictures_lowers_the_loss_and_reaches_every_parameter():
    model = build()
    model.bbox_head.init_weights()
    model.neck.init_weights()
    model.train()
    size = (128, 128)
    boxes = [[[20, 20, 60, 100]], [[70, 40, 100, 110], [5, 5, 40, 60]]]
    images = torch.stack([picture(these, size, seed) for seed, these in enumerate(boxes)])
    samples = [sample(these, size) for these in boxes]
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    losses = []
    for step in range(12):
        optimizer.zero_grad()
        loss = sum(sum(value) for value in model.loss(images, samples).values())
        loss.backward()
        if step == 0:
            without = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.isfinite().all()]
            assert without == []
        torch.nn.utils.clip_grad_norm_(model.parameters(), 10)
        optimizer.step()
        losses.append(float(loss))
    assert np.isfinite(losses).all()
    assert losses[-1] < 0.6 * losses[0], losses
