"""The focal loss of groups against loops in float64."""

import math

import pytest
import torch

from mmtube.models.losses import GroupedFocalLoss

GROUPS = (3, 2, 4)


def data(people=5, seed=0):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(people, sum(GROUPS), generator=generator, dtype=torch.float64) * 3
    labels = (torch.rand(people, sum(GROUPS), generator=generator) < 0.4).double()
    labels[0, :3] = 0  # no pose
    return logits, labels


def sigmoid_loop(logits, labels, gamma):
    total = 0.0
    for row, truth in zip(logits.tolist(), labels.tolist()):
        for logit, label in zip(row, truth):
            p = 1 / (1 + math.exp(-logit))
            right = p if label else 1 - p
            total -= (1 - right) ** gamma * math.log(right)
    return total


def softmax_loop(logits, labels, gamma):
    total = 0.0
    for row, truth in zip(logits.tolist(), labels.tolist()):
        if 1 in truth:
            exps = [math.exp(logit) for logit in row]
            right = exps[truth.index(1)] / sum(exps)
            total -= (1 - right) ** gamma * math.log(right)
    return total


@pytest.mark.parametrize('gamma', [0.0, 0.5, 1.0, 2.0])
@pytest.mark.parametrize('softmax', [(), (0,), (0, 2)])
def test_it_is_the_sum_over_classes_by_the_number_of_people(gamma, softmax):
    logits, labels = data()
    weights = (1.0, 2.0, 0.5)
    found = GroupedFocalLoss(GROUPS, weights, gamma, softmax)(logits, labels)
    assert list(found) == ['loss_pose', 'loss_person', 'loss_object']
    parts = zip(found.values(), logits.split(GROUPS, 1), labels.split(GROUPS, 1), weights)
    for number, (loss, scores, truth, weight) in enumerate(parts):
        loop = softmax_loop if number in softmax else sigmoid_loop
        assert loss.item() == pytest.approx(weight * loop(scores, truth, gamma) / 5, abs=1e-10)


def test_gamma_0_is_cross_entropy():
    logits, labels = data()
    total = sum(GroupedFocalLoss(GROUPS, gamma=0)(logits, labels).values())
    expected = torch.nn.functional.binary_cross_entropy_with_logits(logits, labels, reduction='sum') / 5
    torch.testing.assert_close(total, expected, rtol=0, atol=1e-10)


def test_the_means_of_alphaction_with_its_weights_are_sums():
    """Mean over 49 object and 17 person classes, weights 49 and 17 (Tang et al., 2020): the sum, weight 1."""
    torch.manual_seed(0)
    logits, labels = torch.randn(3, 80).double(), (torch.rand(3, 80) < 0.1).double()
    found = GroupedFocalLoss((14, 49, 17), (1.2, 1, 1), softmax_groups=(0,), names=('pose', 'object', 'person'))(
        logits, labels
    )
    p = logits[:, 14:63].sigmoid()
    right = torch.where(labels[:, 14:63] > 0, p, 1 - p)
    mean = (-((1 - right) ** 2) * right.log()).mean(dim=1).sum() / 3
    torch.testing.assert_close(found['loss_object'], 49 * mean, rtol=0, atol=1e-10)


@pytest.mark.parametrize('gamma', [0.0, 0.5, 2.0])
@pytest.mark.parametrize('softmax', [(), (0,)])
def test_gradients_are_those_of_differences(gamma, softmax):
    logits, labels = data(3)
    loss = GroupedFocalLoss(GROUPS, gamma=gamma, softmax_groups=softmax)
    assert torch.autograd.gradcheck(lambda x: sum(loss(x, labels).values()), logits.requires_grad_())


@pytest.mark.parametrize('softmax', [(), (0,)])
def test_people_without_a_pose_are_not_drawn_to_the_first(softmax):
    logits, labels = torch.zeros(1, 9).double().requires_grad_(), torch.zeros(1, 9).double()
    found = GroupedFocalLoss(GROUPS, softmax_groups=softmax)(logits, labels)
    (grad,) = torch.autograd.grad(found['loss_pose'], logits)
    poses = grad[0, :3]
    # As many poses, as much push down each; with a softmax nothing is known and nothing is pushed.
    assert torch.equal(poses, poses[:1].expand(3))
    assert not poses.any() if softmax else (poses > 0).all()


@pytest.mark.parametrize('gamma', [0.0, 0.5, 2.0])
def test_sure_scores_have_finite_gradients(gamma):
    logits = torch.tensor([[200.0, -200.0, 200.0, -200.0]], requires_grad=True)
    labels = torch.tensor([[1.0, 0.0, 0.0, 1.0]])
    found = GroupedFocalLoss((4,), gamma=gamma)(logits, labels)['loss_0']
    found.backward()
    assert found.item() == pytest.approx(400) and logits.grad.tolist() == [[0, 0, 1, -1]]


def test_nobody_has_a_loss_of_0_with_a_gradient():
    logits = torch.zeros(0, 9, requires_grad=True)
    total = sum(GroupedFocalLoss(GROUPS)(logits, torch.zeros(0, 9)).values())
    total.backward()
    assert total.item() == 0 and logits.grad.shape == (0, 9)


def test_scores_are_a_softmax_where_the_loss_is():
    logits, _ = data()
    scores = GroupedFocalLoss(GROUPS, softmax_groups=(0,)).scores(logits)
    torch.testing.assert_close(scores[:, :3], logits[:, :3].softmax(dim=1))
    torch.testing.assert_close(scores[:, 3:], logits[:, 3:].sigmoid())


@pytest.mark.parametrize(
    'options', [dict(groups=()), dict(weights=(1.0,)), dict(gamma=-1.0), dict(softmax_groups=(3,)), dict(names=('a',))]
)
def test_bad_settings_are_refused(options):
    with pytest.raises(ValueError, match=r'fit together|bad gamma'):
        GroupedFocalLoss(**{'groups': GROUPS, **options})


def test_other_numbers_of_classes_are_refused():
    with pytest.raises(ValueError, match='9 classes'):
        GroupedFocalLoss(GROUPS)(torch.zeros(1, 8), torch.zeros(1, 8))
