"""Weighted metrics are the metrics of the data that is literally repeated."""

import numpy as np
import pytest

from mmtube.evaluation.functional.average_precision import INTEGRATIONS, average_precision
from mmtube.evaluation.functional.bootstrap import (
    percentile_interval,
    unit_weights,
    weighted_average_precision,
    weighted_ratios,
)


def random_evidence(random):
    units, classes, thresholds = (int(random.integers(1, high)) for high in (7, 4, 4))
    dets, gts = int(random.integers(0, 40)), int(random.integers(0, 30))
    unit, labels = random.integers(units, size=dets), random.integers(classes, size=dets)
    gt_unit, gt_labels = random.integers(units, size=gts), random.integers(classes, size=gts)
    hits = np.zeros((thresholds, dets), bool)
    for row in hits:  # as many true positives in a unit and class as it has ground truth, at most
        for video in range(units):
            for label in range(classes):
                mine = random.permutation(np.flatnonzero((unit == video) & (labels == label)))
                most = min(len(mine), int(((gt_unit == video) & (gt_labels == label)).sum()))
                row[mine[: int(random.integers(0, most + 1))]] = True
    return (unit, labels, hits, gt_unit, gt_labels, classes), units


def random_ties(random, evidence, integration):
    return random.random(len(evidence[0])) < 0.6 if integration == 'step' else None


def repeated(weights, evidence, integration, tied=None):
    """Average precision of the data in which every row stands as often as its unit was drawn."""
    unit, labels, hits, gt_unit, gt_labels, classes = evidence
    rows = [row for row in range(len(unit)) for _ in range(weights[unit[row]])]
    truths = [gt_labels[row] for row in range(len(gt_unit)) for _ in range(weights[gt_unit[row]])]
    counts = np.bincount(np.array(truths, int), minlength=classes)
    if integration == 'step':  # copies have one score
        tied = np.diff(np.cumsum(~tied)[rows], prepend=-1) == 0
    return average_precision(hits[:, rows], labels[rows], counts, integration=integration, tied=tied)


@pytest.mark.parametrize('integration', INTEGRATIONS)
def test_weights_of_one_give_the_metric_exactly(integration):
    random = np.random.default_rng(0)
    for _ in range(200):
        evidence, units = random_evidence(random)
        options = dict(integration=integration, tied=random_ties(random, evidence, integration))
        found = weighted_average_precision(np.ones((1, units), np.int32), *evidence, **options)
        np.testing.assert_array_equal(found[0], repeated(np.ones(units, int), evidence, **options))


@pytest.mark.parametrize('integration', INTEGRATIONS)
def test_weights_are_copies(integration):
    random = np.random.default_rng(1)
    for _ in range(200):
        evidence, units = random_evidence(random)
        weights = random.integers(0, 5, (4, units)).astype(np.int32)
        options = dict(integration=integration, tied=random_ties(random, evidence, integration))
        found = weighted_average_precision(weights, *evidence, **options, max_elements=50)
        for row, values in zip(weights, found):
            np.testing.assert_allclose(values, repeated(row, evidence, **options), rtol=0, atol=1e-12)


def test_a_case_worked_by_hand():
    # Ranked: hit of video 0, miss of video 1, hit of video 2; a ground truth in videos 0 and 2.
    evidence = (
        np.array([0, 1, 2]),
        np.zeros(3, int),
        np.array([[True, False, True]]),
        np.array([0, 2]),
        np.zeros(2, int),
        1,
    )
    weights = np.array([[1, 1, 1], [0, 2, 1], [0, 0, 3], [0, 3, 0]], np.int32)
    found = weighted_average_precision(weights, *evidence)[:, 0, 0]
    # All; two misses before the only hit; three hits and no miss; no ground truth at all.
    np.testing.assert_allclose(found, [(1 + 2 / 3) / 2, 1 / 3, 1.0, np.nan], rtol=0, atol=1e-15)
    trapezoid = weighted_average_precision(weights[1:2], *evidence, integration='trapezoid')
    assert trapezoid[0, 0, 0] == pytest.approx((0 + 1 / 3) / 2, abs=1e-15)


def test_perfect_detections_stay_exactly_perfect_in_every_sample():
    random = np.random.default_rng(2)
    unit, labels = random.integers(9, size=50), random.integers(3, size=50)
    blocks = list(unit_weights(9, 40, seed=3))
    for integration in INTEGRATIONS:
        found = weighted_average_precision(
            np.concatenate(blocks), unit, labels, np.ones((2, 50), bool), unit, labels, 3, integration=integration
        )
        assert (found[~np.isnan(found)] == 1.0).all()


def test_no_detections_are_zero_and_an_unknown_integration_is_refused():
    nothing = np.zeros(0, int)
    weights = np.ones((2, 1), np.int32)
    evidence = nothing, nothing, np.zeros((1, 0), bool), np.array([0]), np.array([1]), 2
    found = weighted_average_precision(weights, *evidence)
    assert np.isnan(found[..., 0]).all() and (found[..., 1] == 0).all()
    with pytest.raises(ValueError, match='integration'):
        weighted_average_precision(weights, *evidence, integration='steps')


def test_ratios_are_sums_over_copies():
    random = np.random.default_rng(4)
    for _ in range(50):
        units, rows = int(random.integers(1, 6)), int(random.integers(0, 30))
        unit, labels = random.integers(units, size=rows), random.integers(3, size=rows)
        above, below = random.random(rows), random.integers(0, 3, rows).astype(float)
        weights = random.integers(0, 4, (3, units)).astype(np.int32)
        found = weighted_ratios(weights, unit, labels, above, below, 3)
        for number, row in enumerate(weights):
            for label in range(3):
                copies = [place for place in np.flatnonzero(labels == label) for _ in range(row[unit[place]])]
                if below[copies].sum():
                    expected = above[copies].sum() / below[copies].sum()
                    assert found[number, label] == pytest.approx(expected, abs=1e-12)
                else:
                    assert np.isnan(found[number, label])


def test_draws_depend_on_the_seed_only():
    whole = np.concatenate(list(unit_weights(11, 20, seed=5)))
    parts = np.concatenate(list(unit_weights(11, 20, seed=5, max_elements=30)))
    assert whole.shape == (20, 11) and (whole.sum(axis=1) == 11).all()
    np.testing.assert_array_equal(whole, parts)
    assert (whole != np.concatenate(list(unit_weights(11, 20, seed=6)))).any()
    with pytest.raises(ValueError, match='units and replicates'):
        next(unit_weights(0, 1))


def test_a_unit_is_drawn_once_on_average():
    weights = np.concatenate(list(unit_weights(5, 4000)))
    np.testing.assert_allclose(weights.mean(axis=0), 1.0, atol=0.06)
    np.testing.assert_allclose((weights == 0).mean(), 0.8**5, atol=0.02)


def test_percentiles_leave_out_what_a_sample_lacks():
    samples = np.c_[np.arange(101.0), np.r_[np.full(50, np.nan), np.arange(51.0)], np.full(101, np.nan)]
    low, high = percentile_interval(samples, 0.8)
    np.testing.assert_allclose(low, [10, 5, np.nan])
    np.testing.assert_allclose(high, [90, 45, np.nan])
    with pytest.raises(ValueError, match='between 0 and 1'):
        percentile_interval(samples, 1.0)


def test_the_interval_of_a_mean_is_that_of_the_normal_distribution():
    random = np.random.default_rng(9)
    values = random.random(400)
    rows, ones = np.arange(400), np.ones(400)
    means = np.concatenate(
        [weighted_ratios(weights, rows, rows * 0, values, ones, 1) for weights in unit_weights(400, 3000)]
    )
    low, high = percentile_interval(means)
    error = 1.96 * values.std() / 20
    np.testing.assert_allclose([low[0], high[0]], [values.mean() - error, values.mean() + error], atol=error / 8)
