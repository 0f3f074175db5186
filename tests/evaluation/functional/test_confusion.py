"""Multi-label confusion by hand, and against a literal count."""

import numpy as np
import pytest

from mmtube.evaluation.functional import (
    Confusion,
    confused_pairs,
    confused_samples,
    match_boxes,
    multi_label_confusion,
)
from mmtube.ops import box_iou

#                   a    b    c
SCORES = np.array([
    [0.9, 0.1, 0.2],  # a is true: predicted
    [0.1, 0.9, 0.2],  # a is true: taken for b
    [0.2, 0.9, 0.1],  # a and b are true: a is missed, but b is right
    [0.1, 0.7, 0.6],  # a and c are true: a is taken for b, c is predicted
    [0.1, 0.3, 0.2],  # b is true: on top, though below the threshold
    [0.9, 0.1, 0.1],  # nothing is true: not labelled
])  # fmt: skip
TRUTH = np.array([[1, 0, 0], [1, 0, 0], [1, 1, 0], [1, 0, 1], [0, 1, 0], [0, 0, 0]], bool)


def test_by_hand():
    confusion = multi_label_confusion(SCORES, TRUTH)
    assert confusion.matrix.tolist() == [[0, 2, 0], [0, 0, 0], [0, 0, 0]]
    assert confusion.hits.tolist() == [1, 2, 1]
    assert confusion.misses.tolist() == [1, 0, 0]
    assert confusion.support.tolist() == [4, 2, 1]
    assert confusion.rates[0].tolist() == [0, 0.5, 0]


def test_a_true_class_on_top_counts_if_asked_for():
    confusion = multi_label_confusion(SCORES, TRUTH, count_true_top=True)
    assert confusion.matrix.tolist() == [[0, 3, 0], [0, 0, 0], [0, 0, 0]] and confusion.misses.tolist() == [0, 0, 0]


@pytest.mark.parametrize('count_true_top', [False, True])
def test_agrees_with_a_literal_count(count_true_top):
    rng = np.random.default_rng(0)
    scores, truth = rng.random((300, 7)), rng.random((300, 7)) < 0.25
    confusion = multi_label_confusion(scores, truth, 0.6, count_true_top=count_true_top)
    matrix, hits = np.zeros((7, 7), int), np.zeros(7, int)
    for score, true in zip(scores, truth):
        top = max(range(7), key=lambda label: score[label])
        predicted = {label for label in range(7) if score[label] >= 0.6} | {top}
        for label in np.flatnonzero(true):
            if label in predicted:
                hits[label] += 1
            elif count_true_top or not true[top]:
                matrix[label, top] += 1
    assert (confusion.matrix == matrix).all() and (confusion.hits == hits).all() and matrix.sum() > 50
    assert (confusion.matrix.sum(axis=1) + confusion.hits + confusion.misses == truth.sum(axis=0)).all()


def test_pairs_are_ranked_by_the_mean_of_both_shares():
    matrix = np.zeros((4, 4), int)
    matrix[0, 1], matrix[1, 0] = 50, 8  # of 100 and 10 samples: 0.5 and 0.8
    matrix[2, 0] = 30  # of 100: 0.3, and nothing back
    matrix[3, 2] = 5  # of 5: too few
    confusion = Confusion(matrix, np.zeros(4), np.zeros(4), np.array([100, 10, 100, 5]))
    pairs = confused_pairs(confusion)
    assert [(pair.first, pair.second, pair.merge) for pair in pairs] == [(0, 1, True), (0, 2, False)]
    assert [pair.rate for pair in pairs] == pytest.approx([0.65, 0.15])
    assert (pairs[0].first_as_second, pairs[0].second_as_first) == (50, 8)
    assert (pairs[1].first_as_second, pairs[1].second_as_first) == (0, 30)
    assert [pair.rate for pair in confused_pairs(confusion, min_support=5)] == pytest.approx([0.65, 0.5, 0.15])
    assert len(confused_pairs(confusion, top=1)) == 1
    assert not confused_pairs(confusion, merge_above=0.65)[0].merge, 'not above it'


def test_samples_of_a_pair_come_with_the_most_confident_mistake_first():
    pairs = confused_pairs(multi_label_confusion(SCORES, TRUTH), min_support=1)
    assert confused_samples(SCORES, TRUTH, pairs).tolist() == [[0, 1, 0, 1], [0, 3, 0, 1]]
    assert confused_samples(SCORES, TRUTH, []).shape == (0, 4)


def test_nothing_gives_nothing():
    confusion = multi_label_confusion(np.zeros((0, 3)), np.zeros((0, 3), bool))
    assert confusion.matrix.shape == (3, 3) and not confusion.support.any() and confused_pairs(confusion) == []
    assert multi_label_confusion(np.zeros((2, 0)), np.zeros((2, 0), bool)).matrix.shape == (0, 0)


@pytest.mark.parametrize(
    ('scores', 'truth', 'cause'),
    [(np.zeros((2, 3)), np.zeros((2, 2)), 'one shape'), (np.full((1, 2), np.nan), np.ones((1, 2)), 'not a finite')],
)
def test_what_does_not_fit_is_refused(scores, truth, cause):
    with pytest.raises(ValueError, match=cause):
        multi_label_confusion(scores, truth)


def test_a_box_has_one_partner_in_its_frame_the_best_pairs_first():
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 9], [0, 0, 10, 10.0]])
    others = np.array([[0, 0, 10, 8.5], [0, 0, 10, 10], [50, 50, 60, 60.0]])
    assert match_boxes(boxes, np.array([5, 5, 6]), others, np.array([5, 5, 6])).tolist() == [1, 0, -1]
    assert match_boxes(boxes, np.array([5, 5, 6]), others[:0], np.zeros(0, int)).tolist() == [-1, -1, -1]


def test_matches_agree_with_a_literal_greedy_search():
    rng = np.random.default_rng(1)
    corners = [rng.integers(0, 12, (40, 2)) for _ in range(2)]
    boxes, others = (np.concatenate([corner, corner + rng.integers(4, 9, (40, 2))], 1) / 1.0 for corner in corners)
    frames, other_frames = rng.integers(0, 6, (2, 40))
    found = match_boxes(boxes, frames, others, other_frames, 0.3)
    iou = box_iou(boxes, others) * (frames[:, None] == other_frames[None])
    total = sum(iou[row, other] for row, other in enumerate(found) if other >= 0)
    expected = 0.0
    while iou.max() >= 0.3:
        row, other = np.unravel_index(iou.argmax(), iou.shape)
        expected += iou[row, other]
        iou[row], iou[:, other] = 0, 0
    assert total == pytest.approx(expected) and (found >= 0).sum() > 10
    assert len(set(found[found >= 0])) == (found >= 0).sum()
