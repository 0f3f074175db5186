from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from mmtube.errors import InputError
from mmtube.evaluation.functional.video_tubes import (
    CONVENTIONS,
    canonical_truth,
    match_tubes,
    tie_columns,
    tube_overlaps,
    video_average_precision,
)
from mmtube.evaluation.tables import TubeTable
from mmtube.ops import tube_iou

ACT, MULTISPORTS, PLAIN = (CONVENTIONS[name] for name in ('act', 'multisports', 'plain'))
BOX = (0, 0, 10, 10)
pytestmark = pytest.mark.filterwarnings('ignore:Conversion of an array:DeprecationWarning')  # of mmaction


def table(tubes, videos=('a', 'b', 'c')):
    """Table of (video, label, score, rows of frame and box); score None for ground truth."""
    rows = [np.asarray(tube[3], float).reshape(-1, 5) for tube in tubes]
    joined = np.concatenate([np.zeros((0, 5)), *rows])
    scored = bool(tubes) and tubes[0][2] is not None
    return TubeTable(
        list(videos),
        np.array([tube[0] for tube in tubes], np.int64),
        np.array([tube[1] for tube in tubes], np.int64),
        np.array([tube[2] for tube in tubes], float) if scored or not tubes else None,
        offsets=np.cumsum([0, *map(len, rows)]),
        frames=joined[:, 0].astype(np.int64),
        boxes_px=joined[:, 1:],
    )


def still(first, last, box=BOX, without=()):
    return [(frame, *box) for frame in range(first, last + 1) if frame not in without]


def overlap(convention, rows_a, rows_b):
    truth, found = table([(0, 0, None, rows_a)]), table([(0, 0, 1.0, rows_b)])
    temporal, spatial = tube_overlaps(truth, found, np.array([0]), np.array([0]), convention)
    return temporal[0], spatial[0]


def literal(convention, rows_a, rows_b):
    """Frame by frame, as the conventions are told."""
    a, b = ({int(row[0]): row[1:] for row in rows} for rows in (rows_a, rows_b))
    more = 1 if convention.inclusive_px else 0
    shared, ious = sorted(a.keys() & b.keys()), []
    for frame in shared:
        (ax1, ay1, ax2, ay2), (bx1, by1, bx2, by2) = a[frame], b[frame]
        inter = max(min(ax2, bx2) - max(ax1, bx1) + more, 0) * max(min(ay2, by2) - max(ay1, by1) + more, 0)
        areas = [(x2 - x1 + more) * (y2 - y1 + more) for x1, y1, x2, y2 in (a[frame], b[frame])]
        ious.append(inter / (sum(areas) - inter))
    spatial = sum(ious) / len(ious) if ious else 0
    if convention.time == 'frames':
        return len(shared) / len(a.keys() | b.keys()) * spatial
    more = convention.time == 'inclusive_span'
    inter = min(max(a), max(b)) - max(min(a), min(b)) + more
    union = max(*a, *b) - min(*a, *b) + more
    temporal = (1.0 if union == 0 else inter / union) if max(min(a), min(b)) <= min(max(a), max(b)) else 0.0
    return temporal * spatial


def test_time_is_counted_by_the_convention():
    # Frames 1 to 4 and 3 to 6: 2 of 6 frames are shared; spans without + 1 are (4 - 3) / (6 - 1).
    assert overlap(ACT, still(1, 4), still(3, 6)) == (2 / 6, 1)
    assert overlap(MULTISPORTS, still(1, 4), still(3, 6)) == (1 / 5, 1)
    assert overlap(PLAIN, still(1, 4), still(3, 6)) == (2 / 6, 1)


def test_pixels_are_counted_by_the_convention():
    # Half open 2 x 1 and 1 x 1 pixels, inside one another: 1 / 2. Inclusive 3 x 2 and 2 x 2: 4 / 6.
    wide, square = still(1, 2, (0, 0, 2, 1)), still(1, 2, (0, 0, 1, 1))
    assert overlap(MULTISPORTS, wide, square) == (1, 1 / 2)
    assert overlap(ACT, wide, square) == (1, 4 / 6)


def test_tubes_that_share_only_the_frame_at_their_ends_overlap_in_one_convention_only():
    assert overlap(ACT, still(1, 3), still(3, 5))[0] == 1 / 5
    assert overlap(MULTISPORTS, still(1, 3), still(3, 5))[0] == 0


def test_tubes_of_the_same_single_frame_overlap_fully_where_the_script_divides_zero_by_zero():
    assert overlap(MULTISPORTS, still(4, 4), still(4, 4)) == (1, 1)
    assert overlap(MULTISPORTS, still(4, 4), still(5, 5)) == (0, 0)
    assert overlap(MULTISPORTS, still(4, 4), still(3, 9))[0] == 0


def test_holes_do_not_count_in_spans_and_count_in_sets_of_frames():
    holed = still(1, 5, without=(2, 3, 4))
    assert overlap(ACT, still(1, 5), holed) == (1, 1)
    assert overlap(PLAIN, still(1, 5), holed) == (2 / 5, 1)
    assert overlap(PLAIN, holed, still(2, 4)) == (0, 0)
    assert overlap(ACT, holed, still(2, 4)) == (3 / 5, 0)  # no frame is shared


@pytest.mark.parametrize('name', sorted(CONVENTIONS))
@pytest.mark.parametrize('seed', range(25))
def test_overlap_is_that_of_going_frame_by_frame(name, seed, monkeypatch):
    monkeypatch.setattr('mmtube.evaluation.functional.video_tubes.MAX_ROWS', 17)  # several parts
    rng = np.random.default_rng(seed)

    def rows():
        first, last = np.sort(rng.integers(0, 14, 2))
        frames = np.arange(first, last + 1)
        frames = frames[rng.random(len(frames)) < rng.choice([0.6, 1])]
        frames = frames if len(frames) else np.array([5])
        corner = rng.integers(0, 5, (len(frames), 2))
        return np.column_stack([frames, corner, corner + rng.integers(1, 6, (len(frames), 2))]).astype(float)

    tubes = [[rows() for _ in range(8)] for _ in range(2)]
    truth = table([(0, 0, None, tube) for tube in tubes[0]])
    found = table([(0, 0, 0.5, tube) for tube in tubes[1]])
    gts, dets = (axis.ravel() for axis in np.indices((8, 8)))
    convention = CONVENTIONS[name]
    temporal, spatial = tube_overlaps(truth, found, gts, dets, convention)
    expected = [literal(convention, tubes[0][gt], tubes[1][det]) for gt, det in zip(gts, dets)]
    np.testing.assert_allclose(temporal * spatial, expected, rtol=0, atol=1e-12)
    pruned = np.multiply(*tube_overlaps(truth, found, gts, dets, convention, min_iou=0.3))
    np.testing.assert_array_equal(pruned[pruned >= 0.3], (temporal * spatial)[temporal * spatial >= 0.3])
    if name == 'plain':
        ours = [
            tube_iou(a[:, 0].astype(int), a[:, 1:], b[:, 0].astype(int), b[:, 1:])
            for a, b in ((tubes[0][gt], tubes[1][det]) for gt, det in zip(gts, dets))
        ]
        np.testing.assert_allclose(temporal * spatial, ours, rtol=0, atol=1e-12)


def test_an_unknown_way_to_count_time_is_refused():
    truth = table([(0, 0, None, still(1, 2))])
    with pytest.raises(ValueError, match='weeks'):
        tube_overlaps(truth, truth, np.array([0]), np.array([0]), replace(PLAIN, time='weeks'))


def average_precision(convention, truth, found, thresholds, num_classes=3):
    truth = canonical_truth(truth, convention)
    matches = match_tubes(truth, found, convention, np.asarray(thresholds))
    return video_average_precision(truth, found, matches, num_classes, convention.integration)


def test_an_iou_equal_to_the_threshold_counts():
    # 3 of 10 frames: the double nearest to 0.3, which the 0.1 + 0.1 * 2 of the scripts would not let pass.
    truth, found = table([(0, 0, None, still(1, 10))]), table([(0, 0, 0.9, still(1, 3))])
    assert average_precision(ACT, truth, found, [0.3], 1).tolist() == [[1.0]]
    assert average_precision(ACT, truth, found, [0.1 + 0.1 * 2], 1).tolist() == [[0.0]]
    assert 0.3 in MULTISPORTS.means[1] and len(MULTISPORTS.means[1]) == 9
    assert MULTISPORTS.means[0] == (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45)
    assert MULTISPORTS.means[2] == ACT.means[0] == (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)


def test_boxes_that_overlap_alike_in_all_frames_have_that_overlap_exactly():
    # A sum of 19 times 0.6 divided by 19 is less than 0.6.
    assert sum([0.6] * 19) / 19 != 0.6
    assert overlap(PLAIN, still(1, 19), still(1, 19, (0, 0, 10, 6))) == (1, 0.6)


def test_whether_a_taken_truth_sends_a_tube_to_the_next_best_is_told_by_the_convention():
    # Both predictions are nearest to the first tube, the second prediction overlaps the other by 5 / 11.
    truth = table([(0, 0, None, still(1, 10)), (0, 0, None, still(5, 14))])
    found = table([(0, 0, 0.9, still(1, 10)), (0, 0, 0.8, still(2, 11))])
    assert average_precision(replace(ACT, integration='envelope'), truth, found, [0.3], 1).tolist() == [[1.0]]
    assert average_precision(replace(ACT, rule='best', integration='envelope'), truth, found, [0.3], 1) == [[0.5]]


def test_other_videos_and_other_classes_find_nothing():
    truth = table([(0, 0, None, still(1, 9))])
    found = table([(1, 0, 0.9, still(1, 9)), (0, 1, 0.8, still(1, 9)), (0, 0, 0.7, still(1, 9))])
    assert average_precision(PLAIN, truth, found, [0.5], 2)[0, 0] == 0.5


@pytest.mark.parametrize('name', sorted(CONVENTIONS))
def test_perfect_predictions_give_exactly_one(name):
    rng = np.random.default_rng(4)
    tubes = []
    for number in range(60):
        first, corner = int(rng.integers(1, 50)), rng.random((30, 2)) * 200
        boxes = np.column_stack([corner, corner + 1 + rng.random((30, 2)) * 77])[: rng.integers(1, 30)]
        tubes.append((number % 3, number % 2, None, np.column_stack([first + np.arange(len(boxes)), boxes])))
    convention = CONVENTIONS[name]
    thresholds = [*convention.thresholds, *sum(convention.means, ())]
    found = table([(video, label, rng.random(), rows) for video, label, _, rows in tubes])
    ap = average_precision(convention, table(tubes), found, thresholds)
    assert (ap[:, :2] == 1).all() and np.isnan(ap[:, 2]).all()


def random_case(rng, num_truth=14, num_found=40, scores=None):
    def rows():
        first, length, corner = rng.integers(1, 12), rng.integers(2, 12), rng.random(2) * 12
        boxes = np.concatenate([corner, corner + 12 + rng.random(2) * 8]) + rng.random((length, 4)) * 2
        return np.column_stack([first + np.arange(length), boxes])

    truth = [(*rng.integers(0, [3, 3]), None, rows()) for _ in range(num_truth)]
    found = [(*rng.integers(0, [3, 4]), rng.random() if scores is None else scores, rows()) for _ in range(num_found)]
    return truth, found


@pytest.mark.parametrize('seed', range(12))
def test_the_order_of_the_rows_changes_nothing_even_where_all_scores_are_equal(seed):
    rng = np.random.default_rng(seed)
    truth, found = random_case(rng, scores=0.5)
    found += found[:5]  # and some tubes stand twice
    first = average_precision(ACT, table(truth), table(found), [0.1, 0.3, 0.5], 4)
    for _ in range(4):
        mixed = [[rows[place] for place in rng.permutation(len(rows))] for rows in (truth, found)]
        np.testing.assert_array_equal(
            average_precision(ACT, table(mixed[0]), table(mixed[1]), [0.1, 0.3, 0.5], 4), first
        )


def test_tubes_that_differ_only_in_the_middle_have_an_order_of_their_own():
    bent = still(1, 3)
    bent[1] = (2, 5, 5, 20, 20)
    columns = tie_columns(table([(0, 0, 0.5, still(1, 3)), (0, 0, 0.5, bent), (0, 0, 0.5, still(1, 3))]))
    assert columns[-1][0] == columns[-1][2] != columns[-1][1]


@pytest.mark.parametrize('seed', range(10))
def test_it_is_the_number_of_mmactions_video_ap(seed):
    upstream = pytest.importorskip('mmaction.evaluation.functional.multisports_utils')
    truth, found = random_case(np.random.default_rng(seed))
    names = 'abc'
    ground = {'labels': ['p', 'q', 'r', 's'], 'test_videos': [list(names)], 'gttubes': {name: {} for name in names}}
    for video, label, _, rows in truth:
        ground['gttubes'][names[video]].setdefault(label, []).append(rows)
    tubes = {label: [] for label in range(4)}
    for video, label, score, rows in found:
        tubes[label].append((names[video], score, rows))
    thresholds = [0.07, 0.2, 0.33, 0.5]
    ap = average_precision(MULTISPORTS, table(truth), table(found), thresholds, 4)
    theirs = [upstream.videoAP(ground, tubes, threshold, print_info=False) for threshold in thresholds]
    np.testing.assert_allclose(100 * np.nanmean(ap, axis=1), theirs, rtol=0, atol=1e-9)
    assert 0 < theirs[0] < 100


def act_script(truth, found, label, threshold):
    """AP of a class as the ACT scripts write it down: the found truth is deleted, the curve starts at (0, 1)."""
    left = {video: [rows for v, c, _, rows in truth if (v, c) == (video, label)] for video in range(3)}
    total, hits, points = sum(map(len, left.values())), 0, [(0.0, 1.0)]
    ranked = sorted((tube for tube in found if tube[1] == label), key=lambda tube: -tube[2])
    for rank, (video, _, _, rows) in enumerate(ranked):
        ious = [literal(ACT, gt, rows) for gt in left[video]]
        if ious and max(ious) >= threshold:
            del left[video][ious.index(max(ious))]
            hits += 1
        points.append((hits / total, hits / (rank + 1)))
    return sum((r1 - r0) * (p0 + p1) / 2 for (r0, p0), (r1, p1) in pairwise(points))


@pytest.mark.parametrize('seed', range(10))
def test_it_is_the_number_of_the_act_scripts(seed):
    truth, found = random_case(np.random.default_rng(100 + seed))
    thresholds = [0.1, 0.2, 0.5]
    ap = average_precision(ACT, table(truth), table(found), thresholds, 4)
    for label in {label for _, label, _, _ in truth}:
        expected = [act_script(truth, found, label, threshold) for threshold in thresholds]
        np.testing.assert_allclose(ap[:, label], expected, rtol=0, atol=1e-12)


def test_a_class_that_was_not_predicted_has_no_precision_and_one_without_truth_has_no_number():
    ap = average_precision(ACT, table([(0, 0, None, still(1, 5))]), table([(0, 1, 0.9, still(1, 5))]), [0.5], 2)
    assert ap[0, 0] == 0 and np.isnan(ap[0, 1])


def test_ground_truth_that_stands_twice_is_refused():
    with pytest.raises(InputError, match=r'row [02]: the same tube stands twice'):
        canonical_truth(table([(0, 0, None, still(1, 5)), (0, 1, None, still(1, 5)), (0, 0, None, still(1, 5))]), ACT)


def test_ground_truth_without_area_is_refused_where_pixels_are_half_open():
    line = table([(0, 0, None, still(1, 5)), (0, 0, None, still(1, 3, (4, 4, 4, 9)))])
    with pytest.raises(InputError, match='row 1: a box of the tube has no area'):
        canonical_truth(line, MULTISPORTS)
    assert len(canonical_truth(line, ACT)) == 2  # one pixel wide
