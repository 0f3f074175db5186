import math

import pytest
import torch

from mmtube.models.layers.context_attention import ContextAttention, GeometryBias, pairwise_geometry


def test_geometry_by_hand():
    found = pairwise_geometry(torch.tensor([[[0.0, 4.0], [6.0, 8.0]]]))[0]
    torch.testing.assert_close(found[0, 1], torch.tensor([math.log1p(5 / 4), math.log(2 / 4), 0.0]))
    torch.testing.assert_close(found[1, 0], torch.tensor([math.log1p(5 / 2), math.log(4 / 2), 0.0]))
    torch.testing.assert_close(found[0, 0], torch.tensor([0.0, 0.0, 1.0]))
    assert pairwise_geometry(torch.tensor([[[3.0, 3.0], [1.0, 2.0]]])).isfinite().all()


def test_bias_has_a_value_for_each_head_and_pair():
    bias = GeometryBias(heads=4)(torch.tensor([[[0.0, 4.0], [6.0, 8.0], [6.0, 8.0]]]))
    assert bias.shape == (1, 4, 3, 3)
    torch.testing.assert_close(bias[:, :, 0, 1], bias[:, :, 0, 2])
    assert not torch.allclose(bias[:, :, 0, 1], bias[:, :, 1, 0])


def literal(layer, x, bias, memory, place, memory_place):
    """Attention head by head and row by row."""
    own = layer.norm(x)
    seen = own if memory is None else layer.memory_norm(memory)
    query, key = layer.query(own + place), layer.key(seen + memory_place)
    value, width = layer.value(seen), x.shape[-1] // layer.heads
    out = torch.zeros_like(x)
    for head in range(layer.heads):
        part = slice(head * width, (head + 1) * width)
        for item in range(x.shape[0]):
            for row in range(x.shape[1]):
                logits = key[item, :, part] @ query[item, row, part] / width**0.5 + bias[item, head, row]
                out[item, row, part] = logits.softmax(0) @ value[item, :, part]
    x = x + layer.out(out)
    return x + layer.feed(x)


@pytest.mark.parametrize('own', [True, False], ids=['self', 'cross'])
def test_attention_is_the_literal_one(own):
    torch.manual_seed(0)
    layer = ContextAttention(8, None if own else 6, heads=2, ffn=12).double().eval()
    x, memory = torch.randn(2, 3, 8).double(), None if own else torch.randn(2, 5, 6).double()
    many = 3 if own else 5
    bias = torch.randn(2, 2, 3, many).double()
    bias[0, :, 1, 2] = -torch.inf
    place, memory_place = torch.randn(2, 3, 8).double(), torch.randn(many, 8 if own else 6).double()
    torch.testing.assert_close(
        layer(x, bias, memory, place, memory_place), literal(layer, x, bias, memory, place, memory_place)
    )


def test_what_is_hidden_is_not_seen():
    layer = ContextAttention(8, heads=2, ffn=12).eval()
    x, bias = torch.randn(1, 4, 8), torch.zeros(1, 1, 4, 4)
    bias[..., :2, 2:] = -torch.inf
    changed = x.clone()
    changed[:, 2:] += 1
    torch.testing.assert_close(layer(x, bias)[:, :2], layer(changed, bias)[:, :2])
    assert not torch.allclose(layer(x, bias)[:, 2:], layer(changed, bias)[:, 2:])


def test_heads_divide_the_channels():
    with pytest.raises(ValueError, match='3 heads do not divide 8'):
        ContextAttention(8, heads=3)
