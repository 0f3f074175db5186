import numpy as np
import pytest
import torch

from mmtube.datasets.collate import tubelet_collate
from mmtube.models.localizers.base import Truth
from tests.models.localizers.planted import build, found_in, mean_ap, plant_sequence, plant_sequences, train

PYRAMID = dict(channels=32, num_levels=5, drop_path=0.0)
SMALL = dict(type='AnchorFreeLocalizer', stem=dict(dims=(16,), channels=32), num_classes=4, pyramid=PYRAMID)
TWO = dict(stem=dict(dims=(12, 4), channels=32))
KINDS = {
    'actionformer': dict(),
    'tridet': dict(pyramid=dict(PYRAMID, mixer='sgp'), boundary='distribution', bins=8),
}
kinds = pytest.mark.parametrize('kind', KINDS)
tasks = pytest.mark.parametrize('multi_label', [False, True], ids=['single', 'multi_label'])


def losses_of(model, items):
    return model(**tubelet_collate(items), mode='loss')


def make(seed=0, **changes):
    torch.manual_seed(seed)
    return build({**SMALL, **changes})


@pytest.mark.slow
@kinds
@tasks
def test_overfits_twenty_sequences(multi_label, kind):
    model = make(multi_label=multi_label, **KINDS[kind])
    items = plant_sequences(multi_label=multi_label, instances=3 if multi_label else 2)
    sums = train(model, items, 250, lr=2e-3)
    assert sums[-1] < sums[0] / 20
    assert mean_ap(model, items) > 0.95


@kinds
@tasks
def test_gradient_reaches_every_parameter(multi_label, kind):
    model = make(multi_label=multi_label, **{**KINDS[kind], **TWO})
    losses = losses_of(model, plant_sequences(6, multi_label=multi_label))
    assert sorted(losses) == ['loss_boundary', 'loss_cls']
    sum(losses.values()).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


@kinds
@tasks
def test_a_batch_of_mixed_lengths_gives_what_each_alone_gives(multi_label, kind):
    model = make(multi_label=multi_label, **{**KINDS[kind], **TWO})
    items = plant_sequences(5, rows=(3, 60), multi_label=multi_label)
    items[2]['data_samples'].valid[1:] &= torch.rand(len(items[2]['data_samples'].valid) - 1) < 0.7
    for item, sample in zip(items, found_in(model, items)):
        alone = found_in(model, [item])[0].pred_segments
        assert alone.labels.tolist() == sample.pred_segments.labels.tolist()
        for key in ('segments_s', 'scores'):
            torch.testing.assert_close(alone[key], sample.pred_segments[key], rtol=0, atol=1e-5)


def degenerate():
    """Batches in which something is missing."""
    none, invalid = plant_sequences(2), plant_sequences(2)
    for item in none:
        item['data_samples'].gt_instances = item['data_samples'].gt_instances[:0]
    for item in invalid:
        item['data_samples'].valid[:] = False
    same = plant_sequences(1, instances=3, multi_label=True)
    same[0]['data_samples'].gt_instances.labels[:] = 2
    one = plant_sequence(np.random.default_rng(0), 4, 4, (16,))
    one['inputs'] = one['inputs'][:, :1]
    one['data_samples'].set_field(torch.ones(1, dtype=torch.bool), 'valid')
    one['data_samples'].gt_instances.segments = torch.tensor([[-0.5, 0.5], [0.0, 0.3]])
    one['data_samples'].set_metainfo(dict(num_rows=1))
    some = [*plant_sequences(3), none[0], invalid[1]]
    return dict(no_truth=none, invalid=invalid, some_without=some, same_class=same, one_row=[one])


@kinds
@tasks
@pytest.mark.parametrize('name', list(degenerate()))
def test_losses_and_gradients_are_finite_whatever_is_missing(name, multi_label, kind):
    model = make(multi_label=multi_label, **KINDS[kind])
    losses = losses_of(model, degenerate()[name])
    sum(losses.values()).backward()
    assert all(loss.isfinite() for loss in losses.values()), losses
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())
    for sample in found_in(model, degenerate()[name]):
        found = sample.pred_segments
        assert found.segments_s.isfinite().all() and found.scores.isfinite().all()
        assert (found.segments_s[:, 0] < found.segments_s[:, 1]).all()
        assert bool(len(found.scores)) == bool(sample.valid.any())


@kinds
def test_a_sequence_of_twenty_thousand_rows(kind):
    model = make(**KINDS[kind])
    item = plant_sequence(np.random.default_rng(0), 20000, 4, (16,), instances=3)
    assert all(loss.isfinite() for loss in losses_of(model, [item]).values())
    assert 0 < len(found_in(model, [item])[0].pred_segments.scores) <= 200


def said(model, logit, distances):
    """Let the heads say the same logit and distances in strides everywhere, of class 1 and of a single output."""

    def class_head(x, mask):
        logits = torch.full((len(x), 4, x.shape[2]), -20.0)
        logits[:, 1] = logit
        return logits.requires_grad_()

    model.class_head.forward = class_head
    model.boundary_head.forward = lambda x, mask: torch.tensor(distances)[None, :, None].repeat(len(x), 1, x.shape[2])


def test_points_and_distances_become_segments():
    model = make(min_score=0.1)
    said(model, 0.0, [1.0, 0.25])
    mask = torch.tensor([[True] * 4, [True, False, False, False]])
    four, one = model.eval().find(torch.zeros(2, 32, 4), mask)
    assert four.scores.tolist() == [0.5] * 9 and four.labels.tolist() == [1] * 9
    # Rows of strides 1, 2, 4, 8, 16 stand at their middle; a stride to the left and a quarter to the right.
    expected = [[i - 1, i + 0.25] for i in range(4)] + [[-1.5, 1], [0.5, 3], [-2.5, 2.5], [-4.5, 5.5], [-8.5, 11.5]]
    assert four.segments.tolist() == expected
    assert one.segments.tolist() == [[-1, 0.25], [-1.5, 1], [-2.5, 2.5], [-4.5, 5.5], [-8.5, 11.5]]


def test_the_best_candidates_of_a_window_are_kept():
    model = make(min_score=0.1, max_candidates=3)
    said(model, 0.0, [1.0, 1.0])
    found = model.eval().find(torch.zeros(1, 32, 4), torch.ones(1, 4, dtype=torch.bool))
    assert found[0].segments.tolist() == [[-1, 1], [0, 2], [1, 3]]


def test_losses_by_hand():
    model = make(pyramid=dict(PYRAMID, num_levels=1)).eval()
    said(model, 0.0, [1.0, 1.0])
    # Of rows 0 to 7, 3 stands for the instance, 1.5 to each side, where 2 and 4 are nearer than 1.5 to its middle too.
    truth = [Truth(torch.tensor([[1.5, 4.5]]), torch.tensor([1]))]
    base, mask = torch.zeros(1, 32, 8), torch.ones(1, 8, dtype=torch.bool)
    losses = model.losses(base, mask, truth, [base])
    # Found are (2, 4), (1, 3), (3, 5). Overlaps 2 / 3, 1.5 / 3.5 twice, with the middles 1 of a hull of 3.5 apart.
    boundary = (1 - 2 / 3) + 2 * (1 - 1.5 / 3.5 + (1 / 3.5) ** 2)
    assert losses['loss_boundary'].item() == pytest.approx(boundary / 100)
    # Focal loss with a probability of one half: alpha 0.25 for the three, 0.75 for the five others.
    focal = (0.25 * 3 + 0.75 * 5) * 0.25 * np.log(2)
    assert losses['loss_cls'].item() == pytest.approx(focal / 100, rel=1e-5)
    assert model.normalizer == 100
    model.train().losses(base, mask, truth, [base])
    assert model.normalizer.item() == pytest.approx(0.9 * 100 + 0.1 * 3)


def test_each_class_has_boundaries_of_its_own_where_classes_overlap():
    model = make(multi_label=True)
    table = torch.arange(8.0)[None, :, None].repeat(1, 1, 3)
    index = torch.tensor([0, 0])
    found = model.boundary_head.distances(table, index, index, torch.tensor([0, 3]), index)
    assert found.tolist() == [[0, 1], [6, 7]]
    assert make().boundary_head.conv.out_channels == 2


def test_arguments_out_of_range_are_refused():
    for wrong in (dict(boundary='corner'), dict(bins=0), dict(max_candidates=0), dict(radius=0), dict(base_range=-1.0)):
        with pytest.raises(ValueError, match='must be'):
            make(**wrong)
