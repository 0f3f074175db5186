import pytest
import torch

from mmtube.models.layers.pyramid import PyramidBlock, TemporalPyramid, halve_mask, halve_rows


def test_a_row_of_a_level_counts_if_one_of_its_rows_does():
    mask = torch.tensor([[1, 1, 0, 1, 0, 0, 1], [0, 0, 0, 0, 1, 0, 0]]).bool()
    assert halve_mask(mask).int().tolist() == [[1, 1, 0, 1], [0, 0, 1, 0]]


def test_halving_takes_the_largest_of_three_rows_that_count():
    x = torch.tensor([[[-5.0, -1, 0, -2, 0, 0, -7]]])
    mask = torch.tensor([[1, 1, 0, 1, 0, 0, 1]]).bool()
    # Rows (0, 1), (1, 2, 3), (3, 4, 5) of which neither 4 nor 5 counts, (5, 6).
    assert halve_rows(x, mask).tolist() == [[[-1, -1, 0, -7]]]


@pytest.mark.parametrize('rows', [1, 2, 7, 16])
@pytest.mark.parametrize('mixer', ['attention', 'sgp'])
def test_levels_halve_and_what_is_masked_plays_no_part(mixer, rows):
    torch.manual_seed(0)
    pyramid = TemporalPyramid(3, 8, 3, 1, mixer, layer_scale=1.0).double().eval()
    x = torch.randn(1, 3, rows, dtype=torch.float64)
    mask = torch.ones(1, rows, dtype=torch.bool)
    alone, _ = pyramid(x, mask)
    assert [level.shape[2] for level in alone] == [rows, -(-rows // 2), -(-rows // 4)]
    padded = torch.cat([x, x.new_zeros(1, 3, 5)], 2)
    levels, masks = pyramid(padded, torch.cat([mask, mask.new_zeros(1, 5)], 1))
    for level, real, expected in zip(levels, masks, alone):
        assert real.sum() == expected.shape[2] and not level[0][:, ~real[0]].any()
        torch.testing.assert_close(level[:, :, : expected.shape[2]], expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(('mixer', 'args'), [('attention', dict(heads=2, window=3)), ('sgp', dict(window=1, factor=3))])
def test_a_block_without_branches_is_its_shortcut(mixer, args):
    x, mask = torch.randn(2, 4, 9), torch.rand(2, 9) < 0.7
    x = x * mask[:, None]
    block = PyramidBlock(4, mixer, args, halve=True, layer_scale=0.0)
    out, after = block(x, mask)
    assert torch.equal(out, halve_rows(x, mask)) and torch.equal(after, halve_mask(mask))
    assert PyramidBlock(4, mixer, args, drop_path=0.999).train()(x, mask)[0].equal(x)


def test_levels_without_blocks_at_full_length():
    levels, _ = TemporalPyramid(3, 4, 2, 0)(torch.randn(1, 3, 6), torch.ones(1, 6, dtype=torch.bool))
    assert [level.shape[2] for level in levels] == [6, 3]


def test_arguments_out_of_range_are_refused():
    with pytest.raises(ValueError, match='mixer must be one of'):
        PyramidBlock(4, 'mlp')
    with pytest.raises(ValueError, match='there must be a level'):
        TemporalPyramid(4, num_levels=0)
