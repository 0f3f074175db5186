"""The paired bootstrap: both runs on the same draws, units and classes matched by name."""

from dataclasses import replace

import numpy as np
import pytest

from mmtube.errors import InputError
from mmtube.evaluation.evidence import APEvidence, RatioEvidence
from mmtube.evaluation.paired import class_mean, evidence_values, min_units, paired_intervals, same_classes, same_units


def ratios(hits, units=None, classes=('all',), labels=None, metric='top1'):
    """A ratio over one sample in each unit."""
    size = len(hits)
    units = [f'u{row}' for row in range(size)] if units is None else units
    labels = np.zeros(size, np.int32) if labels is None else np.asarray(labels, np.int32)
    return RatioEvidence(
        metric, units, list(classes), np.arange(size, dtype=np.int32), labels, np.asarray(hits, float), np.ones(size)
    )


def detections(hits, units, gt_units):
    """One detection in each unit, all of one class, and a ground truth in some units."""
    return APEvidence(
        'mAP',
        units,
        ['walk'],
        np.arange(len(units), dtype=np.int32),
        np.zeros(len(units), np.int32),
        np.array([hits], bool),
        np.array(gt_units, np.int32),
        np.zeros(len(gt_units), np.int32),
    )


def test_both_runs_are_drawn_alike():
    # B is A plus 0.25 in every unit: drawn alike, the difference is always 0.25; drawn apart, it would spread.
    a = ratios(np.random.default_rng(0).random(40))
    b = replace(a, numerators=a.numerators + 0.25)
    found = paired_intervals(a, b, replicates=200)
    np.testing.assert_allclose([found.mean_low, found.mean_high, found.low[0], found.high[0]], 0.25, atol=1e-12)


def test_runs_are_matched_by_the_names_of_units_and_classes():
    random = np.random.default_rng(1)
    hits, labels = random.random(30), random.integers(3, size=30)
    a = ratios(hits, classes='xyz', labels=labels)
    order, turned = random.permutation(30), np.array([2, 0, 1])
    units = [f'u{row}' for row in order]
    b = ratios(hits[order], units, [None, None, None], turned[labels[order]])
    b = replace(b, classes=['y', 'z', 'x'])
    a, b, alone = same_units(*same_classes(a, b))
    assert (a.units, a.classes, alone) == (b.units, b.classes, [])
    found = paired_intervals(a, b, replicates=50)
    np.testing.assert_allclose([found.low, found.high], 0, atol=1e-15)
    np.testing.assert_allclose(found.values[0], found.values[1], atol=1e-15)


def test_intervals_do_not_depend_on_the_order_of_units_and_turn_with_the_runs():
    random = np.random.default_rng(2)
    a, b = ratios(random.random(20)), ratios(random.random(20))
    order = random.permutation(20)
    shuffled = ratios(a.numerators[order], [f'u{row}' for row in order])
    first = paired_intervals(*same_units(a, b)[:2], replicates=100)
    second = paired_intervals(*same_units(shuffled, b)[:2], replicates=100)
    assert (first.mean_low, first.mean_high) == pytest.approx((second.mean_low, second.mean_high), abs=1e-12)
    turned = paired_intervals(*same_units(b, a)[:2], replicates=100)
    assert (turned.mean_low, turned.mean_high) == pytest.approx((-first.mean_high, -first.mean_low), abs=1e-12)


def test_the_seed_sets_the_interval():
    random = np.random.default_rng(3)
    a, b = ratios(random.random(20)), ratios(random.random(20))
    ends = [paired_intervals(a, b, replicates=50, seed=seed).mean_low for seed in (0, 0, 1)]
    assert ends[0] == ends[1] != ends[2]


def test_units_that_only_one_run_has_are_refused_or_left_out():
    a, b = ratios([1, 0, 1]), ratios([1, 0, 1], ['u0', 'u1', 'x'])
    with pytest.raises(InputError, match="only one of the runs has the unit 'u2' and 1 more"):
        same_units(a, b)
    first, second, alone = same_units(a, b, force=True)
    assert (first.units, second.units, alone) == (['u0', 'u1'], ['u0', 'u1'], ['u2', 'x'])
    assert first.numerators.tolist() == second.numerators.tolist() == [1, 0]
    with pytest.raises(InputError, match='no unit in common'):
        same_units(ratios([1]), ratios([1], ['x']), force=True)


def test_a_video_that_only_has_false_positives_may_be_missing_in_one_run():
    a = detections([True, False], ['a', 'b'], [0])
    b = detections([False, True], ['wrong', 'a'], [1])
    first, second, alone = same_units(a, b)
    assert (first.units, second.units, alone) == (['a', 'b', 'wrong'], ['a', 'b', 'wrong'], [])
    ones = np.ones((1, 3), np.int32)
    assert evidence_values(first, ones)[0, 0] == 1.0
    assert evidence_values(second, ones)[0, 0] == 0.5  # the false positive is ranked first
    without = np.array([[1, 1, 0]], np.int32)
    assert evidence_values(second, without)[0, 0] == 1.0


def test_forced_units_take_their_detections_and_ground_truth_along():
    a = detections([True, True], ['a', 'b'], [0, 1])
    b = detections([True, True], ['a', 'c'], [0, 1])
    first, second, alone = same_units(a, b, force=True)
    assert (first.units, alone) == (['a'], ['b', 'c'])
    for evidence in (first, second):
        assert (evidence.unit.tolist(), evidence.gt_unit.tolist(), evidence.hits.tolist()) == ([0], [0], [[True]])


def test_a_class_that_one_run_does_not_know_has_no_value_there():
    a, b = same_classes(ratios([1, 0], classes='xy', labels=[0, 1]), ratios([1, 0], classes='xz', labels=[0, 1]))
    assert a.classes == b.classes == ['x', 'y', 'z']
    values = [evidence_values(evidence, np.ones((1, 2), np.int32))[0].tolist() for evidence in (a, b)]
    np.testing.assert_array_equal(values, [[1, 0, np.nan], [1, np.nan, 0]])


def test_few_units_give_no_interval():
    # Six units that all agree: a sign test has p = 2 / 2**6 = 0.03. Five: 0.06.
    assert [min_units(level) for level in (0.5, 0.9, 0.95, 0.99)] == [2, 5, 6, 8]
    five = paired_intervals(ratios([0] * 5), ratios([1] * 5), replicates=20)
    assert np.isnan([five.low[0], five.high[0], five.mean_low, five.mean_high]).all()
    six = paired_intervals(ratios([0] * 6), ratios([1] * 6), replicates=20)
    assert (six.low[0], six.high[0], six.mean_low, six.mean_high) == (1, 1, 1, 1)
    mixed = ratios([0] * 6, classes='xy', labels=[0, 0, 0, 0, 0, 1])
    found = paired_intervals(mixed, mixed, replicates=20)
    assert np.isnan(found.low).all() and found.mean_low == 0


def test_means_leave_out_classes_without_a_value():
    found = class_mean(np.array([[1.0, np.nan, 0.5], [np.nan, np.nan, np.nan]]))
    np.testing.assert_array_equal(found, [0.75, np.nan])


def test_runs_that_were_not_matched_are_refused():
    with pytest.raises(ValueError, match='same classes and units'):
        paired_intervals(ratios([1]), ratios([1], ['x']))


def test_a_step_keeps_together_what_stays_of_it_when_units_are_left_out():
    # Scores .9 of u0, .5 of u1, u2 and u3. The first of the step goes with its unit, the other two stay one step.
    both = ['u0', 'u1', 'u2', 'u3']
    a = detections([1, 0, 1, 0], both, [0, 1, 2, 3])
    a = replace(a, integration='step', tied=np.array([False, False, True, True]))
    b = detections([1, 1, 0], ['u0', 'u2', 'u3'], [0, 1, 2])
    b = replace(b, integration='step', tied=np.array([False, False, False]))
    first, second, alone = same_units(a, b, force=True)
    assert alone == ['u1'] and first.tied.tolist() == [False, False, True]
    ones = np.ones((1, 3), np.int32)
    # A hit, then a step of a hit and a miss; a hit, a hit, a miss; of three ground truths.
    assert evidence_values(first, ones)[0, 0] == pytest.approx((1 + 2 / 3) / 3, abs=1e-15)
    assert evidence_values(second, ones)[0, 0] == pytest.approx(2 / 3, abs=1e-15)


def test_intervals_hold_the_truth_as_often_as_they_say():
    # 200 data sets of 40 units, each with 1 to 5 samples of its own difficulty; B finds 10 % more of each.
    random = np.random.default_rng(0)
    inside = np.zeros(2, int)
    for number in range(200):
        difficulty, sizes = 0.6 * random.random(40), random.integers(1, 6, 40)
        unit = np.repeat(np.arange(40), sizes)
        runs = []
        for gain in (0, 0.1):
            right = random.random(len(unit)) < difficulty[unit] + gain
            runs.append(replace(ratios(np.zeros(40)), unit=unit, labels=unit * 0, numerators=right * 1.0))
        runs = [replace(run, denominators=np.ones(len(unit))) for run in runs]
        for row, level in enumerate((0.95, 0.5)):
            found = paired_intervals(*runs, replicates=100, seed=number, level=level)
            inside[row] += found.mean_low <= 0.1 <= found.mean_high
    # Binomial: 190 and 100 of 200, standard deviations 3 and 7.
    assert 180 <= inside[0] <= 198 and 80 <= inside[1] <= 120


def test_ground_truth_of_a_class_goes_with_its_name():
    a = replace(detections([1, 0], ['u0', 'u1'], [0, 1]), classes=['run', 'walk'])
    a = replace(a, labels=np.array([1, 0], np.int32), gt_labels=np.array([1, 0], np.int32))
    b = replace(a, classes=['walk', 'run'], labels=1 - a.labels, gt_labels=1 - a.gt_labels)
    first, second = same_classes(a, b)
    ones = np.ones((1, 2), np.int32)
    assert second.classes == ['run', 'walk'] and second.gt_labels.tolist() == [1, 0]
    assert evidence_values(second, ones).tolist() == evidence_values(first, ones).tolist() == [[0.0, 1.0]]
