import pytest
import torch

from mmtube.models.layers.granularity import ScalableGranularity


def test_two_branches_are_added_to_the_input():
    # One channel, all weights 1 and no bias: phi is the mean, each convolution a sum over its rows.
    layer = ScalableGranularity(1, window=1, factor=3).double()
    for name, parameter in layer.named_parameters():
        torch.nn.init.constant_(parameter, float('weight' in name))
    x = torch.tensor([[[1.0, 2, 6, 0]]], dtype=torch.float64)
    out = layer(x, torch.tensor([[True, True, True, False]]))
    # Mean 3. Row 1: 2 + 3 * 2 + 2 * (2 + (1 + 2 + 6)) = 30.
    assert out.tolist() == [[[1 + 3 + 1 * (1 + 3), 30, 6 + 18 + 6 * (6 + 8), 0]]]


def test_the_mean_of_a_sequence_without_rows_is_zero():
    out = ScalableGranularity(4)(torch.zeros(1, 4, 3), torch.zeros(1, 3, dtype=torch.bool))
    assert not out.any()


def test_even_windows_are_refused():
    for wrong in (dict(window=2), dict(factor=4), dict(window=0)):
        with pytest.raises(ValueError, match='must be odd'):
            ScalableGranularity(4, **wrong)
