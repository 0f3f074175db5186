import numpy as np
import pytest
import torch

from mmtube.datasets.collate import tubelet_collate
from mmtube.models.localizers.base import Candidates, TemporalLocalizer
from tests.models.localizers.planted import plant_sequence, plant_sequences


class Steps(TemporalLocalizer):
    """Finds the rows in which the stem's first channel is high, as one segment."""

    def __init__(self, **kwargs):
        super().__init__(dict(dims=(4,), channels=4), 2, **kwargs)
        self.stem = First()
        self.seen = []

    def losses(self, base, mask, truths, parts):
        return {'loss': base.sum(), 'instances': torch.tensor(sum(len(truth.labels) for truth in truths))}

    def find(self, base, mask):
        self.seen.append(tuple(base.shape))
        found = []
        for row, real in zip(base[:, 0], mask):
            high = (row * real > 0.5).nonzero()[:, 0]
            span = [[float(high[0]) - 0.5, float(high[-1]) + 0.5]] if len(high) else []
            found.append(
                Candidates(torch.tensor(span).view(-1, 2), torch.full((len(span),), 0.9), torch.zeros(len(span)).long())
            )
        return found


class First(torch.nn.Module):
    def forward(self, features, mask):
        return features * mask[:, None], [features]


def step(begin, end, rows=60, offset_s=7.3, valid=None):
    """A tubelet that begins at ``offset_s`` whose features are 1 in some rows."""
    item = plant_sequence(np.random.default_rng(0), rows, 2, (4,), offset_s=offset_s)
    item['inputs'][:] = 0
    item['inputs'][:, begin:end] = 1
    if valid is not None:
        item['data_samples'].set_field(valid, 'valid')
    return item


def found_by(model, *items):
    return [sample.pred_segments for sample in model.eval()(**tubelet_collate(items), mode='predict')]


@pytest.mark.parametrize('offset_s', [0.0, 7.3, 1234.5])
def test_a_step_comes_back_at_its_second(offset_s):
    found = found_by(Steps(), step(15, 30, offset_s=offset_s))[0]
    want = offset_s + np.array([[14.5, 29.5]]) / 7.5
    np.testing.assert_allclose(found.segments_s.numpy(), want, atol=1e-6)
    assert found.segments_s.dtype == torch.float64 and found.labels.dtype == torch.int64


def test_times_are_cut_to_the_tubelet():
    item = step(0, 60)
    item['data_samples'].set_metainfo(dict(t0_s=8.0, t1_s=10.0))
    assert found_by(Steps(), item)[0].segments_s.tolist() == [[8.0, 10.0]]


def test_windows_cover_a_sequence_and_the_last_one_ends_with_it():
    assert Steps(window_rows=16).windows(38) == [(0, 16), (8, 24), (16, 32), (22, 38)]
    assert Steps(window_rows=16, window_overlap=0.0).windows(32) == [(0, 16), (16, 32)]
    assert Steps(window_rows=16).windows(10) == [(0, 10)]
    assert Steps().windows(1) == [(0, 1)]


def test_what_two_windows_find_is_one():
    model = Steps(window_rows=20, windows_per_pass=2)
    found = found_by(model, step(21, 28))[0]  # in the windows from 10 and from 20
    np.testing.assert_allclose(found.segments_s[0].numpy(), 7.3 + np.array([20.5, 27.5]) / 7.5, atol=1e-6)
    assert found.scores[0] == pytest.approx(0.9)
    assert (found.scores[1:] < 0.9 * np.exp(-1 / 0.5) + 1e-6).all()
    assert model.seen == [(2, 4, 20), (2, 4, 20), (1, 4, 20)]
    assert len(found_by(Steps(window_rows=20, nms=dict(iou_thr=0.5)), step(21, 28))[0].scores) == 1


def test_a_batch_of_mixed_lengths_gives_what_each_alone_gives():
    items = [step(15, 30), step(2, 5, rows=8), step(30, 70, rows=90, offset_s=1.0)]
    for settings in (dict(), dict(window_rows=16, windows_per_pass=3)):
        model = Steps(**settings)
        for item, together in zip(items, found_by(model, *items)):
            alone = found_by(model, item)[0]
            torch.testing.assert_close(alone.segments_s, together.segments_s, atol=1e-5, rtol=0)
            torch.testing.assert_close(alone.scores, together.scores)


def test_windows_without_a_row_that_counts_are_not_looked_at():
    valid = torch.ones(60, dtype=torch.bool)
    valid[20:50] = False
    model = Steps(window_rows=10, window_overlap=0.0, windows_per_pass=100)
    found_by(model, step(0, 4, valid=valid))
    assert model.seen == [(3, 4, 10)]
    none = found_by(model, step(0, 4, valid=valid & ~valid))[0]
    assert none.segments_s.shape == (0, 2) and len(none.scores) == len(none.labels) == 0
    assert len(model.seen) == 1


def test_the_stem_runs_once_over_a_sequence():
    model = Steps(window_rows=16)
    ran = []
    model.stem.register_forward_hook(lambda module, args, out: ran.append(tuple(args[0].shape)))
    found_by(model, step(15, 30), step(2, 5, rows=8))
    assert ran == [(1, 4, 60)] * 2


def test_truth_without_length_is_left_out():
    item = step(3, 9)
    segments = item['data_samples'].gt_instances.segments
    segments[0, 1] = segments[0, 0]
    losses = Steps()(**tubelet_collate([item]), mode='loss')
    assert losses['instances'] == len(segments) - 1


def test_candidates_of_a_table_are_the_best_pairs():
    segments = torch.tensor([[0.0, 1.0], [2.0, 3.0]])
    scores = torch.tensor([[0.1, 0.9, 0.0], [0.9, 0.3, 0.05]])
    found = Candidates.from_table(segments, scores, min_score=0.1, most=3)
    torch.testing.assert_close(found.scores, torch.tensor([0.9, 0.9, 0.3]))
    assert found.labels.tolist() == [1, 0, 1]
    assert found.segments.tolist() == [[0, 1], [2, 3], [2, 3]]
    assert Candidates.from_table(segments, scores, 0.1, 99).scores.numel() == 4
    of_class = torch.arange(12.0).view(2, 3, 2)
    assert Candidates.from_table(of_class, scores, 0.5, 9).segments.tolist() == [[2, 3], [6, 7]]


def test_modes_and_arguments_are_checked():
    batch = tubelet_collate(plant_sequences(1, dims=(4,)))
    with pytest.raises(ValueError, match="got 'other'"):
        Steps()(**batch, mode='other')
    with pytest.raises(ValueError, match='with samples'):
        Steps()(batch['inputs'], mode='predict')
    assert Steps()(batch['inputs'])[0].shape[0] == 4
    with pytest.raises(ValueError, match='window_rows'):
        Steps(window_rows=0)
    with pytest.raises(ValueError, match='window_overlap=1'):
        Steps(window_overlap=1)
