import pytest
import torch
import torch.nn.functional as F

from mmtube.models.localizers.base import Truth
from mmtube.models.localizers.boundary_proposals import BoundaryProposals, balanced_bce, boundary_targets
from mmtube.models.localizers.truths import TruthTable
from mmtube.ops.temporal_roi import temporal_roi_align


def table(*sequences):
    return TruthTable.of(
        [
            Truth(torch.tensor(spans, dtype=torch.float32).view(-1, 2), torch.tensor(labels, dtype=torch.long))
            for spans, labels in sequences
        ]
    )


def head(**changes):
    torch.manual_seed(0)
    return BoundaryProposals(**{**dict(channels=8, width=4, bins=4, count=20), **changes})


def sure_of(head, starts, ends, rows=20):
    """Logits that are sure of some rows, with a third head that says yes to all."""
    edges = torch.full((1, 2, rows), -20.0)
    edges[0, 0, starts], edges[0, 1, ends] = 5.0, 5.0
    torch.nn.init.zeros_(head.quality.weight)
    torch.nn.init.constant_(head.quality.bias, 20.0)
    return edges, torch.zeros(1, 4, rows), torch.ones(1, rows, dtype=torch.bool)


def test_boundaries_hold_the_rows_whose_edges_are_near():
    starts, ends = boundary_targets(table(([[4.5, 9.5]], [0]), ([], [])), 12, 3.0)
    assert starts[0].nonzero()[:, 0].tolist() == [4, 5, 6]  # with left edges 3.5, 4.5 and 5.5
    assert ends[0].nonzero()[:, 0].tolist() == [8, 9, 10]  # with right edges 8.5, 9.5 and 10.5
    assert not starts[1].any() and not ends[1].any()


def test_both_sides_of_the_balanced_loss_weigh_the_same():
    logits = torch.tensor([[0.0, 1.0, -2.0, 3.0, 9.0]])
    positive = torch.tensor([[True, False, False, False, True]])
    counted = torch.tensor([[True, True, True, True, False]])
    one = F.softplus(torch.tensor(0.0))
    other = F.softplus(torch.tensor([1.0, -2.0, 3.0])).mean()
    torch.testing.assert_close(balanced_bce(logits, positive, counted), (one + other) / 2)
    assert balanced_bce(logits, positive, counted & ~counted) == 0


def test_a_pair_goes_from_the_left_edge_of_its_first_row_to_the_right_edge_of_its_last():
    head_ = head()
    segments, scores = head_.propose(*sure_of(head_, [3], [7]))
    assert segments[0].tolist() == [[2.5, 7.5]]
    torch.testing.assert_close(scores, torch.tensor([[5.0]]).sigmoid() ** 2)


def test_pairs_are_those_of_starts_before_ends_that_are_not_too_long():
    head_ = head(max_duration_rows=6)
    segments, _ = head_.propose(*sure_of(head_, [2, 10], [5, 12]))
    assert sorted(segments[0].tolist()) == [[1.5, 5.5], [9.5, 12.5]]  # 2 to 12 is too long, 10 to 5 is none


def test_likely_rows_and_peaks_are_boundaries():
    head_ = head(iou_thr=1.0, max_duration_rows=30)
    edges, sequence, mask = sure_of(head_, [4], [15])
    edges[0, 0, 5], edges[0, 0, 6], edges[0, 0, 9] = 0.5, -1.0, -8.0  # more than half, less, a peak far below
    segments, _ = head_.propose(edges, sequence, mask)
    assert sorted({start + 0.5 for start, _ in segments[0].tolist()} & {4.0, 5.0, 6.0, 9.0}) == [4, 5, 9]


def test_pairs_that_are_nearly_the_same_are_dropped():
    head_ = head(count=50)
    edges, sequence, mask = sure_of(head_, [0], [15])
    edges[0, 1, 16] = 4.0
    segments, _ = head_.propose(edges, sequence, mask)
    assert segments[0].tolist() == [[-0.5, 15.5]]  # 16 of 17 rows are shared


def test_masked_rows_are_no_boundaries():
    head_ = head()
    edges, sequence, mask = sure_of(head_, [3, 4], [7, 12])
    mask[:, 10:] = False
    mask[:, 3] = False
    segments, _ = head_.propose(edges, sequence, mask)
    assert segments[0].tolist() == [[3.5, 7.5]]


def test_one_row_gives_one_proposal_and_none_gives_none():
    head_ = head()
    base = torch.randn(2, 8, 1)
    mask = torch.tensor([[True], [False]])
    segments, scores = head_.propose(*head_(base * mask[:, None], mask), mask)
    assert segments[0].tolist() == [[-0.5, 0.5]]
    assert (scores[0] > 0).tolist() == [True] and scores[1].tolist() == [0]


def test_pairs_are_judged_by_their_bins():
    head_ = head().double()
    sequence, mask = torch.rand(1, 4, 15, dtype=torch.float64), torch.ones(1, 15, dtype=torch.bool)
    segments = torch.tensor([[[2.5, 7.5], [0.5, 14.5]]], dtype=torch.float64)
    bins = temporal_roi_align(sequence, segments, mask, 4)
    hidden = torch.einsum('npbc,bcd->npd', bins, head_.pair_weight) + head_.pair_bias
    torch.testing.assert_close(head_.judge(sequence, segments, mask), head_.quality(hidden.relu()))


def test_training_looks_at_a_share_of_all_pairs_and_at_some_near_the_truth():
    head_ = head(share=0.5, near=16)
    truth = table(([[4.5, 24.5]], [0]), ([], []))
    mask = torch.ones(2, 30, dtype=torch.bool)
    mask[1, 20:] = False
    segments, real = head_._draw(mask, truth)
    assert segments.shape == (2, round(0.5 * 30 * 31 / 2) + 16, 2)
    assert ((segments + torch.tensor([0.5, -0.5]))[real] % 1 == 0).all()
    assert (segments[..., 1] > segments[..., 0]).all()
    assert segments[1, real[1]].max() == 19.5 and not real[1, -16:].any()
    near = segments[0, -16:]
    assert real[0, -16:].all() and (near - torch.tensor([4.5, 24.5])).abs().max() <= 4.5
    assert len({tuple(pair) for pair in near.tolist()}) > 5


def test_perfect_answers_cost_nothing_and_others_do():
    head_ = head()
    truth, mask = table(([[4.5, 9.5]], [0])), torch.ones(1, 20, dtype=torch.bool)
    targets = boundary_targets(truth, 20, 3.0)
    edges = torch.stack([target.float() * 80 - 40 for target in targets], 1)
    losses = head_.losses(edges, torch.rand(1, 4, 20), mask, truth)
    assert losses['loss_boundary'] < 1e-6 < losses['loss_confidence']
    assert head_.losses(-edges, torch.rand(1, 4, 20), mask, truth)['loss_boundary'] > 10


@pytest.mark.parametrize(
    ('wrong', 'told'),
    [(dict(top=0), 'top=0'), (dict(share=1.5), '1.5'), (dict(iou_thr=0), 'iou_thr'), (dict(near=-1), '-1')],
)
def test_arguments_out_of_range_are_refused(wrong, told):
    with pytest.raises(ValueError, match=told):
        head(**wrong)
