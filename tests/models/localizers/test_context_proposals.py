import pytest
import torch

from mmtube.models.localizers.context_proposals import DELTA_SCALE, Answers, ContextAdaptiveProposals
from mmtube.ops.torch_segments import encode_segments

SEGMENTS = torch.tensor([[[2.0, 9.0], [10.0, 20.0], [-0.5, 4.5]]])
SEEN = torch.ones(1, 3, 3, dtype=torch.bool)


def stage(**changes):
    torch.manual_seed(0)
    return ContextAdaptiveProposals(
        **{**dict(outputs=5, channels=8, dim=16, heads=2, ffn=16, bins=4), **changes}
    ).eval()


def sequence(rows=30):
    torch.manual_seed(1)
    return torch.randn(1, 8, rows), torch.ones(1, rows, dtype=torch.bool)


def test_answers_have_the_parts_that_are_on():
    answers = stage()(*sequence(), SEGMENTS, SEEN)
    assert answers.logits.shape == (1, 3, 5)
    assert answers.deltas.shape == (1, 3, 2) and answers.quality.shape == (1, 3)
    bare = stage(refine=False, completeness=False)(*sequence(), SEGMENTS, SEEN)
    assert bare.deltas is None and bare.quality is None
    assert bare.refined(SEGMENTS) is SEGMENTS


def test_proposals_look_at_one_another_only_with_self_attention():
    moved = SEGMENTS.clone()
    moved[0, 1] += 3
    for on in (True, False):
        network = stage(self_attention=on, cross_attention=False)
        before, after = (network(*sequence(), segments, SEEN).logits[0, 0] for segments in (SEGMENTS, moved))
        assert torch.allclose(before, after) != on


def test_proposals_look_at_far_rows_only_with_cross_attention():
    base, mask = sequence()
    far = base.clone()
    far[..., 28:] *= -1  # no bin of the first is there
    for on in (True, False):
        network = stage(self_attention=False, cross_attention=on)
        before, after = (network(rows, mask, SEGMENTS, SEEN).logits[0, 0] for rows in (base, far))
        assert torch.allclose(before, after) != on


def test_places_in_time_count():
    base, mask = sequence(15)[0].repeat(1, 1, 4), torch.ones(1, 60, dtype=torch.bool)
    far = torch.tensor([[[20.0, 24.0], [35.0, 39.0]]])  # the same bins
    logits = stage(self_attention=False)(base, mask, far, SEEN[:, :2, :2]).logits[0]
    assert not torch.allclose(logits[0], logits[1])
    logits = stage(self_attention=False, cross_attention=False)(base, mask, far, SEEN[:, :2, :2]).logits[0]
    torch.testing.assert_close(logits[0], logits[1])


def test_masked_rows_are_not_looked_at():
    base, mask = sequence()
    padded, real = torch.cat([base, torch.zeros(1, 8, 9)], 2), torch.cat([mask, torch.zeros(1, 9, dtype=torch.bool)], 1)
    torch.testing.assert_close(
        stage()(padded, real, SEGMENTS, SEEN).logits, stage()(base, mask, SEGMENTS, SEEN).logits, atol=1e-5, rtol=0
    )
    nothing = stage()(base * 0, mask & ~mask, SEGMENTS, SEEN)
    assert nothing.logits.isfinite().all()


def test_deltas_move_proposals_and_are_scaled():
    target = torch.tensor([[[3.0, 8.0], [10.0, 20.0], [0.0, 6.0]]])
    answers = Answers(torch.zeros(1, 3, 5), encode_segments(SEGMENTS, target) * DELTA_SCALE, None)
    torch.testing.assert_close(answers.refined(SEGMENTS), target)


def test_it_begins_with_rare_classes_and_proposals_where_they_are():
    network = stage(prior=0.01)
    answers = network(*sequence(), SEGMENTS, SEEN)
    torch.testing.assert_close(network.classes.bias.sigmoid(), torch.full((5,), 0.01))
    assert answers.deltas.abs().max() < 0.05


def test_channels_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match='multiple of 4'):
        stage(dim=18)
