"""Center loss: the value, what it teaches the features, and the step of the centres."""

import numpy as np
import pytest
import torch

from mmtube.models.reid.center_loss import CenterLoss

LABELS = torch.tensor([2, 0, 2, 2])


def made(**options):
    torch.manual_seed(0)
    return CenterLoss(num_classes=4, feature_dims=3, **options), torch.randn(4, 3, requires_grad=True)


def rescaled_sgd_step(centers, features, labels, weight, lr):
    """The strong baseline's way, by autograd: weighted loss, gradient times 1 / weight, plain SGD."""
    centers = centers.clone().double().requires_grad_()
    loss = weight * (features.detach().double() - centers[labels]).square().sum(dim=1).mean()
    loss.backward()
    centers.grad *= 1 / weight
    with torch.no_grad():
        return centers - lr * centers.grad


def test_the_value_is_the_weighted_mean_squared_distance():
    loss, features = made(loss_weight=0.0005)
    f, c = features.detach().numpy().astype(np.float64), loss.centers.numpy().astype(np.float64).copy()
    expected = 0.0005 * np.mean([((f[row] - c[label]) ** 2).sum() for row, label in enumerate(LABELS.tolist())])
    assert loss(features, LABELS).item() == pytest.approx(expected, rel=1e-6)


def test_the_centres_make_the_step_of_an_optimiser_with_rescaled_gradients():
    loss, features = made(loss_weight=0.0005, lr=0.5)
    expected = rescaled_sgd_step(loss.centers, features, LABELS, 0.0005, 0.5)
    before = loss.centers.clone()
    loss(features, LABELS)
    np.testing.assert_allclose(loss.centers.numpy(), expected.numpy(), atol=1e-6)
    moved = (loss.centers != before).any(dim=1)
    assert moved.tolist() == [True, False, True, False]  # only identities of the batch


def test_the_weight_does_not_change_the_step_of_the_centres():
    steps = []
    for weight in (0, 0.0005, 1):
        loss, features = made(loss_weight=weight)
        loss(features, LABELS)
        steps.append(loss.centers)
    assert torch.equal(steps[0], steps[1]) and torch.equal(steps[1], steps[2])


def test_the_features_learn_from_the_weighted_loss_of_the_centres_before_their_step():
    loss, features = made(loss_weight=0.01)
    before = loss.centers.clone()
    loss(features, LABELS).backward()
    expected = 0.01 * 2 / 4 * (features.detach() - before[LABELS])
    np.testing.assert_allclose(features.grad.numpy(), expected.numpy(), rtol=1e-5, atol=1e-8)


def test_a_rate_of_a_half_with_one_feature_puts_the_centre_on_it():
    loss, _ = made(lr=0.5)
    feature = torch.tensor([[1.0, 2.0, 3.0]])
    loss(feature, torch.tensor([1]))
    np.testing.assert_allclose(loss.centers[1].numpy(), [1, 2, 3], atol=1e-6)


def test_ranks_move_by_the_mean_of_their_gradients(monkeypatch):
    """The other rank's batch is one on its centres: its gradient is zero and halves the mean."""
    (alone, features), (together, _) = made(), made()
    before = alone.centers.clone()
    alone(features, LABELS)

    def mean_with_zero(gradient, op):
        assert op == 'mean'
        gradient /= 2

    monkeypatch.setattr('mmtube.models.reid.center_loss.all_reduce', mean_with_zero)
    together(features, LABELS)
    np.testing.assert_allclose(together.centers - before, (alone.centers - before) / 2, atol=1e-6)


def test_nothing_moves_outside_of_training():
    loss, features = made()
    before = loss.centers.clone()
    loss.eval()(features, LABELS)
    assert torch.equal(loss.centers, before)


def test_centres_are_saved_and_are_no_parameters():
    loss, _ = made()
    assert list(loss.state_dict()) == ['centers'] and not list(loss.parameters())


def test_options_out_of_range_are_refused():
    with pytest.raises(ValueError, match='must be positive'):
        CenterLoss(0, 3)
    with pytest.raises(ValueError, match='lr not negative'):
        CenterLoss(2, 3, lr=-1)
