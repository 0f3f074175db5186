import numpy as np
import pytest
import torch

from mmtube.datasets.collate import tubelet_collate
from mmtube.models.localizers.base import Truth
from mmtube.models.localizers.faster_tad import FasterTAD, sample_proposals
from tests.models.localizers.planted import build, found_in, mean_ap, plant_sequence, plant_sequences, train

SMALL = dict(
    type='FasterTAD',
    stem=dict(dims=(16,), channels=32),
    num_classes=4,
    proposals=dict(width=16, bins=8, count=30, top=100, most_pairs=300),
    context=dict(dim=64, ffn=128, heads=4, bins=8, dropout=0.0),
)
TWO = dict(stem=dict(dims=(12, 4), channels=32))
OFF = dict(
    base=dict(base=0),
    fake=dict(use_fake=False),
    self_attention=dict(self_attention=False),
    cross_attention=dict(cross_attention=False),
    proximity=dict(proximity=False),
    refine=dict(refine=False),
    completeness=dict(completeness=False),
    all=dict(
        base=0,
        use_fake=False,
        self_attention=False,
        cross_attention=False,
        proximity=False,
        refine=False,
        completeness=False,
    ),
)


def losses_of(model, items):
    return model(**tubelet_collate(items), mode='loss')


def make(seed=0, **changes):
    torch.manual_seed(seed)
    return build({**SMALL, **changes})


@pytest.mark.slow
@pytest.mark.parametrize('multi_label', [False, True], ids=['softmax', 'multi_label'])
def test_overfits_twenty_sequences(multi_label):
    model = make(multi_label=multi_label, stem=dict(dims=(16,), channels=64))
    items = plant_sequences(multi_label=multi_label)
    train(model, items, 300, lr=2e-3)
    assert mean_ap(model, items) > 0.95


@pytest.mark.parametrize('multi_label', [False, True], ids=['softmax', 'multi_label'])
@pytest.mark.parametrize(
    'changes', [dict(), TWO, dict(thresholds=(0.5, 0.6, 0.7)), *OFF.values()], ids=['one', 'two', 'cascade', *OFF]
)
def test_gradient_reaches_every_parameter(multi_label, changes):
    model = make(multi_label=multi_label, **changes)
    items = plant_sequences(6, multi_label=multi_label)
    losses = losses_of(model, items)
    sum(losses.values()).backward()
    assert all(name.startswith('loss') for name in losses)
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize('part', OFF)
def test_a_part_that_is_off_leaves_no_parameters_and_the_rest_works(part):
    whole, less = make(), make(**OFF[part])
    count = [sum(parameter.numel() for parameter in model.parameters()) for model in (whole, less)]
    assert count[1] < count[0] or part == 'fake'
    found = found_in(less, plant_sequences(2))
    assert all(len(sample.pred_segments.scores) for sample in found)


def test_auxiliary_streams_have_a_loss_of_their_own():
    items = plant_sequences(2)
    assert 'loss_aux_0' in losses_of(make(**TWO), items)
    assert 'loss_aux_0' not in losses_of(make(**TWO, aux_weight=0.0), items)
    assert 'loss_aux_0' not in losses_of(make(), items)


@pytest.mark.parametrize('multi_label', [False, True], ids=['softmax', 'multi_label'])
def test_a_batch_of_mixed_lengths_gives_what_each_alone_gives(multi_label):
    model = make(multi_label=multi_label, **TWO)
    items = plant_sequences(5, rows=(3, 60), multi_label=multi_label)
    items[2]['data_samples'].valid[1:] &= torch.rand(len(items[2]['data_samples'].valid) - 1) < 0.7
    together = found_in(model, items)
    for item, sample in zip(items, together):
        alone = found_in(model, [item])[0].pred_segments
        assert alone.labels.tolist() == sample.pred_segments.labels.tolist()
        for key in ('segments_s', 'scores'):
            torch.testing.assert_close(alone[key], sample.pred_segments[key], rtol=0, atol=1e-5)


def degenerate():
    """Batches in which something is missing."""
    rows = plant_sequences(3)
    none = plant_sequences(2)
    for item in none:
        item['data_samples'].gt_instances = item['data_samples'].gt_instances[:0]
    invalid = plant_sequences(2)
    for item in invalid:
        item['data_samples'].valid[:] = False
    same = plant_sequences(1, instances=3, multi_label=True)
    same[0]['data_samples'].gt_instances.labels[:] = 2
    one = plant_sequences(1)
    one[0]['inputs'] = one[0]['inputs'][:, :1]
    one[0]['data_samples'].set_field(torch.ones(1, dtype=torch.bool), 'valid')
    one[0]['data_samples'].gt_instances.segments = torch.tensor([[-0.5, 0.5], [0.0, 0.3]])
    one[0]['data_samples'].set_metainfo(dict(num_rows=1))
    return dict(no_truth=none, invalid=invalid, some_without=[*rows, none[0], invalid[1]], same_class=same, one_row=one)


@pytest.mark.parametrize('multi_label', [False, True], ids=['softmax', 'multi_label'])
@pytest.mark.parametrize('name', list(degenerate()))
def test_losses_and_gradients_are_finite_whatever_is_missing(name, multi_label):
    model = make(multi_label=multi_label, **TWO, thresholds=(0.5, 0.7))
    losses = losses_of(model, degenerate()[name])
    sum(losses.values()).backward()
    assert all(loss.isfinite() for loss in losses.values()), losses
    assert all(parameter.grad is None or parameter.grad.isfinite().all() for parameter in model.parameters())
    for sample in found_in(model, degenerate()[name]):
        found = sample.pred_segments
        assert found.segments_s.isfinite().all() and found.scores.isfinite().all()
        assert (found.segments_s[:, 0] < found.segments_s[:, 1]).all()
        assert bool(len(found.scores)) == bool(sample.valid.any())


def test_without_truth_the_second_stage_learns_that_all_is_background():
    model = make()
    losses = losses_of(model, degenerate()['no_truth'])
    assert losses['loss_class'] > 0
    assert losses['loss_move'] == 0


def test_a_sequence_of_twenty_thousand_rows():
    model = make(window_rows=512, proposals=dict(SMALL['proposals'], max_duration_rows=128), base=1)
    item = plant_sequence(np.random.default_rng(0), 20000, 4, (16,), instances=3)
    found = found_in(model, [item])[0].pred_segments
    assert 0 < len(found.scores) <= 200
    losses = losses_of(model.train(), [item])
    assert all(loss.isfinite() for loss in losses.values())


def test_scores_are_class_times_roots_of_fit_and_proposal(monkeypatch):
    model = make().eval()
    features, mask = torch.randn(1, 16, 30), torch.ones(1, 30, dtype=torch.bool)
    base = model.stem(features, mask)[0]
    segments, proposed = torch.tensor([[[2.0, 9.0], [10.0, 20.0], [0.0, 1.0]]]), torch.tensor([[0.64, 0.25, 0.0]])
    monkeypatch.setattr(model.proposals, 'propose', lambda *args: (segments, proposed))
    with torch.no_grad():
        answers = model.stages[0](model.encode(base, mask), mask, segments, model.visible(proposed > 0, proposed < 0))
        found = model.find(base, mask)[0]
    likely = answers.logits[0, :2].softmax(-1)[:, :4]
    want = likely * answers.quality[0, :2, None].sigmoid() ** 0.5 * torch.tensor([[0.8], [0.5]])
    torch.testing.assert_close(found.scores, want.flatten().sort(descending=True).values)
    assert len(found.scores) == 8  # the third is no proposal


def test_real_proposals_do_not_see_fake_ones():
    model = make().eval()
    features, mask = torch.randn(1, 32, 30), torch.ones(1, 30, dtype=torch.bool)
    real = torch.tensor([[[2.0, 9.0], [10.0, 20.0]]])
    fake = torch.tensor([[[3.0, 8.0], [11.0, 25.0]]])
    both = torch.cat([real, fake], 1)
    there, made = torch.ones(1, 4, dtype=torch.bool), torch.tensor([[False, False, True, True]])
    with torch.no_grad():
        alone = model.stages[0](features, mask, real, model.visible(there[:, :2], made[:, :2]))
        mixed = model.stages[0](features, mask, both, model.visible(there, made))
        swapped = model.stages[0](features, mask, torch.cat([real, fake + 2], 1), model.visible(there, made))
        one_fake = model.stages[0](features, mask, both[:, :3], model.visible(there[:, :3], made[:, :3]))
    torch.testing.assert_close(mixed.logits[:, :2], alone.logits)
    torch.testing.assert_close(swapped.logits[:, :2], alone.logits)
    torch.testing.assert_close(one_fake.logits[:, 2], mixed.logits[:, 2])  # nor do fake ones see other fake ones


def test_what_may_be_seen_by_hand():
    real, fake = torch.tensor([[True, True, True, False]]), torch.tensor([[False, False, True, False]])
    assert FasterTAD.visible(real, fake)[0].tolist() == [
        [True, True, False, False],
        [True, True, False, False],
        [True, True, True, False],
        [True, True, False, True],
    ]


def test_sampling_takes_half_of_the_good_ones_and_fills_up():
    positive = torch.tensor([[True] * 10 + [False] * 30, [True] * 2 + [False] * 38, [True] * 40])
    real = torch.ones_like(positive)
    real[1, 30:] = False
    chosen = sample_proposals(positive, real, 12, 0.5)
    assert (chosen & positive).sum(1).tolist() == [6, 2, 6]
    assert chosen.sum(1).tolist() == [12, 12, 6]
    assert not (chosen & ~real).any()
    draws = torch.stack([sample_proposals(positive, real, 12, 0.5)[0] for _ in range(60)])
    assert draws[:, :10].any(0).all() and not draws[:, :10].all(0).any()


def test_moves_are_learned_only_where_they_are_right():
    segments, matched = torch.tensor([[[0.0, 4.0], [9.0, 9.5]]]), torch.tensor([[[2.0, 6.0], [0.0, 0.0]]])
    deltas = torch.tensor([[[1.0, 0.0], [5.0, 5.0]]])  # half a length to the right, twice
    assert FasterTAD.move_loss(deltas, segments, matched, torch.tensor([[True, False]])) == 0
    assert FasterTAD.move_loss(deltas + 2, segments, matched, torch.tensor([[True, False]])) == 3  # 1.5 + 1.5
    assert FasterTAD.move_loss(deltas, segments, matched, torch.tensor([[False, False]])) == 0


def test_proposals_stay_inside_and_keep_a_length():
    moved = torch.tensor([[[-7.0, 3.0], [8.0, 30.0], [20.0, 25.0], [5.0, 5.0]]])
    inside = FasterTAD.inside(moved, torch.tensor([10]))
    assert inside[0].tolist() == [[-0.5, 3.0], [8.0, 9.5], [9.0, 9.5], [5.0, 5.5]]
    assert FasterTAD.inside(moved, torch.tensor([0])).isfinite().all()


def test_a_cascade_asks_for_more_at_each_stage(monkeypatch):
    model = make(thresholds=(0.5, 0.6, 0.7))
    asked = []
    targets = model.categories.targets
    monkeypatch.setattr(model.categories, 'targets', lambda *args: asked.append(args[2]) or targets(*args))
    losses = losses_of(model, plant_sequences(2))
    assert asked == [0.5, 0.6, 0.7]
    assert {'loss_class', 'loss_class_1', 'loss_class_2'} <= set(losses)


def test_truths_without_length_are_left_out():
    item = plant_sequences(1)[0]
    sample = item['data_samples']
    sample.gt_instances.segments[0, 1] = sample.gt_instances.segments[0, 0]
    truth = FasterTAD.truth(sample, torch.device('cpu'))
    assert isinstance(truth, Truth) and len(truth.labels) == 1


@pytest.mark.parametrize(
    ('wrong', 'told'),
    [
        (dict(thresholds=()), 'thresholds'),
        (dict(thresholds=(0.5, 1.2)), 'thresholds'),
        (dict(thresholds=(0.5, 0.6), refine=False), 'cascade'),
        (dict(sampled=0), 'sampled=0'),
        (dict(beta=2), 'beta=2'),
        (dict(proposals=dict(share=0)), 'share'),
        (dict(context=dict(dim=30)), 'dim'),
        (dict(fake=dict(steps=(0.5, 0.9))), 'steps'),
    ],
)
def test_arguments_out_of_range_are_refused(wrong, told):
    with pytest.raises(ValueError, match=told):
        make(**wrong)
