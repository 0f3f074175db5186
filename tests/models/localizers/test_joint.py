import pytest
import torch

from mmtube.datasets.collate import tubelet_collate
from mmtube.models.localizers.base import Truth
from mmtube.models.localizers.joint import SharedStem
from tests.models.localizers.planted import build, found_in, mean_ap, plant_sequences, train

PYRAMID = dict(channels=32, num_levels=5, drop_path=0.0)
FREE = dict(type='AnchorFreeLocalizer', num_classes=2, pyramid=PYRAMID)
FASTER = dict(
    type='FasterTAD',
    num_classes=2,
    proposals=dict(width=16, bins=8, count=30, top=100, most_pairs=300),
    context=dict(dim=64, ffn=128, heads=4, bins=8, dropout=0.0),
)


def make(**changes):
    torch.manual_seed(0)
    atomic = dict(FREE, multi_label=True)
    config = dict(type='JointLocalizer', stem=dict(dims=[16], channels=32), atomic=atomic, complex=FREE)
    return build({**config, **changes})


def losses_of(model, items):
    return model(**tubelet_collate(items), mode='loss')


@pytest.mark.slow
def test_overfits_both_tasks_at_once():
    # Classes 0 and 1 are atomic actions, 2 and 3 complex activities; all overlap.
    model, items = make(), plant_sequences(multi_label=True, instances=4)
    train(model, items, 300, lr=2e-3)
    assert mean_ap(model, items) > 0.95


@pytest.mark.parametrize('complex', [FREE, FASTER], ids=['anchor_free', 'faster_tad'])
def test_gradient_reaches_every_parameter_and_losses_say_whose_they_are(complex):
    model = make(complex=complex)
    losses = losses_of(model, plant_sequences(6, multi_label=True, instances=4))
    assert {name.split('_')[0] for name in losses} == {'atomic', 'complex', 'loss'} and all('loss' in x for x in losses)
    sum(losses.values()).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize('detach', [True, False])
def test_complex_losses_reach_the_rows_unless_they_are_detached(detach):
    model = make(detach=detach)
    losses = losses_of(model, plant_sequences(4, multi_label=True, instances=4))
    sum(loss for name, loss in losses.items() if name.startswith('complex_')).backward()
    assert model.project.weight.grad.any()
    assert (model.rows.weight.grad is None) == detach


def test_without_atomic_features_both_see_the_same_sequence():
    model = make(atomic_to_complex=False)
    base = torch.randn(1, 32, 5)
    assert model.sequences(base, torch.ones(1, 5, dtype=torch.bool))[0] is base
    losses = losses_of(model, plant_sequences(2))
    assert 'loss_rows' not in losses and not [name for name, _ in model.named_parameters() if name.startswith('rows')]


def test_what_rows_say_is_added_where_complex_activities_are_sought():
    model = make()
    torch.nn.init.zeros_(model.rows.weight)
    torch.nn.init.zeros_(model.rows.bias)
    torch.nn.init.ones_(model.project.weight)
    torch.nn.init.zeros_(model.project.bias)
    sequence, _ = model.sequences(torch.zeros(1, 32, 2), torch.tensor([[True, False]]))
    # Two classes of one half each; nothing in a masked row.
    assert sequence[0, 0].tolist() == [1, 0]


def test_rows_outside_instances_have_no_loss():
    model = make()
    logits = torch.zeros(1, 2, 6, requires_grad=True)
    truth = Truth(torch.tensor([[0.5, 2.0], [1.0, 4.2]]), torch.tensor([1, 2]))
    mask = torch.tensor([[True, True, True, False, True, True]])
    loss = model.row_loss(logits, mask, [truth])
    loss.backward()
    # Rows 1, 2 and 4 lie in an instance and count; class 1 goes on in two, so 2 of 6 have alpha 0.25, 4 have 0.75.
    assert loss.item() == pytest.approx((2 * 0.25 + 4 * 0.75) * 0.25 * 0.693147 / 2, rel=1e-4)
    assert logits.grad[0].any(0).tolist() == [False, True, True, False, True, False]
    assert (logits.grad[0, 1] < 0).tolist() == [False, True, True, False, False, False]
    nothing = Truth(torch.zeros(0, 2), torch.zeros(0, dtype=torch.int64))
    assert model.row_loss(logits, mask, [nothing]).item() == 0


def test_each_task_has_its_own_labels_and_results_the_joint_ones():
    model = make(min_score=0.0)
    truth = Truth(torch.tensor([[0.0, 1], [1, 2], [2, 3]]), torch.tensor([1, 2, 3]))
    assert model.of_task(truth, True).labels.tolist() == [1]
    assert model.of_task(truth, False).labels.tolist() == [0, 1]
    assert model.of_task(truth, False).segments.tolist() == [[1, 2], [2, 3]]
    found = found_in(model, plant_sequences(1))[0].pred_segments
    assert set(found.labels.tolist()) == {0, 1, 2, 3}


def test_a_batch_of_mixed_lengths_gives_what_each_alone_gives():
    model, items = make(), plant_sequences(4, rows=(3, 60))
    for item, sample in zip(items, found_in(model, items)):
        alone = found_in(model, [item])[0].pred_segments
        assert alone.labels.tolist() == sample.pred_segments.labels.tolist()
        torch.testing.assert_close(alone.segments_s, sample.pred_segments.segments_s, rtol=0, atol=1e-5)


def test_arguments_out_of_range_are_refused():
    with pytest.raises(ValueError, match='row_weight must not be negative'):
        make(row_weight=-1.0)
    with pytest.raises(ValueError, match='StreamStem is no temporal detector'):
        make(complex=dict(type='StreamStem', num_classes=2))
    with pytest.raises(ValueError, match='channels must be positive'):
        SharedStem(0)
