"""Class weights against the paper's formula, the loss against literal loops."""

import math

import numpy as np
import pytest
import torch

from mmtube.errors import InputError
from mmtube.models.losses import ClassBalancedLoss, GroupedFocalLoss
from mmtube.models.roi_heads.clip_head import ClipActionHead
from mmtube.structures.seal import ClassRank, write_class_rank


def literal_weights(counts, beta):
    weights = [(1 - beta) / (1 - beta ** max(count, 1)) for count in counts]
    return [weight * len(weights) / sum(weights) for weight in weights]


def literal(logits, labels, weights, gamma):
    total = 0.0
    for person in range(len(logits)):
        for c in range(len(weights)):
            p = 1 / (1 + math.exp(-logits[person, c]))
            right = p if labels[person, c] else 1 - p
            total -= weights[c] * (1 - right) ** gamma * math.log(right)
    return total


@pytest.mark.parametrize('beta', [0.0, 0.9, 0.999])
def test_weights_are_the_inverse_of_the_effective_number(beta):
    counts = [1000, 10, 1, 0]
    weights = ClassBalancedLoss(counts, beta=beta).class_weights
    np.testing.assert_allclose(weights.numpy(), literal_weights(counts, beta), rtol=1e-6)


def test_beta_goes_from_equal_weights_to_the_inverse_of_the_counts():
    assert ClassBalancedLoss([100, 1], beta=0).class_weights.tolist() == [1, 1]
    rare = ClassBalancedLoss([100, 1], beta=1 - 1e-12).class_weights
    assert (rare[1] / rare[0]).item() == pytest.approx(100, rel=1e-4)
    assert rare.mean().item() == pytest.approx(1)


@pytest.mark.parametrize('gamma', [0.0, 0.5, 2.0])
def test_it_is_what_literal_loops_give(gamma):
    rng = np.random.default_rng(0)
    counts, logits, labels = [500, 20, 3], rng.normal(0, 3, (4, 3)), rng.random((4, 3)) < 0.4
    loss = ClassBalancedLoss(counts, beta=0.99, gamma=gamma).double()
    loss.class_weights.copy_(torch.tensor(literal_weights(counts, 0.99), dtype=torch.float64))
    found = loss(torch.tensor(logits), torch.tensor(labels).double())
    expected = literal(logits, labels, literal_weights(counts, 0.99), gamma)
    assert found.item() == pytest.approx(expected / 4, rel=1e-12)
    assert loss(torch.tensor(logits), torch.tensor(labels), avg_factor=8.0).item() == pytest.approx(expected / 8)


def test_gradients_are_those_of_finite_differences():
    loss = ClassBalancedLoss([50, 2, 7], beta=0.9, gamma=2.0).double()
    logits = torch.randn(3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    labels = torch.eye(3, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda x: loss(x, labels), logits)


def test_equal_counts_give_the_focal_loss():
    logits, labels = torch.randn(5, 4), (torch.rand(5, 4) < 0.3).float()
    grouped = GroupedFocalLoss(groups=(4,), names=('action',))(logits, labels)['loss_action']
    torch.testing.assert_close(ClassBalancedLoss([9, 9, 9, 9])(logits, labels), grouped)


def test_counts_come_from_the_frozen_order_of_classes(tmp_path):
    path = tmp_path / 'rank.json'
    write_class_rank(ClassRank.count('atomic', [2, 2, 2, 0], num_classes=3, source='a test'), path)
    found = ClassBalancedLoss(str(path), beta=0.9).class_weights
    torch.testing.assert_close(found, ClassBalancedLoss([1, 0, 3], beta=0.9).class_weights)
    with pytest.raises(InputError, match=r'absent.json'):
        ClassBalancedLoss(str(tmp_path / 'absent.json'))


@pytest.mark.parametrize('gamma', [0.0, 0.5, 2.0])
def test_extreme_logits_have_finite_gradients(gamma):
    logits = torch.tensor([[-200.0, 200.0, -200.0, 200.0]], requires_grad=True)
    ClassBalancedLoss([1, 2, 3, 4], gamma=gamma)(logits, torch.tensor([[0.0, 0.0, 1.0, 1.0]])).backward()
    assert torch.isfinite(logits.grad).all() and logits.grad[0, 1] > 0 > logits.grad[0, 2]


def test_nobody_costs_nothing_and_lets_gradients_pass():
    logits = torch.zeros(0, 2, requires_grad=True)
    loss = ClassBalancedLoss([1, 2])(logits, torch.zeros(0, 2))
    loss.backward()
    assert loss.item() == 0 and logits.grad.shape == (0, 2)


def test_it_serves_the_clip_head_and_is_no_part_of_its_checkpoint():
    head = ClipActionHead(4, 8, num_classes=3, loss=dict(type='ClassBalancedLoss', counts=[5, 6, 7]))
    losses = head.loss(head(torch.randn(2, 4)), torch.ones(2, 3))
    assert losses['loss_action'].requires_grad and not [name for name in head.state_dict() if 'loss' in name]
    with pytest.raises(ValueError, match='2 classes'):
        ClipActionHead(4, 8, num_classes=3, loss=dict(type='ClassBalancedLoss', counts=[5, 6]))


def test_bad_arguments_are_refused():
    for options in (dict(counts=[]), dict(counts=[-1]), dict(counts=[1], beta=1.0), dict(counts=[1], gamma=-1)):
        with pytest.raises(ValueError, match='beta must lie'):
            ClassBalancedLoss(**options)
    with pytest.raises(ValueError, match='do not fit 2 classes'):
        ClassBalancedLoss([1, 2])(torch.zeros(1, 3), torch.zeros(1, 3))
