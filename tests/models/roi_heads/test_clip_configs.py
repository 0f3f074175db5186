"""Each config of clips trains a step and predicts on a generated batch; the optimiser has the rates of the paper."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmaction.structures import ActionDataSample
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope
from mmengine.structures import InstanceData

from mmtube.config import load_config
from mmtube.models.roi_heads import InteractionAggregation
from mmtube.registry import MODELS, TRANSFORMS

ROOT = Path(__file__).parents[3]
LEAVES = sorted(
    str(path.relative_to(ROOT / 'configs'))
    for pattern in ('seal/clips_*.py', 'ava/*.py')
    for path in (ROOT / 'configs').glob(pattern)
)
# One of each kind runs with the quick tests.
QUICK = {
    'seal/clips_slowfast_r50.py',
    'seal/clips_alphaction_serial_r50_1fps.py',
    'seal/clips_alphaction_dense_r50_4fps.py',
    'seal/clips_alphaction_parallel_r50_1fps.py',
    'seal/clips_videoswin_tiny.py',
    'seal/clips_videomae_base.py',
    'ava/alphaction_dense_r50_ava22.py',
}
SIDE = 64


def build(cfg):
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmtube'):
        model = MODELS.build(cfg.model)
    for name, value in model.state_dict().items():
        if name.endswith('conv3.bn.weight'):  # frozen norms that nobody trained let 101 layers grow without bound
            value.fill_(0.2)
    return model


def sample(cfg, people, number):
    """A clip of random pixels and ``people`` people, with objects and boxes over time where the config has them."""
    rng = np.random.default_rng(number)
    dataset = cfg.train_dataloader.dataset
    step = dataset.pipeline[0]
    times_s = 10 + (np.arange(step.clip_len) - step.clip_len // 2) * step.frame_interval / 25
    lower = rng.uniform(0, 20, (people, 2))
    boxes = torch.tensor(np.hstack([lower, lower + rng.uniform(16, 40, (people, 2))]), dtype=torch.float32)
    classes = cfg.model.roi_head.head.num_classes
    labels = torch.tensor(rng.random((people, classes)) < 0.05).float()
    meta = dict(img_shape=(SIDE, SIDE - 8), video_id='film', key_s=10.0 + number, frame_times_s=times_s)
    proposals = InstanceData(bboxes=boxes)
    if dataset.get('boxes_per_s', 1) == 4:
        meta['box_times_s'] = 10.0 + number + (np.arange(8) - 3.5) / 4
        proposals.tube_boxes = boxes[:, None] + torch.arange(8.0)[:, None]
        proposals.tube_valid = torch.tensor(rng.random((people, 8)) < 0.7)
    result = ActionDataSample(metainfo=meta)
    result.proposals, result.gt_instances = proposals, InstanceData(bboxes=boxes, labels=labels)
    if dataset.get('objects'):
        result.objects = InstanceData(bboxes=boxes[:1] / 2, scores=torch.tensor([0.9])[:people])
    pixels = rng.integers(0, 256, (3, step.clip_len, SIDE, SIDE - 8), dtype=np.uint8)
    return torch.tensor(pixels), result


@pytest.mark.parametrize(
    'name', [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in LEAVES]
)
def test_a_config_trains_a_step_and_predicts(name):
    cfg = load_config(name)
    model = build(cfg)
    inputs, samples = zip(*(sample(cfg, people, number) for number, people in enumerate((3, 1))))
    data = model.data_preprocessor(dict(inputs=list(inputs), data_samples=list(samples)), True)
    losses = model.train()(**data, mode='loss')
    total, _ = model.parse_losses(losses)
    total.backward()
    assert torch.isfinite(total) and total > 0
    gradients = {key: parameter.grad for key, parameter in model.named_parameters() if parameter.grad is not None}
    assert all(torch.isfinite(gradient).all() for gradient in gradients.values())
    assert any(key.startswith('backbone.') and gradient.abs().sum() > 0 for key, gradient in gradients.items())
    if cfg.model.roi_head.get('interaction'):
        assert all(gradients[f'roi_head.interaction.blocks.{number}.out.weight'].abs().sum() > 0 for number in (0, 5))
    classes = sum(cfg.model.roi_head.head.loss.groups)
    with torch.no_grad():
        found = model.eval()(**data, mode='predict')
    assert [tuple(one.pred_instances.scores.shape) for one in found] == [(people, classes) for people in (3, 1)]
    assert torch.allclose(found[0].pred_instances.bboxes * torch.tensor([56.0, 64] * 2), samples[0].proposals.bboxes)


def test_rates_are_those_of_the_paper():
    cfg = load_config('seal/clips_alphaction_dense_r50_1fps')
    model = build(cfg)
    with DefaultScope.overwrite_default_scope('mmtube'):
        groups = build_optim_wrapper(model, cfg.optim_wrapper).optimizer.param_groups
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    found = {names[id(group['params'][0])]: (group['lr'], group['weight_decay']) for group in groups}
    assert set(found) == {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    for name, rates in found.items():
        inside, bias = name.startswith('roi_head.interaction.'), name.endswith('.bias')
        expected = (4e-4 * (10 if inside else 1) * (2 if bias else 1), 0 if bias else 1e-7)
        assert rates == pytest.approx(expected), name
    biases = [name for name in found if 'interaction' in name and name.endswith('.bias')]
    assert len(biases) == 6 * 4 + 1 + 4 and 'backbone.slow_path.conv1_lateral.conv.bias' in found


@pytest.mark.parametrize('name', ['seal/clips_videoswin_tiny', 'seal/clips_videomae_base'])
def test_the_optimisers_of_other_backbones_are_mmaction2s(name):
    cfg = load_config(name)
    model = build(cfg)
    with DefaultScope.overwrite_default_scope('mmtube'):
        groups = build_optim_wrapper(model, cfg.optim_wrapper).optimizer.param_groups
    names = {id(parameter): key for key, parameter in model.named_parameters()}
    rates = {names[id(parameter)]: group['lr'] for group in groups for parameter in group['params']}
    head = rates['roi_head.head.classifier.weight']
    assert head == cfg.optim_wrapper.optimizer.lr
    assert all(rate <= head for rate in rates.values()) and min(rates.values()) < head / 5


def test_the_interaction_has_the_size_of_the_paper():
    """By hand: four reductions, six blocks of four layers, the last to 2304 with a shortcut, two time codes each M."""
    d, wide, seconds = 1024, 2304, 61
    linear = lambda a, b: a * b + b  # noqa: E731
    count = 4 * linear(wide, d) + 5 * 4 * linear(d, d) + 3 * linear(d, d) + 2 * linear(d, wide) + 2 * 2 * seconds * d
    serial = sum(parameter.numel() for parameter in InteractionAggregation('serial').parameters())
    dense = sum(parameter.numel() for parameter in InteractionAggregation('dense').parameters())
    assert serial == count and dense == count + (2 + 3 + 4 + 5) * d


@pytest.mark.parametrize('name', ['seal/clips_slowfast_r50', 'ava/slowfast_r50_ava22'])
def test_pipelines_make_frames_of_256_pixels_and_at_most_464(name):
    cfg = load_config(name)
    with DefaultScope.overwrite_default_scope('mmtube'):
        resize = TRANSFORMS.build(next(step for step in cfg.train_dataloader.dataset.pipeline if 'Resize' in step.type))
    for size, expected in (((360, 640), (256, 455)), ((200, 480), (193, 464)), ((640, 360), (455, 256))):
        results = dict(imgs=[np.zeros((*size, 3), np.uint8)], img_shape=size)
        assert resize(results)['img_shape'] == expected
    assert cfg.train_dataloader.dataset.pipeline[0].clip_len == 64


@pytest.mark.parametrize('name', ['seal/clips_slowfast_r50.py', 'ava/alphaction_dense_r50_ava22.py'])
def test_training_without_data_names_the_file_that_is_missing(name, tmp_path):
    command = [sys.executable, str(ROOT / 'tools/train.py'), str(ROOT / 'configs' / name), '--work-dir', str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    lines = [line for line in done.stderr.splitlines() if line.startswith('error: ')]
    assert done.returncode == 2 and len(lines) == 1 and 'Traceback' not in done.stderr, done.stderr
    assert 'data/seal/annotations/train.json' in lines[0] or 'data/ava/annotations/' in lines[0]
