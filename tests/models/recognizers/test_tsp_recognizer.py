"""TSP's classifiers against a case worked by hand and a literal reference, and what training may and may not move."""

import numpy as np
import pytest
import torch
from mmaction.structures import ActionDataSample
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope
from torch import nn

from mmtube.config import load_config
from mmtube.registry import MODELS


@MODELS.register_module()
class MeanColors(nn.Module):
    """A map (N, 3, T, H, W) that is the clip itself: features are its mean colours."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, inputs):
        return inputs * self.scale


PLAIN = dict(type='mmtube.ClipPreprocessor', mean=(0, 0, 0), std=(1, 1, 1), pad_size_divisor=1)


def recognizer(**options):
    settings = dict(num_classes=2, in_channels=3, global_channels=2, data_preprocessor=PLAIN)
    return MODELS.build(dict(type='TSPRecognizer', backbone=dict(type='MeanColors'), **{**settings, **options}))


def clip(color):
    """Half of the pixels black, so that the mean is half of the colour."""
    pixels = torch.zeros(3, 2, 4, 4)
    pixels[..., :2] = 2 * torch.tensor(color, dtype=torch.float32)[:, None, None, None]
    return pixels


def sample(label, region, video=(0.0, 0.0)):
    result = ActionDataSample().set_gt_label(label)
    result.set_field(torch.tensor([region]), 'gt_region')
    if video is not None:
        result.set_field(torch.tensor(video), 'video_feature')
    return result


def set_weights(model):
    """Action 0 is red, action 1 green; foreground is the first number of the film's feature."""
    with torch.no_grad():
        model.action_head.weight.copy_(torch.tensor([[1.0, 0, 0], [0, 1.0, 0]]))
        model.region_head.weight.copy_(torch.tensor([[0.0, 0, 0, 0, 0], [0, 0, 0, 1.0, 0]]))


def test_losses_of_a_case_worked_by_hand():
    model = recognizer()
    set_weights(model)
    # Mean colours (3, 0, 0) and (0, 1, 0): logits of actions (3, 0) and (0, 1); films say 2 and 0 for foreground.
    inputs = torch.stack([clip((3, 0, 0)), clip((0, 1, 0))])
    losses = model(inputs, [sample(0, 1, (2.0, 9.0)), sample(-1, 0, (0.0, 9.0))], mode='loss')
    # The second clip is background: the first alone counts, log(1 + e^-3). Regions: log(1 + e^-2) and log 2, the mean.
    assert losses['loss_action'].item() == pytest.approx(np.log1p(np.exp(-3)), rel=1e-5)
    assert losses['loss_region'].item() == pytest.approx((np.log1p(np.exp(-2)) + np.log(2)) / 2, rel=1e-5)
    assert losses['action_acc'] == 1 and losses['region_acc'] == 1


def literal(model, colors, films, actions, regions, weights):
    """Cross entropies written out in float64."""

    def entropy(logits, label):
        return np.log(np.exp(logits - logits.max()).sum()) + logits.max() - logits[label]

    w_action, b_action, w_region, b_region = (
        getattr(getattr(model, head), name).detach().numpy().astype(np.float64)
        for head in ('action_head', 'region_head')
        for name in ('weight', 'bias')
    )
    of_actions = [entropy(w_action @ color + b_action, label) for color, label in zip(colors, actions) if label >= 0]
    of_regions = [
        entropy(w_region @ np.concatenate([color, film]) + b_region, label)
        for color, film, label in zip(colors, films, regions)
    ]
    return weights[0] * np.mean(of_actions), weights[1] * np.mean(of_regions)


@pytest.mark.parametrize('seed', range(4))
def test_losses_are_those_of_a_literal_reference(seed):
    rng = np.random.default_rng(seed)
    weights = rng.uniform(0.2, 3, 2)
    model = recognizer(num_classes=4, action_weight=weights[0], region_weight=weights[1])
    for head in (model.action_head, model.region_head):
        nn.init.normal_(head.weight)
        nn.init.normal_(head.bias)
    count = 6
    colors, films = rng.normal(size=(count, 3)), rng.normal(size=(count, 2))
    actions, regions = rng.integers(-1, 4, count), rng.integers(0, 2, count)
    actions[0] = 2
    samples = [
        sample(int(action), int(region), film.astype(np.float32).tolist())
        for action, region, film in zip(actions, regions, films)
    ]
    losses = model(torch.stack([clip(color) for color in colors]), samples, mode='loss')
    expected = literal(model, colors, films, actions, regions, weights)
    np.testing.assert_allclose([losses['loss_action'].item(), losses['loss_region'].item()], expected, rtol=1e-5)


def test_a_batch_of_background_teaches_no_action_and_is_no_nan():
    model = recognizer()
    losses = model(torch.stack([clip((1, 2, 3))] * 2), [sample(-1, 0)] * 2, mode='loss')
    total, _ = model.parse_losses(losses)
    total.backward()
    assert losses['loss_action'] == 0 and 'action_acc' not in losses and losses['loss_region'] > 0
    assert not model.action_head.weight.grad.any() and model.region_head.weight.grad.any()
    assert torch.isfinite(model.backbone.scale.grad).all() and model.backbone.scale.grad.any()  # regions teach it


def test_labels_are_counted_over_all_ranks(monkeypatch):
    """Of three labelled clips this rank has two and the other one: gradients are averaged, so each divides by 1.5."""
    model = recognizer()
    inputs, samples = torch.stack([clip((1, 2, 3))] * 2), [sample(0, 1), sample(1, 1)]
    alone = model(inputs, samples, mode='loss')['loss_action'].item()

    def other_has_one(count, op):
        assert op == 'mean' and count == 2
        count.fill_(1.5)

    monkeypatch.setattr('mmtube.models.recognizers.tsp_recognizer.all_reduce', other_has_one)
    assert model(inputs, samples, mode='loss')['loss_action'].item() == pytest.approx(alone * 2 / 1.5)


def test_the_film_tells_regions_and_nothing_else():
    model = recognizer()
    set_weights(model)
    same = torch.stack([clip((1, 2, 3))] * 2)
    dull, lively = model(same, [sample(0, 1, (-4.0, 0)), sample(0, 1, (4.0, 0))], mode='predict')
    assert torch.equal(dull.pred_score, lively.pred_score) and dull.pred_label.tolist() == [1]
    assert dull.pred_region[1] < 0.1 and lively.pred_region[1] > 0.9
    assert dull.pred_score.sum().item() == pytest.approx(1) and lively.pred_region.sum().item() == pytest.approx(1)


def test_without_films_the_clip_alone_tells_regions():
    model = recognizer(global_channels=0)
    assert model.region_head.in_features == 3
    losses = model(clip((1, 2, 3))[None], [sample(1, 1, video=None)], mode='loss')
    assert losses['loss_region'] > 0


def test_the_tensor_mode_gives_the_means_of_the_map():
    assert recognizer()(clip((1, 2, 3))[None]).tolist() == [[1, 2, 3]]


@pytest.mark.parametrize('video, told', [(None, 'no video_feature'), ((1.0, 2.0, 3.0), r'shape \(3,\)')])
def test_samples_without_the_feature_of_their_film_are_refused(video, told):
    with pytest.raises(ValueError, match=told):
        recognizer()(clip((1, 2, 3))[None], [sample(1, 1, video)], mode='loss')


def test_wrong_arguments_are_refused():
    for options in (dict(num_classes=0), dict(global_channels=-1), dict(region_weight=-0.5)):
        with pytest.raises(ValueError, match='must'):
            recognizer(**options)
    with pytest.raises(ValueError, match="'loss', 'predict' or 'tensor'"):
        recognizer()(clip((1, 2, 3))[None], mode='losses')


@pytest.fixture(scope='module')
def whole():
    """The network of the config."""
    cfg = load_config('tsp/tsp_r2plus1d34_activitynet')
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmtube'):
        return cfg, MODELS.build(cfg.model)


def test_rates_are_those_of_the_paper(whole):
    cfg, model = whole
    with DefaultScope.overwrite_default_scope('mmtube'):
        groups = build_optim_wrapper(model, cfg.optim_wrapper).optimizer.param_groups
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    rates = {names[id(parameter)]: group['lr'] for group in groups for parameter in group['params']}
    assert set(rates) == set(names.values())
    for name, rate in rates.items():
        expected = 0 if name.startswith('backbone.conv1.') else 1e-4 if name.startswith('backbone.') else 2e-3
        assert rate == pytest.approx(expected), name
    assert {group['weight_decay'] for group in groups} == {0.005}
    assert sum(name.startswith('backbone.conv1.') for name in rates) == 6  # two convolutions with their norms


def test_the_config_trains_a_step_of_a_small_size_and_leaves_the_stem_alone(whole):
    cfg, model = whole
    with DefaultScope.overwrite_default_scope('mmtube'):
        optim = build_optim_wrapper(model, cfg.optim_wrapper)
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    torch.manual_seed(0)
    clips = [torch.randint(0, 256, (3, 16, 32, 32), dtype=torch.uint8) for _ in range(2)]
    samples = [sample(7, 1, torch.rand(512).tolist()), sample(-1, 0, torch.rand(512).tolist())]
    logged = model.train().train_step(dict(inputs=clips, data_samples=samples), optim)
    assert np.isfinite(logged['loss'].item()) and logged['loss'] > 0
    moved = {name for name, parameter in model.named_parameters() if not torch.equal(parameter, before[name])}
    assert not any(name.startswith('backbone.conv1.') for name in moved)
    assert {'backbone.layer1.0.conv1.conv.conv_s.weight', 'action_head.weight', 'region_head.bias'} <= moved
    with torch.no_grad():
        found = model.eval().test_step(dict(inputs=clips, data_samples=samples))
    assert [tuple(one.pred_score.shape) for one in found] == [(200,)] * 2
