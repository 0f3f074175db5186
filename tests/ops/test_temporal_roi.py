import numpy as np
import pytest
import torch

from mmtube.ops.temporal_roi import roi_taps, temporal_roi_align, temporal_roi_linear


def literal(features, segments, mask, bins, extend, samples):
    """RoIAlign in time, place by place, in float64."""
    count, channels, rows = features.shape
    out = np.zeros((count, segments.shape[1], bins, channels))
    for item in range(count):
        for number, (start, end) in enumerate(segments[item]):
            begin = start - extend * (end - start)
            width = (end - start) * (1 + 2 * extend) / bins
            for place in range(bins):
                for sample in range(samples):
                    at = begin + (place + (sample + 0.5) / samples) * width
                    for row in range(rows):
                        share = max(0.0, 1 - abs(at - row)) * mask[item, row] / samples
                        out[item, number, place] += share * features[item, :, row]
    return out


def case(seed=0, rows=11, masked=()):
    rng = np.random.default_rng(seed)
    starts, lengths = rng.uniform(-0.5, rows, (2, 5)), rng.uniform(0.05, rows, (2, 5))
    mask = np.ones((2, rows), bool)
    mask[1, list(masked)] = False
    return rng.normal(size=(2, 3, rows)), np.stack([starts, starts + lengths], -1), mask


@pytest.mark.parametrize(('bins', 'extend', 'samples'), [(16, 0.5, 2), (4, 0.0, 1), (5, 0.25, 3)])
def test_align_is_the_literal_loop(bins, extend, samples):
    features, segments, mask = case(masked=(0, 4, 9, 10))
    found = temporal_roi_align(*map(torch.tensor, (features, segments, mask)), bins, extend, samples)
    np.testing.assert_allclose(found.numpy(), literal(features, segments, mask, bins, extend, samples), atol=1e-12)


def test_a_ramp_gives_the_middles_of_the_bins():
    ramp = torch.arange(20.0)[None, None]
    found = temporal_roi_align(ramp, torch.tensor([[[6.0, 10.0]]]), bins=4, extend=0.5)
    assert found.flatten().tolist() == [5, 7, 9, 11]  # from 4 to 12


def test_rows_beyond_the_ends_count_as_zero():
    ones = torch.ones(1, 1, 4)
    found = temporal_roi_align(ones, torch.tensor([[[-4.0, 8.0]]]), bins=3, extend=0.0, samples=1)
    assert found.flatten().tolist() == [0, 1, 0]  # places -2, 2 and 6


def test_a_masked_row_is_as_one_beyond_the_end():
    features, segments, mask = (torch.tensor(part) for part in case(masked=(8, 9, 10)))
    cut = temporal_roi_align(features[1:, :, :8], segments[1:])
    torch.testing.assert_close(temporal_roi_align(features, segments, mask)[1:], cut)


def test_linear_is_align_and_a_linear_layer():
    features, segments, mask = (torch.tensor(part) for part in case(masked=(3, 10)))
    weight = torch.randn(6, 3, 4, dtype=torch.float64)
    whole = torch.einsum('npbc,bcd->npd', temporal_roi_align(features, segments, mask, bins=6), weight)
    torch.testing.assert_close(temporal_roi_linear(features, segments, weight, mask), whole)


def test_gradients_are_right():
    features, segments, mask = (torch.tensor(part) for part in case(rows=5, masked=(1,)))
    features.requires_grad_()
    weight = torch.randn(3, 3, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: temporal_roi_align(x, segments, mask, bins=3), features)
    assert torch.autograd.gradcheck(lambda x, w: temporal_roi_linear(x, segments, w, mask), (features, weight))


def test_weights_of_a_bin_inside_add_up_to_one():
    _, weight = roi_taps(torch.tensor([[[6.3, 9.1]]]), rows=20)
    torch.testing.assert_close(weight.sum(-1), torch.ones(1, 1, 16))


def test_one_row_and_no_segment():
    one = temporal_roi_align(torch.full((1, 2, 1), 3.0), torch.tensor([[[-0.5, 0.5]]]), bins=1, extend=0.0, samples=1)
    assert one.tolist() == [[[[3.0, 3.0]]]]
    assert temporal_roi_align(torch.ones(2, 3, 7), torch.zeros(2, 0, 2)).shape == (2, 0, 16, 3)
