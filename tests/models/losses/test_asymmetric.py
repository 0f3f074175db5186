"""The asymmetric loss against literal loops, its own limits and finite differences."""

import math

import numpy as np
import pytest
import torch

from mmtube.models.losses import AsymmetricLoss
from mmtube.models.roi_heads.clip_head import ClipActionHead


def literal(logits, labels, gamma_neg, gamma_pos, clip):
    total = 0.0
    for logit, label in zip(logits.ravel(), labels.ravel()):
        p = 1 / (1 + math.exp(-logit))
        q = max(p - clip, 0)
        total -= (1 - p) ** gamma_pos * math.log(p) if label else q**gamma_neg * math.log(1 - q)
    return total


@pytest.mark.parametrize('options', [(4.0, 0.0, 0.05), (4.0, 1.0, 0.0), (2.0, 2.0, 0.2), (0.5, 0.5, 0.1)])
def test_it_is_what_literal_loops_give(options):
    rng = np.random.default_rng(1)
    logits, labels = rng.normal(0, 3, (5, 4)), rng.random((5, 4)) < 0.4
    found = AsymmetricLoss(*options)(torch.tensor(logits), torch.tensor(labels))
    assert found.item() == pytest.approx(literal(logits, labels, *options) / 5, rel=1e-6)


def test_without_exponents_and_shift_it_is_cross_entropy():
    logits, labels = torch.randn(3, 6), (torch.rand(3, 6) < 0.5).float()
    expected = torch.nn.functional.binary_cross_entropy_with_logits(logits, labels, reduction='sum')
    torch.testing.assert_close(AsymmetricLoss(0, 0, 0)(logits, labels, avg_factor=1.0), expected)


def test_an_absent_class_less_likely_than_the_shift_costs_nothing_and_a_present_one_does():
    logits = torch.full((1, 2), -3.0, requires_grad=True)  # sigmoid(-3) is 0.047
    AsymmetricLoss()(logits, torch.tensor([[0.0, 1.0]])).backward()
    assert logits.grad[0, 0] == 0 and logits.grad[0, 1] < -0.9


@pytest.mark.parametrize('options', [(4.0, 0.0, 0.05), (4.0, 1.0, 0.0), (0.5, 0.5, 0.1)])
def test_gradients_are_those_of_finite_differences(options):
    logits = torch.linspace(-2, 2, 6, dtype=torch.float64).view(2, 3).requires_grad_()
    labels = torch.tensor([[0, 1, 0], [1, 0, 1]], dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda x: AsymmetricLoss(*options)(x, labels), logits)


@pytest.mark.parametrize('options', [(4.0, 0.0, 0.05), (0.5, 0.5, 0.0), (0.0, 0.0, 0.0)])
def test_extreme_logits_have_finite_losses_and_gradients(options):
    logits = torch.tensor([[-200.0, 200.0, -200.0, 200.0]], requires_grad=True)
    loss = AsymmetricLoss(*options)(logits, torch.tensor([[0.0, 0.0, 1.0, 1.0]]))
    loss.backward()
    assert torch.isfinite(loss) and torch.isfinite(logits.grad).all()
    assert logits.grad[0, 2] < 0 and (options[2] or logits.grad[0, 1] > 0)


def test_nobody_costs_nothing_and_lets_gradients_pass():
    logits = torch.zeros(0, 2, requires_grad=True)
    loss = AsymmetricLoss()(logits, torch.zeros(0, 2))
    loss.backward()
    assert loss.item() == 0 and logits.grad.shape == (0, 2)


def test_it_serves_the_clip_head():
    head = ClipActionHead(4, 8, num_classes=3, loss=dict(type='AsymmetricLoss'))
    features = torch.randn(2, 4)
    losses = head.loss(head(features), torch.ones(2, 3))
    assert losses['loss_action'].requires_grad
    torch.testing.assert_close(head.eval().scores(head(features)), head(features).sigmoid())


def test_bad_arguments_are_refused():
    for options in (dict(gamma_neg=-1), dict(gamma_pos=-1), dict(clip=1.0)):
        with pytest.raises(ValueError, match='exponents must be'):
            AsymmetricLoss(**options)
    with pytest.raises(ValueError, match='differ'):
        AsymmetricLoss()(torch.zeros(1, 3), torch.zeros(1, 2))
