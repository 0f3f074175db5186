import numpy as np
import pytest
import torch

from mmtube.models.localizers.base import Truth
from mmtube.models.localizers.points import Points, assign_points, join_levels


def levels_of(lengths, gap=1, channels=2):
    masks = [torch.ones(1, length, dtype=torch.bool) for length in lengths]
    return join_levels([torch.ones(1, channels, length) for length in lengths], masks, gap)


def truth(*rows):
    table = np.array(rows, np.float32).reshape(-1, 3)
    return Truth(torch.from_numpy(table[:, :2]), torch.from_numpy(table[:, 2]).long())


def test_levels_stand_one_after_another_with_gaps():
    joined, points = levels_of([3, 2, 1], gap=2)
    assert joined[0, 0].tolist() == [0, 0, 1, 1, 1, 0, 0, 1, 1, 0, 0, 1, 0, 0]
    assert torch.equal(points.mask[0], joined[0, 0].bool())
    real = points.mask[0]
    assert points.centers[real].tolist() == [0, 1, 2, 0.5, 2.5, 1.5]
    assert points.strides[real].tolist() == [1, 1, 1, 2, 2, 4] and points.levels[real].tolist() == [0, 0, 0, 1, 1, 2]


def test_ranges_double_and_the_last_has_no_end():
    _, points = levels_of([3, 2, 1])
    ranges = points.ranges(4, 3)[points.mask[0]]
    assert ranges[[0, 3, 5]].tolist() == [[0, 4], [4, 8], [8, float('inf')]]


def assigned(points, ranges, instances, multi_label, radius=1.5, item=0):
    place, instance = assign_points(points, item, instances, ranges, radius, 4, multi_label)
    return sorted(
        (int(points.levels[p]), float(points.centers[p]), int(i)) for p, i in zip(place.tolist(), instance.tolist())
    )


def test_the_middle_of_an_instance_on_the_level_of_its_length():
    _, points = levels_of([32, 16, 8])
    ranges = points.ranges(4, 3)
    # Middle 10, half length 3.5: rows 9 to 11 of level 0 are near enough, and 4 at most from the farther end is 10.
    # On level 1 within 3 rows of the middle and 4 to 8 from the farther end: 8.5, 10.5 and 12.5.
    found = assigned(points, ranges, truth((6.5, 13.5, 0)), False)
    assert found == [(0, 10.0, 0), (1, 8.5, 0), (1, 10.5, 0), (1, 12.5, 0)]
    # Half length 12: only level 2, points within 6 of the middle 15.
    assert assigned(points, ranges, truth((3, 27, 0)), False) == [(2, 9.5, 0), (2, 13.5, 0), (2, 17.5, 0)]


def test_the_shortest_is_taken_of_all_or_of_each_class():
    _, points = levels_of([16])
    ranges = points.ranges(100, 1)
    instances = truth((2, 12, 1), (5.5, 8.5, 1), (4, 10, 2))
    assert assigned(points, ranges, instances, False) == [(0, 6.0, 1), (0, 7.0, 1), (0, 8.0, 1)]
    both = [(0, row, i) for row in (6.0, 7.0, 8.0) for i in (1, 2)]
    assert assigned(points, ranges, instances, True) == both
    # Of equals the first.
    assert assigned(points, ranges, truth((4, 10, 2), (4, 10, 2)), True, 0.5) == [(0, 7.0, 0)]


def test_masked_points_gaps_and_other_sequences_stand_for_nothing():
    masks = [torch.tensor([[True] * 16, [True] * 8 + [False] * 8])]
    _, points = join_levels([torch.ones(2, 1, 16)], masks, 3)
    ranges = points.ranges(100, 1)
    assert assigned(points, ranges, truth((4, 10, 0)), False, item=1) == [(0, 6.0, 0), (0, 7.0, 0)]
    # Around row 17, where a gap goes on counting, nothing stands.
    assert assigned(points, ranges, truth((15.8, 18.2, 0)), False) == []
    assert assigned(points, ranges, truth(), True) == []


def literal(points, instances, ranges, radius, num_classes, multi_label):
    """Point by point and instance by instance."""
    found = []
    for place, center in enumerate(points.centers.tolist()):
        best = {}
        for number, ((start, end), label) in enumerate(zip(instances.segments.tolist(), instances.labels.tolist())):
            low, high = ranges[place].tolist()
            if not points.mask[0, place] or not start < center < end:
                continue
            if abs(center - (start + end) / 2) >= radius * points.strides[place]:
                continue
            if not low <= max(center - start, end - center) <= high:
                continue
            group = label if multi_label else 0
            if group not in best or end - start < best[group][0]:
                best[group] = (end - start, number)
        found += [(place, number) for _, number in best.values()]
    return sorted(found)


@pytest.mark.parametrize('multi_label', [False, True])
@pytest.mark.parametrize('seed', range(5))
def test_as_point_by_point(seed, multi_label):
    rng = np.random.default_rng(seed)
    _, points = levels_of([50, 25, 13], gap=2)
    points.mask &= torch.from_numpy(rng.uniform(size=points.mask.shape) < 0.9)
    start = rng.uniform(-0.5, 40, 25)
    rows = np.stack([start, np.minimum(start + rng.uniform(0.5, 30, 25), 49.5), rng.integers(0, 4, 25)], 1)
    ranges = points.ranges(4, 3)
    place, instance = assign_points(points, 0, truth(*rows), ranges, 1.5, 4, multi_label)
    expected = literal(points, truth(*rows), ranges, 1.5, 4, multi_label)
    assert sorted(zip(place.tolist(), instance.tolist())) == expected and len(expected) > 20


def test_points_are_a_table():
    points = Points(torch.tensor([0.5]), torch.tensor([2.0]), torch.tensor([1]), torch.ones(1, 1, dtype=torch.bool))
    assert points.ranges(3.0, 3).tolist() == [[3, 6]]
