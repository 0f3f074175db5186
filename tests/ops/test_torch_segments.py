import math

import numpy as np
import torch

from mmtube.ops.segments import segment_iou
from mmtube.ops.torch_segments import MAX_LOG_SCALE, decode_segments, encode_segments, keep_apart, pairwise_tiou


def random_segments(count, seed):
    rng = np.random.default_rng(seed)
    start = rng.uniform(0, 50, count)
    return np.stack([start, start + rng.uniform(0, 30, count)], 1)


def test_tiou_is_that_of_the_ops_on_arrays():
    a, b = random_segments(20, 0), random_segments(30, 1)
    found = pairwise_tiou(torch.tensor(a)[None], torch.tensor(b)[None])[0]
    np.testing.assert_allclose(found.numpy(), segment_iou(a, b), atol=1e-12)


def test_segments_without_length_have_nothing_in_common():
    point = torch.tensor([[3.0, 3.0]])
    assert pairwise_tiou(point, point).item() == 0
    assert pairwise_tiou(point, torch.tensor([[0.0, 9.0]])).item() == 0


def test_encoding_by_hand():
    delta = encode_segments(torch.tensor([2.0, 6.0]), torch.tensor([4.0, 12.0]))
    torch.testing.assert_close(delta, torch.tensor([1.0, math.log(2)]))  # the centre goes from 4 to 8, one length


def test_decoding_is_the_inverse():
    a, b = (torch.tensor(random_segments(20, seed) + np.array([0, 1])) for seed in (2, 3))
    torch.testing.assert_close(decode_segments(a, encode_segments(a, b)), b)


def test_decoding_clamps_the_scale_on_both_sides():
    grown = decode_segments(torch.tensor([0.0, 16.0]), torch.tensor([0.0, 50.0]))
    torch.testing.assert_close(grown, torch.tensor([-492.0, 508.0]))
    shrunk = decode_segments(torch.tensor([0.0, 16.0]), torch.tensor([0.0, -50.0]))
    torch.testing.assert_close(shrunk[1] - shrunk[0], torch.tensor(16 * math.exp(-MAX_LOG_SCALE)), rtol=1e-4, atol=0)
    assert decode_segments(torch.tensor([0.0, 16.0]), torch.tensor([0.0, 1e4])).isfinite().all()


def greedy(segments, scores, thr):
    """Non-maximum suppression of one sequence, one by one."""
    kept = []
    for place, score in enumerate(scores):
        if score > 0 and all(segment_iou(segments[[place]], segments[[other]])[0, 0] <= thr for other in kept):
            kept.append(place)
    return [place in kept for place in range(len(scores))]


def test_keep_apart_is_greedy_suppression_of_each_sequence():
    segments = np.stack([random_segments(40, seed) for seed in (4, 5, 6)])
    scores = np.sort(np.random.default_rng(7).uniform(size=(3, 40)))[:, ::-1].copy()
    scores[1, 25:] = 0
    kept = keep_apart(torch.tensor(segments), torch.tensor(scores), 0.4)
    assert kept.tolist() == [greedy(*one, 0.4) for one in zip(segments, scores)]
    assert 0 < kept.sum() < 105


def test_a_segment_that_was_dropped_drops_none():
    chain = torch.tensor([[[0.0, 10.0], [3.0, 13.0], [6.0, 16.0]]])  # neighbours have 7 / 13, the ends 4 / 16
    assert keep_apart(chain, torch.tensor([[0.9, 0.8, 0.7]]), 0.5).tolist() == [[True, False, True]]
