"""Accuracy and average precision of recognition against cases worked by hand, literal loops and other libraries."""

import numpy as np
import pytest

from mmtube.evaluation.functional.recognition import (
    are_probabilities,
    class_precision,
    class_recall,
    confusion_counts,
    fuse_scores,
    micro_average_precision,
    softmax,
    step_average_precision,
    top_classes,
    top_k_accuracy,
    true_ranks,
)

INF = np.inf


def literal_ap(scores, truth):
    """The sum over distinct scores of recall gained times precision, as scikit-learn's documentation defines it."""
    ap, before = 0.0, 0.0
    for threshold in sorted(set(scores.tolist()), reverse=True):
        taken = scores >= threshold
        recall = (taken & truth).sum() / truth.sum()
        ap += (recall - before) * (taken & truth).sum() / taken.sum()
        before = recall
    return ap


def literal_rank(scores, label):
    order = sorted(range(len(scores)), key=lambda place: (-scores[place], place))
    return order.index(label)


def random_cases(count=200):
    random = np.random.default_rng(7)
    for case in range(count):
        size, classes = int(random.integers(1, 40)), int(random.integers(2, 7))
        scores = random.integers(0, 4, (size, classes)) / 4 if case % 2 else random.random((size, classes))
        yield scores, random.random((size, classes)) < 0.3, random.integers(classes, size=size)


def test_of_equal_scores_the_smaller_class_comes_first():
    scores = np.array([[0.2, 0.5, 0.3], [0.4, 0.4, 0.2], [0.1, 0.6, 0.3], [0.3, 0.3, 0.4]])
    ranks = true_ranks(scores, np.array([1, 0, 2, 1]))
    assert ranks.tolist() == [0, 0, 1, 2]
    # scikit-learn 1.9 takes the larger class first: 0.25 and 1.0 here, and these with the classes turned around.
    assert top_k_accuracy(ranks, [1, 2]).tolist() == [0.5, 0.75]


def test_ranks_are_those_of_a_sorted_list():
    for scores, _, labels in random_cases():
        expected = [literal_rank(row.tolist(), label) for row, label in zip(scores, labels)]
        assert true_ranks(scores, labels).tolist() == expected


def test_top_k_equals_mmaction_where_no_scores_are_equal():
    from mmaction.evaluation import top_k_accuracy as theirs

    random = np.random.default_rng(3)
    for _ in range(50):
        scores, labels = random.random((20, 8)), random.integers(8, size=20)
        assert top_k_accuracy(true_ranks(scores, labels), (1, 5)).tolist() == theirs(list(scores), labels, (1, 5))


def test_a_sample_without_prediction_is_wrong_for_every_k():
    scores = np.array([[-INF, -INF], [0.1, 0.9]])
    assert true_ranks(scores, np.array([0, 1])).tolist() == [2, 0]
    assert top_classes(scores).tolist() == [-1, 1]
    assert confusion_counts(np.array([0, 1]), top_classes(scores), 2).tolist() == [[0, 0, 1], [0, 1, 0]]


def test_top_k_refuses_no_samples_and_k_below_one():
    with pytest.raises(ValueError, match='samples'):
        top_k_accuracy(np.zeros(0, int), [1])
    with pytest.raises(ValueError, match='at least 1'):
        top_k_accuracy(np.zeros(1, int), [0])


def test_mean_class_accuracy_is_over_classes_of_the_ground_truth_only():
    from mmaction.evaluation import mean_class_accuracy

    # Classes 0 and 1 occur, one of class 0 is taken for class 2: recalls 1/2 and 1.
    labels, predicted = np.array([0, 0, 1, 1]), np.array([0, 2, 1, 1])
    recall = class_recall(confusion_counts(labels, predicted, 3))
    assert np.nanmean(recall) == 0.75
    assert np.isnan(recall[2])
    assert mean_class_accuracy(np.eye(3)[predicted], labels) == 0.5


def test_balanced_accuracy_is_the_figure_of_scikit_learn():
    labels, predicted = np.array([0, 0, 1, 2, 2]), np.array([0, 1, 1, 2, 0])
    counts = confusion_counts(labels, predicted, 3)
    assert np.nanmean(class_recall(counts)) == pytest.approx(0.6666666666666666, abs=1e-15)
    assert class_precision(counts).tolist() == [0.5, 0.5, 1.0]


def test_a_class_that_is_never_true_changes_no_class_accuracy():
    random = np.random.default_rng(5)
    for scores, _, labels in random_cases(50):
        before = class_recall(confusion_counts(labels, top_classes(scores), scores.shape[1]))
        wide = np.c_[scores, random.random(len(scores)) - 2]  # a class that exists but never wins
        after = class_recall(confusion_counts(labels, top_classes(wide), wide.shape[1]))
        assert np.nanmean(after) == np.nanmean(before)
        assert np.isnan(after[-1])


def test_average_precision_takes_equal_scores_as_one_step():
    # One of two at 0.5: recall 1/2 at precision 1, then recall 1 at precision 2/3. In the order given it would be 1.
    ap = step_average_precision(np.array([[0.9], [0.5], [0.5]]), np.array([[True], [True], [False]]))
    assert ap[0] == pytest.approx(1 / 2 + 1 / 2 * 2 / 3, abs=1e-15)


def test_average_precision_is_not_the_envelope():
    from mmtube.evaluation.functional.average_precision import average_precision

    # Miss, hit, hit: precision 1/2 and 2/3. Steps: 7/12; the envelope lifts the first to 2/3.
    scores, truth = np.array([[0.9], [0.8], [0.7]]), np.array([[False], [True], [True]])
    assert step_average_precision(scores, truth)[0] == pytest.approx(7 / 12, abs=1e-15)
    assert average_precision(truth.T, np.zeros(3, int), np.array([2]))[0, 0] == pytest.approx(2 / 3, abs=1e-15)


def test_average_precision_is_the_figure_of_scikit_learn():
    # scikit-learn 1.9.1: average_precision_score(truth, scores, average=None | 'macro' | 'micro').
    scores = np.array([[0.9, 0.1, 0.5], [0.5, 0.5, 0.5], [0.5, 0.8, 0.2], [0.1, 0.5, 0.9], [0.5, 0.1, 0.2]])
    truth = np.array([[1, 0, 1], [0, 1, 0], [1, 1, 0], [0, 1, 1], [1, 0, 0]], bool)
    ap = step_average_precision(scores, truth)
    np.testing.assert_allclose(ap, [0.8333333333333333, 1.0, 0.8333333333333333], rtol=0, atol=1e-15)
    assert ap.mean() == pytest.approx(0.8888888888888888, abs=1e-15)
    assert micro_average_precision(scores, truth) == pytest.approx(0.875, abs=1e-15)


def test_average_precision_equals_its_definition_and_mmaction():
    from mmaction.evaluation import mean_average_precision

    for scores, truth, _ in random_cases():
        ap = step_average_precision(scores, truth)
        for label in range(truth.shape[1]):
            if truth[:, label].any():
                assert ap[label] == pytest.approx(literal_ap(scores[:, label], truth[:, label]), abs=1e-12)
            else:
                assert np.isnan(ap[label])
        if truth.any():
            assert micro_average_precision(scores, truth) == pytest.approx(
                literal_ap(scores.reshape(-1), truth.reshape(-1)), abs=1e-12
            )
            with np.errstate(invalid='ignore'):
                theirs = mean_average_precision(list(scores), list(truth.astype(int)))
            assert np.nanmean(ap) == pytest.approx(theirs, abs=1e-12)


def test_perfect_scores_give_exactly_one():
    random = np.random.default_rng(0)
    truth = random.random((101, 7)) < 0.3
    assert (step_average_precision(truth * 0.3, truth) == 1.0).all()
    assert micro_average_precision(truth + 0.0, truth) == 1.0
    labels = random.integers(7, size=101)
    scores = np.eye(7)[labels]
    assert top_k_accuracy(true_ranks(scores, labels), [1]).tolist() == [1.0]
    assert np.nanmean(class_recall(confusion_counts(labels, top_classes(scores), 7))) == 1.0


def test_what_was_not_predicted_is_never_found():
    scores, truth = np.array([[0.9], [-INF]]), np.array([[True], [True]])
    assert step_average_precision(scores, truth)[0] == 0.5
    assert step_average_precision(np.full((2, 1), -INF), truth)[0] == 0.0


def test_order_of_samples_does_not_matter():
    random = np.random.default_rng(1)
    for scores, truth, _ in random_cases(40):
        order = random.permutation(len(scores))
        np.testing.assert_array_equal(
            step_average_precision(scores[order], truth[order]), step_average_precision(scores, truth)
        )


def test_a_constant_on_one_logit_keeps_its_ap_where_logits_are_averaged_and_not_where_softmax_is():
    # Two films of two clips and two classes; film 0 has class 0, film 1 has class 1.
    logits = np.array([[[3, 2], [2, 4]], [[1, 4], [3, 0]]], float)
    truth = np.array([[True, False], [False, True]])
    moved = logits + np.array([4.0, 0.0])
    assert [step_average_precision(clips.mean(axis=1), truth)[0] for clips in (logits, moved)] == [1.0, 1.0]
    probabilities = [np.stack([softmax(film).mean(axis=0) for film in clips]) for clips in (logits, moved)]
    assert [step_average_precision(scores, truth)[0] for scores in probabilities] == [0.5, 1.0]


def test_softmax_keeps_what_was_not_predicted():
    found = softmax(np.array([[0.0, np.log(3)], [-INF, -INF], [1000.0, -INF]]))
    np.testing.assert_allclose(found, [[0.25, 0.75], [-INF, -INF], [1.0, -INF]], rtol=0, atol=1e-15)


def test_probabilities_are_recognised():
    assert are_probabilities(np.array([[0.25, 0.75], [-INF, -INF]]))
    assert not are_probabilities(np.array([[0.25, 0.7]]))
    assert not are_probabilities(np.array([[-0.5, 1.5]]))
    assert not are_probabilities(np.full((1, 2), -INF))


def test_fusion_is_the_weighted_sum_and_lacks_what_one_stream_lacks():
    a, b = np.array([[0.2, 0.8], [1.0, 0.0]]), np.array([[0.9, 0.1], [-INF, -INF]])
    fused = fuse_scores([a, b], [1, 2])
    np.testing.assert_allclose(fused, [[2.0, 1.0], [-INF, -INF]], rtol=0, atol=1e-15)
    with pytest.raises(ValueError, match='positive weights'):
        fuse_scores([a, b], [1, 0])
