import pytest
import torch
import torch.nn.functional as F

from mmtube.models.localizers.base import Truth
from mmtube.models.localizers.proximity import ProximityCategories
from mmtube.models.localizers.truths import TruthTable

# Instances of class 2 from 10 to 20 and of class 0 from 30 to 34; the second sequence has none.
TRUTH = TruthTable.of(
    [
        Truth(torch.tensor([[10.0, 20.0], [30.0, 34.0]]), torch.tensor([2, 0])),
        Truth(torch.zeros(0, 2), torch.zeros(0, dtype=torch.long)),
    ]
)
SEGMENTS = torch.tensor(
    [
        [10.0, 20.0],  # class 2
        [10.0, 16.0],  # of it, tIoU 0.6
        [10.0, 13.0],  # near it, tIoU 0.3
        [6.0, 9.0],  # near it, in the 5 rows before
        [1.0, 4.0],  # neither
        [29.0, 33.0],  # class 0, tIoU 0.6
        [22.0, 33.0],  # near both, more of class 0: 5 of 14 rows against 3 of 28
    ]
)[None].expand(2, -1, -1)


def test_of_a_class_near_it_or_neither():
    categories = ProximityCategories(3)
    assert categories.outputs == 7
    targets = categories.targets(SEGMENTS, TRUTH, 0.5)
    assert targets[0].tolist() == [2, 2, 5, 5, 6, 0, 3]
    assert targets[1].tolist() == [6] * 7


def test_a_higher_threshold_makes_it_near():
    assert ProximityCategories(3).targets(SEGMENTS, TRUTH, 0.7)[0].tolist() == [2, 5, 5, 5, 6, 3, 3]


def test_without_proximity_there_is_one_background():
    categories = ProximityCategories(3, proximity=False)
    assert categories.outputs == 4
    assert categories.targets(SEGMENTS, TRUTH, 0.5)[0].tolist() == [2, 2, 3, 3, 3, 0, 3]


def test_several_classes_at_one_place():
    truth = TruthTable.of([Truth(torch.tensor([[0.0, 10.0], [1.0, 10.0], [8.0, 12.0]]), torch.tensor([1, 2, 1]))])
    segments = torch.tensor([[[0.0, 10.0], [8.0, 12.0], [40.0, 50.0]]])
    categories = ProximityCategories(3, multi_label=True)
    assert categories.outputs == 6
    assert categories.targets(segments, truth, 0.5)[0].tolist() == [
        [0, 1, 1, 0, 0, 0],
        [0, 1, 0, 0, 0, 1],
        [0, 0, 0, 0, 0, 0],
    ]
    alone = ProximityCategories(3, multi_label=True, proximity=False)
    assert alone.outputs == 3
    assert alone.targets(segments, truth, 0.5)[0].tolist() == [[0, 1, 1], [0, 1, 0], [0, 0, 0]]


def test_cross_entropy_is_the_mean_of_what_counts():
    logits, targets = torch.randn(2, 7, 7), ProximityCategories(3).targets(SEGMENTS, TRUTH, 0.5)
    counted = torch.zeros(2, 7, dtype=torch.bool)
    counted[0, [1, 4]], counted[1, 0] = True, True
    want = F.cross_entropy(logits[counted], targets[counted])
    torch.testing.assert_close(ProximityCategories(3).loss(logits, targets, counted), want)
    assert ProximityCategories(3).loss(logits, targets, counted & ~counted) == 0


def test_focal_loss_by_the_formula():
    categories = ProximityCategories(2, multi_label=True, proximity=False)
    logits = torch.tensor([[[1.0, -2.0], [0.5, 3.0]]])
    targets, counted = torch.tensor([[[1.0, 0.0], [1.0, 1.0]]]), torch.tensor([[True, False]])
    yes, no = torch.tensor(1.0).sigmoid(), torch.tensor(-2.0).sigmoid()
    want = -0.25 * (1 - yes) ** 2 * yes.log() - 0.75 * no**2 * (1 - no).log()
    torch.testing.assert_close(categories.loss(logits, targets, counted), want)
    both = categories.loss(logits, targets, torch.tensor([[True, True]]))
    more = [-0.25 * (1 - p) ** 2 * p.log() for p in torch.tensor([0.5, 3.0]).sigmoid()]
    torch.testing.assert_close(both, (want + sum(more)) / 3)  # for each yes


def test_scores_are_of_the_classes_and_a_part_of_near_them():
    logits = torch.tensor([[3.0, 1.0, 2.0, 0.0, -1.0]])
    likely = logits.softmax(-1)[0]
    torch.testing.assert_close(ProximityCategories(2).scores(logits)[0], likely[:2])
    torch.testing.assert_close(ProximityCategories(2, beta=0.5).scores(logits)[0], likely[:2] + likely[2:4] / 2)
    many = ProximityCategories(2, multi_label=True, beta=1.0).scores(logits[:, :4])
    torch.testing.assert_close(many[0], (logits[0, :2].sigmoid() + logits[0, 2:4].sigmoid()).clamp(max=1))


@pytest.mark.parametrize('wrong', [dict(num_classes=0), dict(context=-1), dict(beta=1.5), dict(alpha=1.0)])
def test_arguments_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match='out of range'):
        ProximityCategories(**{'num_classes': 3, **wrong})
