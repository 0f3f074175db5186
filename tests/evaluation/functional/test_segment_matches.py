import numpy as np
import pytest

from mmtube.evaluation.functional.segments import (
    ACTIVITYNET_THRESHOLDS,
    centre_inside,
    duplicated_segments,
    paired_segment_iou,
    segment_average_precision,
    segment_matches,
    touching,
)
from mmtube.evaluation.tables import SegmentTable
from mmtube.ops import segment_iou


def table(rows, videos=('a', 'b', 'c')):
    """Rows are (video, label, start, end) and, for detections, a score."""
    rows = list(rows)
    scores = np.array([row[4] for row in rows], float) if rows and len(rows[0]) == 5 else None
    return SegmentTable(
        list(videos),
        np.array([videos.index(row[0]) for row in rows], np.int64),
        np.array([row[1] for row in rows], np.int64),
        scores,
        segments_s=np.array([row[2:4] for row in rows], float).reshape(-1, 2),
    )


def no_detections(videos=('a', 'b', 'c')):
    empty = np.zeros(0, np.int64)
    return SegmentTable(list(videos), empty, empty, np.zeros(0), segments_s=np.zeros((0, 2)))


def literal(truth, found, threshold, num_classes):
    """The rule of ActivityNet, said one detection at a time."""
    result = []
    for label in range(num_classes):
        gts = [row for row in truth if row[1] == label]
        if not gts:
            result.append(np.nan)
            continue
        order = sorted((row for row in found if row[1] == label), key=lambda row: (-row[4], row[0], row[2], row[3]))
        free, right = [True] * len(gts), []
        for det in order:
            best = None
            for number in sorted(range(len(gts)), key=lambda number: gts[number][2:4]):
                gt = gts[number]
                inter = max(min(det[3], gt[3]) - max(det[2], gt[2]), 0)
                iou = inter / ((det[3] - det[2]) + (gt[3] - gt[2]) - inter)
                if gt[0] == det[0] and free[number] and iou >= threshold and (best is None or iou > best[0]):
                    best = (iou, number)
            right.append(best is not None)
            if best is not None:
                free[best[1]] = False
        points = [(sum(right[: n + 1]) / (n + 1), sum(right[: n + 1])) for n in range(len(right))]
        total = 0.0
        for hit in range(1, sum(right) + 1):
            total += max(precision for precision, recalled in points if recalled >= hit)
        result.append(total / len(gts))
    return result


def random_case(rng, classes=3):
    """Whole seconds and few scores, so that IoUs and scores are often equal."""

    def rows(count, scored):
        for _ in range(count):
            start = int(rng.integers(0, 8))
            row = ('abc'[rng.integers(0, 3)], int(rng.integers(0, classes)), start, start + int(rng.integers(1, 7)))
            yield (*row, int(rng.integers(1, 5)) / 4) if scored else row

    truth = list(dict.fromkeys(rows(int(rng.integers(1, 12)), False)))
    return truth, list(rows(int(rng.integers(0, 25)), True))


def test_a_detection_takes_the_next_best_ground_truth_when_its_best_is_taken():
    truth = table([('a', 0, 0, 10), ('a', 0, 2, 12)])
    # The second one has IoU 10/11 with the first ground truth, which is taken, and 9/12 with the second.
    found = table([('a', 0, 0, 10, 0.9), ('a', 0, 0, 11, 0.8)])
    assert segment_matches(truth, found, [0.5]).matched.tolist() == [[0, 1]]
    assert segment_matches(truth, found, [0.5], rule='best').matched.tolist() == [[0, -1]]


def test_ap_under_next_best_and_under_best_differ_on_one_case():
    truth = table([('a', 0, 0, 10), ('a', 0, 2, 12)])
    found = table([('a', 0, 0, 10, 0.9), ('a', 0, 0, 11, 0.8)])
    assert segment_average_precision(truth, found, [0.5], 1).tolist() == [[1.0]]
    assert segment_average_precision(truth, found, [0.5], 1, rule='best').tolist() == [[0.5]]


def test_an_iou_equal_to_the_threshold_counts():
    truth, found = table([('a', 0, 0, 10)]), table([('a', 0, 0, 5, 0.9)])
    assert segment_matches(truth, found, [0.5, 0.55]).hits.tolist() == [[True], [False]]


def test_the_thresholds_of_activitynet_are_the_decimal_numbers():
    assert ACTIVITYNET_THRESHOLDS == (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)


def test_class_and_video_must_agree():
    truth = table([('a', 0, 0, 10), ('b', 1, 0, 10)])
    found = table([('a', 1, 0, 10, 0.9), ('b', 0, 0, 10, 0.8), ('c', 0, 0, 10, 0.7)])
    assert segment_matches(truth, found, [0.5]).matched.tolist() == [[-1, -1, -1]]


def test_a_false_positive_above_costs_and_one_below_does_not():
    truth = table([('a', 0, 0, 10)])
    right, wrong = ('a', 0, 0, 10, 0.5), ('a', 0, 20, 30)
    assert segment_average_precision(truth, table([(*wrong, 0.9), right]), [0.5], 1).tolist() == [[0.5]]
    assert segment_average_precision(truth, table([(*wrong, 0.1), right]), [0.5], 1).tolist() == [[1.0]]


def test_no_detections_give_zero_and_a_class_without_ground_truth_gives_nan():
    ap = segment_average_precision(table([('a', 1, 0, 10)]), no_detections(), [0.5, 0.7], 2)
    assert np.isnan(ap[:, 0]).all() and ap[:, 1].tolist() == [0.0, 0.0]


def test_perfect_detections_give_exactly_one():
    rng = np.random.default_rng(0)
    start = rng.uniform(0, 1000, 500)
    rows = [
        ('abc'[n % 3], n % 7, begin, begin + length, score)
        for n, (begin, length, score) in enumerate(zip(start, rng.uniform(0.03, 20, 500), rng.random(500)))
    ]
    ap = segment_average_precision(table(row[:4] for row in rows), table(rows), ACTIVITYNET_THRESHOLDS, 7)
    assert (ap == 1.0).all() and ap.mean() == 1.0


@pytest.mark.parametrize('seed', range(60))
def test_ap_equals_the_rule_said_one_detection_at_a_time(seed):
    truth, found = random_case(np.random.default_rng(seed))
    thresholds = [0.25, 0.5, 0.75, 1.0]
    ap = segment_average_precision(table(truth), table(found) if found else no_detections(), thresholds, 3)
    expected = [literal(truth, found, threshold, 3) for threshold in thresholds]
    np.testing.assert_allclose(ap, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize('seed', range(20))
def test_the_order_of_rows_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    truth, found = random_case(rng)
    found = found or [('a', 0, 0, 1, 0.5)]
    before = segment_average_precision(table(truth), table(found), [0.25, 0.5, 0.75], 3)
    for _ in range(3):
        rng.shuffle(truth), rng.shuffle(found)
        rows = [tuple(row) for row in truth], [tuple(row) for row in found]
        after = segment_average_precision(
            table((v, int(c), float(s), float(e)) for v, c, s, e in rows[0]),
            table((v, int(c), float(s), float(e), float(x)) for v, c, s, e, x in rows[1]),
            [0.25, 0.5, 0.75],
            3,
        )
        np.testing.assert_array_equal(before, after)


def test_matches_name_rows_of_the_tables_as_they_were_given():
    truth = table([('b', 0, 0, 10), ('a', 0, 0, 10)])
    found = table([('a', 0, 0, 10, 0.1), ('b', 0, 0, 9, 0.9)])
    matches = segment_matches(truth, found, [0.5])
    assert (matches.order.tolist(), matches.matched.tolist()) == ([1, 0], [[0, 1]])
    assert matches.found_truth(2).tolist() == [[True, True]]


@pytest.mark.parametrize('seed', range(8))
def test_ap_equals_that_of_mmaction2_where_no_scores_tie(seed):
    reference = pytest.importorskip('mmaction.evaluation.functional.accuracy').average_precision_at_temporal_iou
    rng = np.random.default_rng(seed)
    video, gt_video = rng.integers(0, 6, 150), rng.integers(0, 6, 40)
    start, gt_start = rng.uniform(0, 50, 150), rng.uniform(0, 50, 40)
    segments = np.stack([start, start + rng.uniform(1, 20, 150)], 1)
    gt_segments = np.stack([gt_start, gt_start + rng.uniform(1, 20, 40)], 1)
    scores, thresholds = rng.random(150), np.linspace(0.5, 0.95, 10)
    theirs = reference(
        {str(v): gt_segments[gt_video == v] for v in np.unique(gt_video)},
        np.array([[str(v), '0', *row, s] for v, row, s in zip(video, segments, scores)], object),
        thresholds,
    )
    names, zeros = [str(v) for v in range(6)], np.zeros(150, np.int64)
    ours = segment_average_precision(
        SegmentTable(names, gt_video, zeros[:40], segments_s=gt_segments),
        SegmentTable(names, video, zeros, scores, segments_s=segments),
        thresholds,
        1,
    )
    np.testing.assert_allclose(ours[:, 0], theirs, rtol=0, atol=1e-6)


def test_paired_iou_is_the_diagonal_of_that_of_all_pairs():
    rng = np.random.default_rng(1)
    a, b = (np.sort(rng.integers(0, 6, (200, 2)).astype(float), axis=1) for _ in range(2))
    np.testing.assert_array_equal(paired_segment_iou(a, b), np.diag(segment_iou(a, b)))


def test_repeated_ground_truth_is_that_of_one_class_and_video_within_a_millisecond():
    rows = [('a', 0, 1, 2), ('a', 1, 1, 2), ('b', 0, 1, 2), ('a', 0, 1.0009, 2.0009), ('a', 0, 1, 2.002)]
    assert duplicated_segments(table(rows)).tolist() == [False, False, False, True, False]


def test_of_repeated_ground_truth_the_earliest_stays_whatever_the_order():
    rows = [('a', 0, 1.0018, 5), ('a', 0, 1.0, 5), ('a', 0, 1.0009, 5), ('a', 0, 1.0005, 9)]
    # 1.0009 repeats 1.0; 1.0018 is 1.8 ms from 1.0 and stays; the one that ends at 9 is no repetition of any.
    assert duplicated_segments(table(rows)).tolist() == [False, False, True, False]
    assert duplicated_segments(table(rows[::-1])).tolist() == [False, True, False, False]


def test_touching_needs_shared_time_and_the_video_of_the_same_name():
    rows = table([('a', 0, 0, 5, 1), ('a', 0, 4, 6, 1), ('b', 0, 5, 7, 1)])
    others = table([('a', 0, 5, 7)], videos=('z', 'a'))
    assert touching(rows, others).tolist() == [False, True, False]


def test_a_centre_on_the_edge_is_inside():
    rows = table([('a', 0, 0, 4, 1), ('a', 0, 0, 3.9, 1), ('a', 0, 9, 13, 1), ('b', 0, 3, 4, 1)])
    assert centre_inside(rows, table([('a', 0, 2, 5), ('a', 3, 8, 11)])).tolist() == [True, False, True, False]


def test_tables_over_different_videos_and_a_threshold_of_zero_are_refused():
    truth, found = table([('a', 0, 0, 1)]), table([('a', 0, 0, 1, 0.5)])
    with pytest.raises(ValueError, match='same list of videos'):
        segment_matches(truth, table([('a', 0, 0, 1, 0.5)], videos=('a', 'c')), [0.5])
    with pytest.raises(ValueError, match='above 0'):
        segment_matches(truth, found, [0.0, 0.5])
    with pytest.raises(ValueError, match='no scores'):
        segment_matches(truth, truth, [0.5])
