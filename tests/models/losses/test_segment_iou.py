import pytest
import torch

from mmtube.models.losses import SegmentIoULoss

# Inter 2, union 6, hull 6; a gap of 2 between two of length 2: hull 6, centres 4 apart; the same.
SEGMENTS = torch.tensor([[0.0, 4], [0, 2], [3, 5]], dtype=torch.float64)
TARGETS = torch.tensor([[2.0, 6], [4, 6], [3, 5]], dtype=torch.float64)


@pytest.mark.parametrize(
    ('kind', 'expected'),
    [
        ('iou', [2 / 3, 1, 0]),
        ('giou', [2 / 3, 1 + 1 / 3, 0]),
        ('diou', [2 / 3 + (2 / 6) ** 2, 1 + (4 / 6) ** 2, 0]),
    ],
)
def test_by_hand(kind, expected):
    loss = SegmentIoULoss(kind, loss_weight=3)
    for row, value in enumerate(expected):
        assert loss(SEGMENTS[row : row + 1], TARGETS[row : row + 1]).item() == pytest.approx(3 * value)
    assert loss(SEGMENTS, TARGETS).item() == pytest.approx(sum(expected))
    assert loss(SEGMENTS, TARGETS, avg_factor=2).item() == pytest.approx(1.5 * sum(expected))


def test_a_segment_without_length_and_no_segment():
    point = torch.tensor([[1.0, 1]], requires_grad=True)
    loss = SegmentIoULoss()(point, torch.tensor([[0.0, 2]]))
    loss.backward()
    assert loss.item() == 1 and point.grad.isfinite().all()
    nothing = torch.zeros(0, 2, requires_grad=True)
    loss = SegmentIoULoss()(nothing, torch.zeros(0, 2))
    loss.backward()
    assert loss.item() == 0


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match=r"one of .*got 'ciou'"):
        SegmentIoULoss('ciou')
