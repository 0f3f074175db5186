import numpy as np
import pytest
import torch

from mmtube.models.layers import gcnext
from mmtube.models.layers.gcnext import GCNeXt, nearest_rows


def neighbours(features, mask, count):
    """The nearest rows, row by row in float64; itself first."""
    found = []
    for row in range(features.shape[1]):
        others = [other for other in range(features.shape[1]) if mask[other] and other != row]
        others.sort(key=lambda other: np.linalg.norm(features[:, other] - features[:, row]))
        found.append([row, *others, *[row] * count][:count])
    return found


@pytest.mark.parametrize('entries', [2**24, 30])
def test_nearest_rows_are_those_of_a_literal_search(entries, monkeypatch):
    monkeypatch.setattr(gcnext, 'MAP_ENTRIES', entries)  # the second looks at one row at a time
    features, mask = torch.randn(2, 5, 12), torch.ones(2, 12, dtype=torch.bool)
    mask[1, 7:] = False
    found = nearest_rows(features, mask, 4)
    for item in range(2):
        assert found[item].tolist() == neighbours(features[item].double().numpy(), mask[item].numpy(), 4)


def test_more_neighbours_than_rows():
    found = nearest_rows(torch.randn(1, 5, 2), torch.tensor([[True, True]]), 4)
    assert found[0].tolist() == [[0, 1, 0, 0], [1, 0, 1, 1]]
    assert nearest_rows(torch.randn(1, 5, 1), torch.tensor([[False]]), 3).tolist() == [[[0, 0, 0]]]


def test_block_is_the_sum_of_its_branches():
    block = GCNeXt(channels=6, width=4, groups=2).double()
    x, mask = torch.rand(1, 6, 9, dtype=torch.float64), torch.ones(1, 9, dtype=torch.bool)
    temporal = block.widen(block.along(block.narrow(x, mask).relu(), mask).relu(), mask)
    want = torch.zeros_like(x)
    first = torch.cat([block.other.weight, block.own.weight], 1)[..., 0]  # the map of an edge in one piece
    for row, near in enumerate(neighbours(x[0].numpy(), mask[0].numpy(), 3)):
        edges = torch.stack([torch.cat([x[0, :, other], x[0, :, row]]) for other in near], -1)
        hidden = (first @ edges + block.own.bias[:, None]).relu()
        answers = block.answer(block.edge(hidden[None]).relu())[0].amax(-1)
        want[0, :, row] = (x[0, :, row] + temporal[0, :, row] + answers).relu()
    torch.testing.assert_close(block(x, mask), want)


def test_a_masked_row_is_as_one_beyond_the_end():
    block = GCNeXt(channels=8, width=4, groups=2)
    x, mask = torch.rand(2, 8, 10), torch.ones(2, 10, dtype=torch.bool)
    x[1, :, 6:], mask[1, 6:] = 0, False
    out = block(x, mask)
    torch.testing.assert_close(out[1:, :, :6], block(x[1:, :, :6], mask[1:, :6]))
    assert (out[1, :, 6:] == 0).all()


def test_rows_that_are_alike_talk_to_one_another_from_afar():
    torch.manual_seed(0)
    block = GCNeXt(channels=16, width=16, groups=2, neighbours=2)
    x, mask = torch.rand(1, 16, 40), torch.ones(1, 40, dtype=torch.bool)
    x[..., 35] = x[..., 2] + 0.01 * torch.randn(1, 16)
    x.requires_grad_()
    block(x, mask)[0, :, 2].sum().backward()
    touched = x.grad.abs().sum(1)[0].nonzero()[:, 0].tolist()
    assert touched == [1, 2, 3, 35]


def test_settings_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match='groups=3'):
        GCNeXt(width=8, groups=3)
    with pytest.raises(ValueError, match='neighbours=0'):
        GCNeXt(neighbours=0)
