import numpy as np
import pytest
import torch

from mmtube.models.layers.sequence import ChannelNorm, MaskedConv1d, time_encoding


def test_a_masked_row_is_as_one_beyond_the_end():
    conv = MaskedConv1d(3, 4)
    x, mask = torch.randn(1, 3, 9), torch.ones(1, 9, dtype=torch.bool)
    x[..., 6:], mask[:, 6:] = 0, False
    out = conv(x, mask)
    torch.testing.assert_close(out[..., :6], conv(x[..., :6], mask[:, :6]))
    assert (out[..., 6:] == 0).all()


def test_an_even_kernel_is_refused():
    with pytest.raises(ValueError, match='odd, got 4'):
        MaskedConv1d(3, 4, 4)


def test_a_stride_takes_the_mask_of_the_output():
    assert MaskedConv1d(3, 4, stride=2)(torch.randn(2, 3, 9), torch.ones(2, 5, dtype=torch.bool)).shape == (2, 4, 5)


def test_norm_of_channels_looks_at_one_row_only():
    x = torch.randn(2, 8, 5)
    out = ChannelNorm(8)(x)
    torch.testing.assert_close(out.mean(1), torch.zeros(2, 5), atol=1e-6, rtol=0)
    x[:, :, 3] = 7
    torch.testing.assert_close(ChannelNorm(8)(x)[..., :3], out[..., :3])


def test_time_encoding_by_the_formula():
    rows, channels = np.array([0.0, 2.5, 400.0]), 6
    want = [
        [wave(row / 10000 ** (2 * step / channels)) for wave in (np.sin, np.cos) for step in range(3)] for row in rows
    ]
    found = time_encoding(torch.tensor(rows), channels)
    np.testing.assert_allclose(found.numpy(), want, atol=1e-4)
    assert found.shape == (3, 6)
