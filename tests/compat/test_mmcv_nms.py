import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmtube.compat import mmcv_nms
from mmtube.compat.mmcv_nms import nms, nms_match, softnms

# Two 10 x 10 boxes that share 5 x 10 pixels: IoU 50/150 = 1/3. With offset 1 they are 11 x 11 and share 6 x 11: 66/176.
LEFT, RIGHT, FAR = [0.0, 0, 10, 10], [5.0, 0, 15, 10], [100.0, 100, 110, 110]


def iou(a, b, offset):
    width = max(min(a[2], b[2]) - max(a[0], b[0]) + offset, 0)
    height = max(min(a[3], b[3]) - max(a[1], b[1]) + offset, 0)
    areas = [(box[2] - box[0] + offset) * (box[3] - box[1] + offset) for box in (a, b)]
    union = sum(areas) - width * height
    return width * height / union if union else float('nan')


def soft_nms_by_hand(boxes, scores, threshold, sigma, min_score, method, offset):
    waiting = [(score, i) for i, score in enumerate(scores)]
    done = []
    while waiting:
        best = max(range(len(waiting)), key=lambda k: waiting[k][0])  # the first of equal ones
        waiting[0], waiting[best] = waiting[best], waiting[0]
        (score, i), waiting = waiting[0], waiting[1:]
        done.append((score, i))
        for k in range(len(waiting)):
            overlap = iou(boxes[i], boxes[waiting[k][1]], offset)
            hit = overlap >= threshold
            weight = ((0 if hit else 1), (1 - overlap if hit else 1), np.exp(-(overlap**2) / sigma))[method]
            waiting[k] = (waiting[k][0] * weight, waiting[k][1])
        k = 0
        while k < len(waiting):
            if waiting[k][0] < min_score:
                waiting[k] = waiting[-1]
                waiting.pop()
            else:
                k += 1
    return done


def run_softnms(boxes, scores, threshold=0.3, sigma=0.5, min_score=1e-3, method=0, offset=0):
    boxes, scores = torch.as_tensor(boxes).reshape(-1, 4), torch.as_tensor(scores)
    dets = boxes.new_zeros(len(boxes), 5)
    inds = softnms(boxes, scores, dets, threshold, sigma, min_score, method, offset)
    return dets[: len(inds)], inds.tolist()


@st.composite
def scored_boxes(draw, max_count=25):
    # Corners on a coarse grid in float64: many twins and equal overlaps, and no rounding between the two sides.
    count = draw(st.integers(1, max_count))
    corner = st.integers(0, 8)
    rows = draw(
        st.lists(st.tuples(corner, corner, st.integers(1, 6), st.integers(1, 6)), min_size=count, max_size=count)
    )
    boxes = [[float(x), float(y), float(x + w), float(y + h)] for x, y, w, h in rows]
    scores = draw(st.lists(st.sampled_from([0.1, 0.25, 0.5, 0.75, 0.9]), min_size=count, max_size=count))
    return torch.tensor(boxes, dtype=torch.float64), torch.tensor(scores, dtype=torch.float64)


def test_nms_drops_what_overlaps_a_better_box_and_sorts_by_score():
    boxes, scores = torch.tensor([LEFT, RIGHT, FAR]), torch.tensor([0.8, 0.9, 0.95])
    assert nms(boxes, scores, 0.3, 0).tolist() == [2, 1]
    assert nms(boxes, scores, 0.34, 0).tolist() == [2, 1, 0]


def test_nms_counts_the_last_pixel_with_offset_one():
    boxes, scores = torch.tensor([LEFT, RIGHT]), torch.tensor([0.9, 0.8])
    assert nms(boxes, scores, 0.35, 0).tolist() == [0, 1]
    assert nms(boxes, scores, 0.35, 1).tolist() == [0]


def test_nms_keeps_a_box_at_the_threshold_and_nms_match_takes_it():
    boxes = torch.tensor([[0.0, 0, 4, 4], [0.0, 0, 4, 2]])  # IoU 0.5
    assert nms(boxes, torch.tensor([0.9, 0.8]), 0.5, 0).tolist() == [0, 1]
    assert nms_match(torch.cat([boxes, torch.tensor([[0.9], [0.8]])], 1), 0.5) == [[0, 1]]


def test_a_dropped_box_drops_nothing():
    chain = torch.tensor([[0.0, 0, 10, 10], [4.0, 0, 14, 10], [8.0, 0, 18, 10]])  # neighbours 60/140, ends 20/180
    assert nms(chain, torch.tensor([0.9, 0.8, 0.7]), 0.4, 0).tolist() == [0, 2]


def test_of_equal_scores_the_earlier_box_wins():
    assert nms(torch.tensor([LEFT] * 40), torch.full((40,), 0.5), 0.5, 0).tolist() == [0]
    apart = torch.arange(2000.0)[:, None] * 20 + torch.tensor(LEFT)
    scores = torch.tensor([0.5, 0.75]).repeat(1000)
    assert nms(apart, scores, 0.5, 0).tolist() == [*range(1, 2000, 2), *range(0, 2000, 2)]


def test_no_boxes_and_boxes_without_area():
    assert nms(torch.zeros(0, 4), torch.zeros(0), 0.5, 0).shape == (0,)
    assert nms(torch.zeros(3, 4), torch.tensor([0.1, 0.3, 0.2]), 0.5, 0).tolist() == [1, 2, 0]
    assert run_softnms([[1.0, 1, 1, 1]] * 2, [0.5, 0.7], method=1)[1] == [1, 0]


def test_half_precision_gives_the_result_of_single_precision():
    boxes, scores = torch.tensor([LEFT, RIGHT, FAR]), torch.tensor([0.75, 0.875, 0.5])
    assert nms(boxes.half(), scores.half(), 0.3, 0).tolist() == nms(boxes, scores, 0.3, 0).tolist() == [1, 2]


@settings(max_examples=60, deadline=None)
@given(scored_boxes(), st.sampled_from([0.0, 0.25, 0.5, 0.7]), st.sampled_from([0, 1]), st.sampled_from([1, 3, 256]))
def test_nms_and_nms_match_agree_with_the_loop_whatever_the_block(case, threshold, offset, block):
    boxes, scores = case
    order = sorted(range(len(boxes)), key=lambda i: -scores[i])
    keep, groups = [], []
    for i in order:
        if not any(iou(boxes[k].tolist(), boxes[i].tolist(), offset) > threshold for k in keep):
            keep.append(i)
        owner = next((g for g in groups if iou(boxes[g[0]].tolist(), boxes[i].tolist(), 0) >= threshold), None)
        groups.append([i]) if owner is None else owner.append(i)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mmcv_nms, 'BLOCK', block)
        patch.setattr(mmcv_nms, 'MAX_PAIRS', 4 * block)
        assert nms(boxes, scores, threshold, offset).tolist() == keep
        assert nms_match(torch.cat([boxes, scores[:, None]], 1), threshold) == groups


def test_softnms_lowers_scores_by_method():
    boxes, scores = [LEFT, RIGHT, FAR], [0.9, 0.6, 0.5]
    removed, inds = run_softnms(boxes, scores, method=0)
    assert inds == [0, 2] and torch.equal(removed[:, 4], torch.tensor([0.9, 0.5]))
    linear, inds = run_softnms(boxes, scores, method=1)
    assert inds == [0, 2, 1] and torch.allclose(linear[:, 4], torch.tensor([0.9, 0.5, 0.4]))  # 0.6 * (1 - 1/3)
    gaussian, inds = run_softnms(boxes, scores, method=2)
    assert inds == [0, 2, 1] and torch.allclose(gaussian[2, 4], torch.tensor(0.6 * np.exp(-2 / 9)).float())
    assert torch.equal(gaussian[:, :4], torch.tensor([LEFT, FAR, RIGHT]))


def test_softnms_forgets_a_box_below_the_smallest_score():
    dets, inds = run_softnms([LEFT, LEFT], [0.9, 0.8], method=1, min_score=0.01)
    assert inds == [0] and dets.shape == (1, 5)


@settings(max_examples=60, deadline=None)
@given(scored_boxes(12), st.sampled_from([0.2, 0.5]), st.sampled_from([0, 1, 2]), st.sampled_from([0, 1]))
def test_softnms_agrees_with_the_loop(case, threshold, method, offset):
    boxes, scores = case
    expected = soft_nms_by_hand(boxes.tolist(), scores.tolist(), threshold, 0.5, 0.05, method, offset)
    dets, inds = run_softnms(boxes, scores, threshold, 0.5, 0.05, method, offset)
    assert inds == [i for _, i in expected]
    assert torch.equal(dets[:, :4], boxes[inds])
    np.testing.assert_allclose(dets[:, 4], [score for score, _ in expected], rtol=1e-12)


def test_mmcv_itself_gives_these_results():
    pytest.importorskip('mmcv.ops')
    from mmcv.ops import batched_nms, soft_nms
    from mmcv.ops import nms_match as match

    boxes, scores = torch.tensor([LEFT, RIGHT, FAR]), torch.tensor([0.9, 0.6, 0.5])
    dets, keep = batched_nms(boxes, scores, torch.tensor([0, 0, 1]), {'type': 'nms', 'iou_threshold': 0.3})
    assert keep.tolist() == [0, 2] and dets.shape == (2, 5)
    assert soft_nms(boxes, scores, method='linear')[1].tolist() == [0, 2, 1]
    assert [g.tolist() for g in match(torch.cat([boxes, scores[:, None]], 1), 0.3)] == [[0, 1], [2]]
