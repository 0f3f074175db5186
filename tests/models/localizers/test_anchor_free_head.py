import pytest
import torch

from mmtube.models.localizers.anchor_free_head import ClassHead, DistanceHead, DistributionHead
from mmtube.models.localizers.points import join_levels


def index(*values):
    return torch.tensor(values)


def test_classes_are_unlikely_at_first():
    logits = ClassHead(4, 3, 1)(torch.zeros(1, 4, 5), torch.tensor([[True] * 4 + [False]]))
    torch.testing.assert_close(logits[0, :, :4].sigmoid(), torch.full((3, 4), 0.01))
    assert not logits[0, :, 4].any()


def test_a_level_shared_by_others_gives_what_it_gives_alone():
    torch.manual_seed(0)
    head = ClassHead(4, 3, 2)
    levels = [torch.randn(1, 4, length) for length in (6, 3)]
    masks = [torch.ones(1, length, dtype=torch.bool) for length in (6, 3)]
    joined, points = join_levels(levels, masks, 1)
    both = head(joined, points.mask)[:, :, points.mask[0]]
    alone = torch.cat([head(level, mask) for level, mask in zip(levels, masks)], 2)
    torch.testing.assert_close(both, alone)


@pytest.mark.parametrize(('outputs', 'expected'), [(1, [[3, 0], [1.5, 0]]), (2, [[0, 5], [2.5, 3.5]])])
def test_distances_are_scaled_by_level_and_not_negative(outputs, expected):
    head = DistanceHead(4, outputs, 0, 2)
    head.scales.data = torch.tensor([1.0, 0.5])
    # Of class 0 start and end, then of class 1, at points 0 and 1.
    table = torch.tensor([[[3.0, 3], [-2, -2], [-1, 5], [5, 7]]])[:, : 2 * outputs]
    found = head.distances(table, index(0, 0), index(0, 1), index(1, 1), index(0, 1))
    assert found.tolist() == expected


def literal(table, outputs, bins, item, point, output):
    """Expected distances of one point, bin by bin."""
    edges, offsets = table[:, : 2 * outputs], table[:, 2 * outputs :]
    distances = []
    for side, sign in ((0, -1), (1, 1)):
        logits = []
        for step in range(bins + 1):
            place = point + sign * step
            edge = edges[item, 2 * output + side, place] if 0 <= place < table.shape[2] else 0.0
            logits.append(edge + offsets[item, side * (bins + 1) + step, point])
        weights = torch.stack([torch.as_tensor(x) for x in logits]).softmax(0)
        distances.append(float(sum(step * weight for step, weight in enumerate(weights))))
    return distances


@pytest.mark.parametrize('outputs', [1, 3])
def test_expected_distances_as_bin_by_bin(outputs):
    torch.manual_seed(0)
    head = DistributionHead(4, outputs, 1, bins=4).double()
    table = torch.randn(2, 2 * outputs + 10, 7, dtype=torch.float64)
    item, point, label = index(0, 1, 1, 0), index(0, 6, 3, 2), index(0, 2, 1, 2)
    found = head.distances(table, item, point, label, index(0, 0, 0, 0))
    expected = [
        literal(table, outputs, 4, n, p, c if outputs > 1 else 0)
        for n, p, c in zip(item.tolist(), point.tolist(), label.tolist())
    ]
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64))


def test_a_sharp_edge_is_where_it_is():
    head = DistributionHead(4, 1, 0, bins=4)
    table = torch.zeros(1, 12, 9)
    table[0, 0, 2] = table[0, 1, 5] = 100  # a start at row 2, an end at row 5
    found = head.distances(table, index(0, 0), index(4, 3), index(0, 0), index(0, 0))
    assert found.round(decimals=4).tolist() == [[2, 1], [1, 2]]
