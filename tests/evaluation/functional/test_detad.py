"""Errors of a temporal detector: each kind beside its neighbour, what each costs, and a literal reference."""

import numpy as np
import pytest

from mmtube.evaluation.functional.detad import ERRORS, KINDS, best_truth, diagnose, profile_of_slices, slice_of_class
from mmtube.evaluation.functional.detad_characteristics import (
    BINS,
    bin_truth,
    coverage,
    instances_of_class,
    missed_by_bin,
    missed_truth,
    sensitivity_by_bin,
)
from mmtube.evaluation.functional.detad_precision import normalised_average_precision
from mmtube.evaluation.functional.segments import segment_average_precision
from mmtube.evaluation.tables import SegmentTable

RUN, SIT = 0, 1
THRESHOLDS = np.array([0.5, 0.75])


def table(rows, videos='abc', durations_s=None):
    """Rows are (video, label, start, end) or (video, label, start, end, score)."""
    rows = list(rows)
    video, labels, start_s, end_s, *scores = zip(*rows) if rows else ((),) * 5
    number = {name: place for place, name in enumerate(videos)}
    return SegmentTable(
        list(videos),
        [number[name] for name in video],
        labels,
        np.array(scores[0], np.float64) if scores else None,
        segments_s=np.stack([np.array(start_s, np.float64), np.array(end_s, np.float64)], axis=1),
        durations_s=durations_s,
    )


def kinds_of(truth, found, thresholds=(0.5,)):
    """Name of the kind of each detection, in the order of the rows, at the first threshold."""
    result = diagnose(table(truth), table(found), 2, thresholds)
    names = np.empty(len(found), object)
    names[result.matches.order] = [KINDS[kind] for kind in result.kinds[0]]
    return names.tolist()


@pytest.mark.parametrize(
    ('segment', 'label', 'kind'),
    [
        ((0, 10), RUN, 'double detection'),
        ((0, 5), RUN, 'double detection'),  # temporal IoU 0.5 is enough
        ((0, 4.9), RUN, 'localization'),
        ((0, 1), RUN, 'localization'),  # 0.1 is enough
        ((0, 0.9), RUN, 'background'),
        ((0, 5), SIT, 'wrong label'),
        ((0, 4.9), SIT, 'confusion'),
        ((0, 1), SIT, 'confusion'),
        ((0, 0.9), SIT, 'background'),
        ((20, 30), RUN, 'background'),
    ],
)
def test_each_error_beside_its_neighbour(segment, label, kind):
    truth = [('a', RUN, 0, 10), ('b', SIT, 0, 10)]
    found = [('a', RUN, 0, 10, 0.9), ('a', label, *segment, 0.5)]
    assert kinds_of(truth, found) == ['true positive', kind]


def test_the_kind_depends_on_the_threshold():
    result = diagnose(table([('a', RUN, 0, 10)]), table([('a', RUN, 0, 6, 0.9), ('a', RUN, 0, 7, 0.5)]), 2, THRESHOLDS)
    assert [[KINDS[kind] for kind in row] for row in result.kinds] == [
        ['true positive', 'double detection'],
        ['localization', 'localization'],
    ]


def test_the_truth_that_is_overlapped_most_decides_and_not_the_one_of_the_same_class():
    truth = [('a', RUN, 0, 10), ('a', SIT, 8, 20)]
    assert kinds_of(truth, [('a', RUN, 8, 19, 0.9)]) == ['wrong label']


@pytest.mark.parametrize('truth', [[RUN, SIT], [SIT, RUN]])
def test_of_truths_with_one_iou_that_of_the_same_class_decides(truth):
    rows = [('a', label, 0, 10) for label in truth]
    assert kinds_of(rows, [('a', RUN, 0, 4, 0.9), ('a', SIT, 0, 4, 0.8)]) == ['localization', 'localization']


def test_everything_in_a_video_without_truth_is_background():
    # DETAD's released code compares the second one with the ground truth of the video before.
    truth, found = [('a', RUN, 0, 10)], [('a', RUN, 0, 4, 0.9), ('b', RUN, 0, 10, 0.8), ('b', RUN, 0, 10, 0.7)]
    assert kinds_of(truth, found) == ['localization', 'background', 'background']


def test_a_detection_of_a_class_without_truth_is_in_no_slice_and_costs_nothing():
    alone = diagnose(table([('a', RUN, 0, 10)]), table([('a', RUN, 0, 10, 0.5)]), 2, THRESHOLDS)
    more = diagnose(table([('a', RUN, 0, 10)]), table([('a', RUN, 0, 10, 0.5), ('a', SIT, 0, 10, 0.9)]), 2, THRESHOLDS)
    assert more.slices.tolist() == [-1, 0]
    assert more.profile_counts.tolist() == alone.profile_counts.tolist() == [1] + 9 * [0]
    assert more.ap_normalised[:, RUN].tolist() == [1, 1] and np.isnan(more.ap_normalised[:, SIT]).all()


def test_slices_count_by_the_ground_truths_of_the_class():
    labels = np.array([RUN, SIT, RUN, RUN, SIT, RUN, RUN])
    assert slice_of_class(labels, np.array([2, 1])).tolist() == [0, 0, 0, 1, 1, 1, 2]


def test_the_profile_is_the_mean_over_thresholds_of_all_classes_together():
    kinds = np.array([[0, 5, 3, 3], [3, 5, 3, 3]])
    shares, counts = profile_of_slices(kinds, np.array([0, 0, 1, 1]), 3)
    assert counts.tolist() == [2, 2, 0]
    assert shares[0].tolist() == [0.25, 0, 0, 0.25, 0, 0.5]
    assert shares[1].tolist() == [0, 0, 0, 1, 0, 0]
    assert np.isnan(shares[2]).all()


def test_normalised_precision_with_the_classes_own_count_is_the_ordinary_one():
    # One false positive before the only truth: R N / (R N + F) is 1/2 for N = 1, 3/4 for N = 3.
    hits, labels = np.array([[False, True]]), np.zeros(2, int)
    assert normalised_average_precision(hits, labels, np.array([1]), 1).tolist() == [[0.5]]
    assert normalised_average_precision(hits, labels, np.array([1]), 3).tolist() == [[0.75]]


@pytest.mark.parametrize(
    ('wrong', 'error'),
    [
        (('a', RUN, 0, 5, 0.95), 'localization'),
        (('a', SIT, 0, 5, 0.95), 'confusion'),
        (('a', SIT, 0, 9, 0.95), 'wrong label'),
        (('a', RUN, 50, 60, 0.95), 'background'),
    ],
)
def test_deleting_an_error_gains_what_it_cost_and_only_that(wrong, error):
    # A more confident mistake halves the precision of its class of two: 0.5 of one class is 0.25 of the mean.
    truth = table([('a', RUN, 0, 10), ('b', SIT, 0, 10)])
    found = table([('a', RUN, 0, 10, 0.9), ('b', SIT, 0, 10, 0.9), wrong])
    result = diagnose(truth, found, 2, [0.75])
    assert dict(zip(ERRORS, result.gains)) == {name: 0.25 if name == error else 0 for name in ERRORS}
    assert result.gains_ap.tolist() == result.gains.tolist()
    assert result.ap_normalised.mean() == 0.75


def test_deleting_double_detections_gains_what_comes_behind_them():
    # Found, found again, found in the other video: precision 2/3 at full recall; without the second 1.
    truth = table([('a', RUN, 0, 10), ('b', RUN, 0, 10)])
    found = table([('a', RUN, 0, 10, 0.9), ('a', RUN, 0, 9, 0.8), ('b', RUN, 0, 10, 0.7)])
    result = diagnose(truth, found, 2, [0.5])
    assert result.ap_normalised[0, RUN] == pytest.approx((1 + 2 / 3) / 2)
    assert dict(zip(ERRORS, result.gains)) == {
        name: pytest.approx(1 / 6) if name == 'double detection' else 0 for name in ERRORS
    }


def test_detections_beyond_the_limit_are_only_in_the_ordinary_ap():
    truth = table([('a', RUN, 0, 10)])
    found = table([('a', RUN, 20 + step, 30 + step, 0.9) for step in range(3)] + [('a', RUN, 0, 10, 0.1)])
    result = diagnose(truth, found, 2, [0.5], limit=3)
    assert result.ap[0, RUN] == 0.25 and result.ap_normalised[0, RUN] == 0
    assert result.profile_counts.tolist() == [1, 1, 1] and result.shares.tolist() == [0, 0, 0, 0, 0, 1]


def test_perfect_detections_are_exactly_right():
    rng = np.random.default_rng(0)
    rows = [(name, label, start, start + 3) for name in 'abc' for label in (0, 1) for start in range(0, 35, 5)]
    truth = table(rows, durations_s=np.full(3, 60.0))
    found = table([(*row, score) for row, score in zip(rows, rng.random(len(rows)))])
    result = diagnose(truth, found, 2, THRESHOLDS)
    assert (result.ap_normalised == 1).all() and (result.ap == 1).all()
    assert result.gains.tolist() == 5 * [0] and result.profile[0].tolist() == [1, 0, 0, 0, 0, 0]
    labels = found.labels[result.matches.order]
    assert not missed_truth(result.matches, truth, labels, 2, 0.05).any()
    for binned in bin_truth(truth, BINS['activitynet']):
        scores = sensitivity_by_bin(result.matches, truth, labels, 2, binned)
        assert set(scores[np.isfinite(scores)]) == {1.0}


def test_no_detections_are_all_missed():
    truth = table([('a', RUN, 0, 10)])
    result = diagnose(truth, table([('a', RUN, 0, 1, 0.5)]).rows(np.zeros(1, bool)), 2, THRESHOLDS)
    assert result.ap_normalised[:, RUN].tolist() == [0, 0] and result.gains.tolist() == 5 * [0]
    assert np.isnan(result.profile).all() and np.isnan(result.shares).all()
    assert missed_truth(result.matches, truth, np.zeros(0, int), 2, 0.05).all()


@pytest.mark.parametrize('options', [{'floor': 0.6}, {'floor': 0.0}, {'limit': 0}])
def test_options_that_make_no_sense_are_refused(options):
    with pytest.raises(ValueError, match=r'floor|limit'):
        diagnose(table([('a', RUN, 0, 10)]), table([('a', RUN, 0, 10, 0.5)]), 2, [0.5], **options)


def test_no_ground_truth_is_refused():
    with pytest.raises(ValueError, match='no ground truth'):
        diagnose(table([('a', RUN, 0, 1)]).rows(np.zeros(1, bool)), table([('a', RUN, 0, 10, 0.5)]), 2, [0.5])


# A literal reference: one detection after the other, one threshold after the other, deleted means matched again.


def iou_of(a, b):
    inter = max(min(a[3], b[3]) - max(a[2], b[2]), 0.0)
    return inter / ((a[3] - a[2]) + (b[3] - b[2]) - inter)


def ranked_of(found):
    return sorted(found, key=lambda row: (-row[4], *row[:4]))


def match_of(truth, ranked, threshold):
    truth, used, hits = sorted(truth), set(), []
    for row in ranked:
        best = None
        for place, gt in enumerate(truth):
            free = gt[:2] == row[:2] and place not in used and iou_of(row, gt) >= threshold
            if free and (best is None or iou_of(row, gt) > iou_of(row, truth[best])):
                best = place
        used.add(best)
        hits.append(None if best is None else truth[best])
    return hits


def kind_of(row, hit, truth, threshold):
    if hit is not None:
        return 0
    ious = [(iou_of(row, gt), gt[1] == row[1]) for gt in truth if gt[0] == row[0]]
    overlap, same = max(ious, default=(0.0, False))
    if overlap < 0.1:
        return 5
    return (1 if same else 2) if overlap >= threshold else (3 if same else 4)


def precisions_of(hits, num, normal):
    found = false = 0
    points = []
    for hit in hits:
        found, false = found + (hit is not None), false + (hit is None)
        weight = found / num * normal
        points.append((found / num, weight / (weight + false)))
    return points


def ap_of(hits, num, normal):
    points, area, before = precisions_of(hits, num, normal), 0.0, 0.0
    for place, (recall, _) in enumerate(points):
        area += (recall - before) * max(precision for _, precision in points[place:])
        before = recall
    return area


def mean_ap_of(truth, ranked, threshold, normal):
    values = []
    for label in sorted({gt[1] for gt in truth}):
        rows = [row for row in ranked if row[1] == label]
        values.append(ap_of(match_of(truth, rows, threshold), sum(gt[1] == label for gt in truth), normal))
    return float(np.mean(values))


def random_rows(seed):
    """Few times and scores, so that ties, doubles and IoUs on a threshold occur."""
    rng = np.random.default_rng(seed)

    def rows(number, videos):
        starts = rng.integers(0, 12, number)
        ends = starts + rng.integers(1, 9, number)
        return zip(rng.choice(list(videos), number), rng.integers(0, 3, number), starts, ends)

    truth = [(str(v), int(c), float(s), float(e)) for v, c, s, e in set(rows(rng.integers(1, 14), 'ab'))]
    found = [(str(v), int(c), float(s), float(e)) for v, c, s, e in rows(rng.integers(0, 50), 'abc')]
    return truth, [(*row, float(rng.integers(0, 8)) / 8) for row in found]


@pytest.mark.parametrize('seed', range(60))
def test_all_at_once_is_what_the_literal_reference_gives(seed):
    truth, found = random_rows(seed)
    gts, dets, limit = table(truth, durations_s=np.full(3, 20.0)), table(found), 3
    result = diagnose(gts, dets, 4, THRESHOLDS, limit=limit)
    ranked, normal = ranked_of(found), len(truth) / len({gt[1] for gt in truth})
    number = {label: sum(gt[1] == label for gt in truth) for label in range(4)}
    seen, within = dict.fromkeys(range(4), 0), []
    for row in ranked:
        within.append(seen[row[1]] < limit * number[row[1]])
        seen[row[1]] += 1
    few = [row for row, keep in zip(ranked, within) if keep]
    gains, base = np.zeros(5), 0.0
    for place, threshold in enumerate(THRESHOLDS):
        hits = match_of(truth, ranked, threshold)
        kinds = [kind_of(row, hit, truth, threshold) for row, hit in zip(ranked, hits)]
        assert result.kinds[place].tolist() == kinds
        before = mean_ap_of(truth, few, threshold, normal)
        base += before / len(THRESHOLDS)
        for error in range(1, 6):
            left = [row for row, kind, keep in zip(ranked, kinds, within) if keep and kind != error]
            gains[error - 1] += (mean_ap_of(truth, left, threshold, normal) - before) / len(THRESHOLDS)
        missed = dict.fromkeys(truth, True)
        for label in range(4):
            mine = [(row, hit) for row, hit in zip(ranked, hits) if row[1] == label]
            points = precisions_of([hit for _, hit in mine], max(number[label], 1), normal)
            for (_, hit), (_, precision) in zip(mine, points):
                if hit is not None and precision > 0.4:
                    missed[hit] = False
        labels = dets.labels[result.matches.order]
        assert missed_truth(result.matches, gts, labels, 4, 0.4)[place].tolist() == [missed[gt] for gt in truth]
    np.testing.assert_allclose(result.gains, gains, atol=1e-12)
    np.testing.assert_allclose(np.nanmean(result.ap_normalised), base, atol=1e-12)
    np.testing.assert_array_equal(result.ap, segment_average_precision(gts, dets, THRESHOLDS, 4))


@pytest.mark.parametrize('seed', range(40))
def test_every_detection_is_of_exactly_one_kind_and_the_profile_sums_to_one(seed):
    truth, found = random_rows(seed)
    result = diagnose(table(truth), table(found), 3, THRESHOLDS)
    assert ((result.kinds == 0) == result.matches.hits).all() and result.kinds.max(initial=0) < len(KINDS)
    sums = result.profile.sum(axis=1)
    np.testing.assert_allclose(sums[result.profile_counts > 0], 1)
    assert np.isnan(sums[result.profile_counts == 0]).all()
    in_slices = (result.slices >= 0) & (result.slices < result.limit)
    assert result.profile_counts.sum() == in_slices.sum()


@pytest.mark.parametrize('seed', range(20))
def test_the_order_of_rows_does_not_matter(seed):
    truth, found = random_rows(seed)
    rng = np.random.default_rng(seed)
    first = diagnose(table(truth), table(found), 3, THRESHOLDS)
    mixed = [[rows[place] for place in rng.permutation(len(rows))] for rows in (truth, found)]
    again = diagnose(*map(table, mixed), 3, THRESHOLDS)
    for name in ('kinds', 'ap', 'ap_normalised', 'profile', 'gains', 'gains_ap'):
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name), err_msg=name)


def test_overlap_is_the_same_when_pairs_come_in_chunks(monkeypatch):
    truth, found = random_rows(3)
    whole = best_truth(table(truth), table(found))
    from mmtube.evaluation.functional import detad

    chunks = []

    def small(left, right):
        for pair in pairs(left, right, max_pairs=3):
            chunks.append(pair)
            yield pair

    pairs = detad.pairs_of_groups
    monkeypatch.setattr(detad, 'pairs_of_groups', small)
    for one, other in zip(whole, best_truth(table(truth), table(found))):
        np.testing.assert_array_equal(one, other)
    assert len(chunks) > 5


def test_bins_have_the_edges_of_the_released_scripts_and_an_edge_belongs_below():
    lengths = [30, 30.5, 60, 120, 180, 181]
    rows = [('a', RUN, 0, length) for length in lengths]
    binned = {one.name: one for one in bin_truth(table(rows, durations_s=np.full(3, 300.0)), BINS['activitynet'])}
    assert binned['length'].number.tolist() == [0, 1, 1, 2, 3, 4]
    assert binned['length'].bins == ['XS', 'S', 'M', 'L', 'XL']
    assert binned['length'].ranges == ['up to 30 s', '30 to 60 s', '60 to 120 s', '120 to 180 s', 'over 180 s']
    assert binned['coverage'].number.tolist() == [0, 0, 0, 1, 2, 3]  # 0.1, 0.10, 0.2, 0.4, 0.6, 0.603
    assert binned['instances'].number.tolist() == 6 * [2]
    assert binned['instances'].ranges == ['1', '2 to 4', '5 to 8', 'over 8']


def test_instances_are_counted_by_class_and_video():
    rows = [('a', RUN, 0, 1), ('a', RUN, 2, 3), ('a', SIT, 0, 1), ('b', RUN, 0, 1)]
    assert instances_of_class(table(rows)).tolist() == [2, 2, 1, 1]


def test_without_all_durations_there_is_no_coverage():
    rows = [('a', RUN, 0, 1), ('b', RUN, 0, 1)]
    for durations_s in (None, np.array([2.0, np.nan, 1.0]), np.array([2.0, 0.0, 1.0])):
        told = [one.name for one in bin_truth(table(rows, durations_s=durations_s), BINS['thumos'])]
        assert told == ['length', 'instances']
    assert coverage(table(rows, durations_s=np.array([2.0, 1.0, 9.0]))).tolist() == [0.5, 1.0]


def test_edges_that_do_not_increase_are_refused():
    with pytest.raises(ValueError, match='edges of length must increase'):
        bin_truth(table([('a', RUN, 0, 1)]), BINS['thumos'] | {'length': (3.0, 3.0)})


def test_a_truth_found_at_low_precision_counts_as_missed():
    truth = table([('a', RUN, 0, 10)])
    found = table([('a', RUN, 20, 30, 0.9), ('a', RUN, 0, 10, 0.5)])  # normalised precision 1/2
    matches = diagnose(truth, found, 2, [0.5]).matches
    assert missed_truth(matches, truth, np.zeros(2, int), 2, 0.5).tolist() == [[True]]
    assert missed_truth(matches, truth, np.zeros(2, int), 2, 0.49).tolist() == [[False]]


def test_the_missed_share_of_a_bin_is_the_mean_over_thresholds():
    truth = table([('a', RUN, 0, 2), ('b', RUN, 0, 2), ('c', RUN, 0, 10)])
    binned = bin_truth(truth, BINS['thumos'])[0]
    missed = np.array([[True, False, False], [True, True, False]])
    assert binned.name == 'length'
    np.testing.assert_array_equal(missed_by_bin(missed, binned), [0.75, np.nan, 0, np.nan, np.nan])


def test_sensitivity_leaves_out_what_finds_the_truth_of_other_bins_and_keeps_other_mistakes():
    # Short in a, long in b. Ranked: finds the long one, a mistake, finds the short one. N is 2.
    truth = table([('a', RUN, 0, 2), ('b', RUN, 0, 20)])
    found = table([('b', RUN, 0, 20, 0.9), ('c', RUN, 0, 5, 0.8), ('a', RUN, 0, 2, 0.7)])
    result = diagnose(truth, found, 2, [0.5])
    binned = bin_truth(truth, BINS['thumos'])[0]
    scores = sensitivity_by_bin(result.matches, truth, found.labels[result.matches.order], 2, binned)
    # Long: found first, precision 1. Short: one mistake before it, R N / (R N + F) = 2 / 3.
    np.testing.assert_allclose(scores, [2 / 3, np.nan, np.nan, np.nan, 1])


def test_sensitivity_leaves_a_detection_out_at_all_thresholds_if_it_finds_another_bin_at_one():
    # The first finds the long truth at 0.5 only; at 0.75 it would be a mistake before the short one.
    truth = table([('a', RUN, 0, 2), ('b', RUN, 0, 20)])
    found = table([('b', RUN, 0, 12, 0.9), ('a', RUN, 0, 2, 0.7)])
    result = diagnose(truth, found, 2, THRESHOLDS)
    assert result.matches.matched.tolist() == [[1, 0], [-1, 0]]
    binned = bin_truth(truth, BINS['thumos'])[0]
    scores = sensitivity_by_bin(result.matches, truth, found.labels[result.matches.order], 2, binned)
    assert scores[0] == 1
