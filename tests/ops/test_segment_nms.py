"""Suppression of segments, against a literal loop."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmtube.ops.segment_nms import segment_nms
from mmtube.ops.segments import segment_iou


def literal(segments, scores, labels, decay, min_score, max_num):
    """One class after another, one segment after another."""
    kept = []
    for label in sorted(set(labels.tolist())):
        left = {i: scores[i] for i in np.flatnonzero(labels == label) if scores[i] >= min_score}
        while left:
            best = max(left, key=lambda i: (left[i], -np.argsort(-scores, kind='stable').tolist().index(i)))
            score = left.pop(best)
            if score < min_score:
                break
            kept.append((best, score))
            left = {
                i: value * decay(segment_iou(segments[best : best + 1], segments[i : i + 1])[0, 0])
                for i, value in left.items()
            }
            left = {i: value for i, value in left.items() if value > 0 or not min_score}
    kept.sort(key=lambda pair: (-pair[1], pair[0]))
    return kept[:max_num]


def test_soft_nms_by_hand():
    # IoU of the first two is 0.5: 0.8 exp(-0.25 / 0.5) = 0.4852.
    segments = np.array([[0.0, 10], [0, 5], [20, 30]])
    keep, scores = segment_nms(segments, np.array([0.9, 0.8, 0.7]), sigma=0.5)
    assert keep.tolist() == [0, 2, 1]
    np.testing.assert_allclose(scores, [0.9, 0.7, 0.8 * np.exp(-0.5)], rtol=1e-12)


def test_classes_do_not_suppress_each_other():
    keep, scores = segment_nms(np.array([[0.0, 10], [0, 10]]), np.array([0.9, 0.8]), np.array([0, 1]), iou_thr=0.1)
    assert keep.tolist() == [0, 1]
    assert scores.tolist() == [0.9, 0.8]


def test_hard_nms_keeps_what_overlaps_as_much_as_the_threshold():
    segments = np.array([[0.0, 10], [0, 5], [0, 6]])
    keep, _ = segment_nms(segments, np.array([0.9, 0.8, 0.7]), iou_thr=0.5)
    assert keep.tolist() == [0, 1]


def test_nothing_and_segments_without_length():
    keep, scores = segment_nms(np.zeros((0, 2)), np.zeros(0))
    assert keep.dtype == np.int64
    assert not len(keep)
    assert not len(scores)
    keep, scores = segment_nms(np.array([[5.0, 5], [5, 5]]), np.array([0.5, 0.4]))
    assert scores.tolist() == [0.5, 0.4]  # their IoU is 0, not NaN


def test_faults_are_refused():
    with pytest.raises(ValueError, match='2 segments, 1 scores'):
        segment_nms(np.zeros((2, 2)), np.zeros(1))
    with pytest.raises(ValueError, match='sigma'):
        segment_nms(np.zeros((1, 2)), np.zeros(1), sigma=0)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(0, 25), st.sampled_from([None, 0.3, 0.8]), st.sampled_from([1e-3, 0.2]))
def test_equals_a_literal_loop(seed, count, iou_thr, min_score):
    rng = np.random.default_rng(seed)
    start = rng.uniform(0, 10, count)
    segments = np.stack([start, start + rng.uniform(0, 6, count)], 1)
    scores, labels = rng.uniform(0, 1, count), rng.integers(0, 3, count)
    settings_ = dict(sigma=0.4, iou_thr=iou_thr, min_score=min_score, max_num=9)
    keep, values = segment_nms(segments, scores, labels, **settings_)

    def decay(iou):
        return np.exp(-(iou**2) / 0.4) if iou_thr is None else float(iou <= iou_thr)

    # Without a limit for each class: the literal one keeps the best nine of all.
    wanted = literal(segments, scores, labels, decay, min_score, 9)
    assert keep.tolist() == [index for index, _ in wanted]
    np.testing.assert_allclose(values, [score for _, score in wanted], rtol=1e-12)
