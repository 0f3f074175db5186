import pytest
import torch

from mmtube.models.layers.local_attention import LocalAttention, band_attention


def attend(query, key, value, mask, half):
    """Row by row, in a loop."""
    out = torch.zeros_like(query)
    for n, h, i in torch.cartesian_prod(*(torch.arange(size) for size in query.shape[:3])).tolist():
        near = [j for j in range(max(i - half, 0), min(i + half + 1, query.shape[2])) if mask[n, j]]
        if near:
            weights = (key[n, h, near] @ query[n, h, i] / query.shape[3] ** 0.5).softmax(0)
            out[n, h, i] = weights @ value[n, h, near]
    return out


@pytest.mark.parametrize('rows', [1, 4, 7, 23])
@pytest.mark.parametrize('window', [1, 3, 7])
def test_a_row_attends_to_the_rows_of_its_window_that_count(rows, window):
    generator = torch.Generator().manual_seed(rows)
    query, key, value = torch.randn(3, 2, 2, rows, 5, generator=generator, dtype=torch.float64)
    mask = torch.rand(2, rows, generator=generator) < 0.6
    expected = attend(query, key, value, mask, window // 2)
    torch.testing.assert_close(band_attention(query, key, value, mask, window), expected, rtol=0, atol=1e-12)


def test_where_nothing_counts_the_result_is_zero_and_has_a_gradient():
    query = torch.randn(1, 1, 5, 2, requires_grad=True)
    out = band_attention(query, query, query, torch.zeros(1, 5, dtype=torch.bool), 3)
    out.sum().backward()
    assert not out.any() and not query.grad.any()


def test_a_wide_window_is_attention_to_all():
    query, key, value = torch.randn(3, 1, 2, 6, 4, dtype=torch.float64)
    full = torch.nn.functional.scaled_dot_product_attention(query, key, value)
    torch.testing.assert_close(band_attention(query, key, value, torch.ones(1, 6, dtype=torch.bool), 13), full)


@pytest.mark.parametrize('stride', [1, 2])
def test_a_layer_sees_half_a_window_and_the_row_that_its_convolutions_add(stride):
    torch.manual_seed(0)
    layer = LocalAttention(8, heads=2, window=5, stride=stride).double()
    x = torch.randn(1, 8, 24 * stride, dtype=torch.float64)
    mask = torch.ones(1, 24, dtype=torch.bool)
    moved = x.clone()
    moved[0, :, 10 * stride] += 1
    changed = (layer(moved, mask) - layer(x, mask)).abs().amax(1)[0].nonzero()[:, 0].tolist()
    # Row 10 is seen by the convolutions of rows 9 to 11, with a stride only by that of row 10; two more on each side.
    assert changed == ([*range(7, 14)] if stride == 1 else [*range(8, 13)])


def test_windows_and_heads_that_do_not_fit_are_refused():
    for wrong in (dict(window=4), dict(window=-1), dict(heads=3)):
        with pytest.raises(ValueError, match='window must be odd and heads divide'):
            LocalAttention(8, **wrong)
