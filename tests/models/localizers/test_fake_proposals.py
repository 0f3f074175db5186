import pytest
import torch

from mmtube.models.localizers.base import Truth
from mmtube.models.localizers.fake_proposals import FakeProposals
from mmtube.models.localizers.truths import TruthTable
from mmtube.ops.torch_segments import pairwise_tiou


def table(*sequences):
    return TruthTable.of(
        [
            Truth(torch.tensor(spans, dtype=torch.float32).view(-1, 2), torch.zeros(len(spans), dtype=torch.long))
            for spans in sequences
        ]
    )


def test_each_step_of_tiou_has_its_jitters():
    truth = table([[40.0, 60.0], [100.0, 103.0]], [[7.0, 8.0]])
    segments, there = FakeProposals(each=200).jitter(truth)
    assert segments.shape == (2, 2 * 4 * 200, 2)
    assert there.sum(1).tolist() == [1600, 800]
    overlap = pairwise_tiou(segments[0], truth.segments[0]).view(2, 4, 200, 2)
    for number in range(2):
        for step, (high, low) in enumerate(((1.0, 0.9), (0.9, 0.7), (0.7, 0.5), (0.5, 0.3))):
            own = overlap[number, step, :, number]
            assert own.min() > low - 1e-3 and own.max() < high + 1e-3
            assert own.max() - own.min() > 0.8 * (high - low)


def test_jitters_go_in_all_directions():
    truth = table([[40.0, 60.0]])
    off = FakeProposals(each=50).jitter(truth)[0][0] - truth.segments[0]
    ways = {(bool(start > 0), bool(end > 0)) for start, end in off.tolist()}
    assert len(ways) == 4


def test_random_ones_are_far_from_all_instances():
    truth, lengths = table([[0.0, 30.0], [50.0, 60.0]], []), torch.tensor([100, 20])
    segments, there = FakeProposals(negatives=8).away(truth, lengths)
    assert there.all() and segments.shape == (2, 8, 2)
    assert truth.tiou(segments).max() < 0.3
    assert segments.min() >= -0.5 and segments[0].max() <= 99.5 and segments[1].max() <= 19.5


def test_where_there_is_no_room_there_are_fewer():
    crowded = [[float(start), float(start + length)] for start in range(10) for length in range(1, 10)]
    segments, there = FakeProposals(negatives=8)(table(crowded), torch.tensor([10]))
    jitters = len(crowded) * 8
    assert not there[0, jitters:].all()
    assert segments.isfinite().all()


def test_all_stay_inside_the_sequence_and_have_a_length():
    segments, there = FakeProposals()(table([[-0.5, 9.5], [8.0, 9.5]], []), torch.tensor([10, 0]))
    assert there[0].all() and not there[1].any()
    assert segments[0].min() >= -0.5 and segments[0].max() <= 9.5
    assert (segments[0, :, 1] > segments[0, :, 0]).all()


def test_jitters_and_negatives_can_be_left_out():
    truth, lengths = table([[2.0, 5.0]]), torch.tensor([10])
    assert FakeProposals(negatives=0)(truth, lengths)[0].shape == (1, 8, 2)
    assert FakeProposals(each=0)(truth, lengths)[0].shape == (1, 8, 2)
    with pytest.raises(ValueError, match='not both 0'):
        FakeProposals(each=0, negatives=0)
