"""Boxes in frames: who finds whom, against a loop that does it one by one."""

import numpy as np
import pytest

from mmtube.evaluation.functional.average_precision import average_precision
from mmtube.evaluation.functional.frame_boxes import match_frames, most_confident
from mmtube.evaluation.tables import BoxTable

VIDEOS = ['a', 'b', 'c']


def table(rows, scored=False, videos=VIDEOS):
    """Rows of video, frame, label, (score,) x1, y1, x2, y2."""
    rows = np.array(rows, float).reshape(-1, 7 + scored)
    return BoxTable(
        videos,
        rows[:, 0].astype(int),
        rows[:, 2].astype(int),
        rows[:, 3] if scored else None,
        frames=rows[:, 1].astype(int),
        boxes=rows[:, -4:],
    )


def iou(a, b, grow):
    width = min(a[2], b[2]) - max(a[0], b[0]) + grow
    height = min(a[3], b[3]) - max(a[1], b[1]) + grow
    if width <= 0 or height <= 0:
        return 0.0
    area = [(box[2] - box[0] + grow) * (box[3] - box[1] + grow) for box in (a, b)]
    return width * height / (sum(area) - width * height)


def one_by_one(truth, found, threshold, rule, grow):
    """Return whether each row of ``found`` is right, by the words of the scripts."""
    taken, hits = set(), np.zeros(len(found), bool)
    keys = [
        (-found.scores[row], found.video[row], found.labels[row], found.frames[row], *found.boxes[row])
        for row in range(len(found))
    ]
    gt_rows = sorted(range(len(truth)), key=lambda row: tuple(truth.boxes[row]))
    for row in sorted(range(len(found)), key=keys.__getitem__):
        best, chosen = -1.0, None
        for other in gt_rows:
            same = [truth.video[other], truth.frames[other], truth.labels[other]]
            if same != [found.video[row], found.frames[row], found.labels[row]]:
                continue
            if rule == 'next_best' and other in taken:
                continue
            overlap = iou(found.boxes[row], truth.boxes[other], grow)
            if overlap > best:
                best, chosen = overlap, other
        if chosen is not None and best >= threshold and chosen not in taken:
            taken.add(chosen)
            hits[row] = True
    return hits


def draw(rng):
    """Tables of few videos, frames, classes, scores and corners, so that ties and equal boxes abound."""
    tables = []
    for scored in (False, True):
        num = int(rng.integers(0 if scored else 1, 30))
        corners = rng.integers(0, 4, (num, 2))
        boxes = np.concatenate([corners, corners + rng.integers(1, 4, (num, 2))], axis=1)
        columns = [rng.integers(0, 3, num), rng.integers(5, 8, num), rng.integers(0, 2, num)]
        columns += [rng.integers(1, 4, num) / 4] if scored else []
        tables.append(table(np.column_stack([*columns, boxes]), scored))
    return tables


@pytest.mark.parametrize('rule', ['best', 'next_best'])
@pytest.mark.parametrize('inclusive', [False, True])
def test_it_does_what_a_loop_does(rule, inclusive):
    rng = np.random.default_rng(7)
    right = 0
    for _ in range(300):
        truth, found = draw(rng)
        for threshold in (0.3, 0.5, 1.0):
            matches = match_frames(truth, found, [threshold], rule=rule, inclusive=inclusive, max_pairs=3)
            wanted = one_by_one(truth, found, threshold, rule, int(inclusive))
            assert matches.hits[0].tolist() == wanted[matches.order].tolist()
            right += int(wanted.sum())
    assert right > 300, 'the cases are not trivial'


def test_several_thresholds_are_each_on_its_own():
    rng = np.random.default_rng(1)
    for _ in range(50):
        truth, found = draw(rng)
        both = match_frames(truth, found, [0.75, 0.3], rule='next_best').matched
        for number, threshold in enumerate((0.75, 0.3)):
            alone = match_frames(truth, found, [threshold], rule='next_best').matched[0]
            assert both[number].tolist() == alone.tolist()


def test_the_order_of_rows_does_not_matter():
    rng = np.random.default_rng(2)
    for _ in range(50):
        truth, found = draw(rng)
        there = match_frames(truth, found, [0.5])
        rows, gt_rows = rng.permutation(len(found)), rng.permutation(len(truth))
        again = match_frames(truth.rows(gt_rows), found.rows(rows), [0.5])
        assert there.matched.tolist() == again.matched.tolist()
        assert found.boxes[there.order].tolist() == found.rows(rows).boxes[again.order].tolist()
        missed = [truth.boxes[there.missed()], truth.rows(gt_rows).boxes[again.missed()]]
        assert missed[0].tolist() == missed[1].tolist()


TRUTH = [[0, 1, 0, 0, 0, 10, 10], [0, 1, 0, 3, 0, 13, 10]]  # IoU 7/13 with each other


def test_a_second_detection_of_a_box_may_find_the_next_one_only_by_the_rule_of_act():
    found = table([[0, 1, 0, 0.9, 0, 0, 10, 10], [0, 1, 0, 0.8, 1, 0, 11, 10]], scored=True)
    # The second one overlaps the first box by 9/11 and the other by 8/12.
    assert match_frames(table(TRUTH), found, [0.5], rule='best').matched.tolist() == [[0, -1]]
    assert match_frames(table(TRUTH), found, [0.5], rule='next_best').matched.tolist() == [[0, 1]]


def test_inclusive_pixels_make_small_boxes_overlap_more():
    truth, found = table([[0, 1, 0, 0, 0, 2, 0.5]]), table([[0, 1, 0, 0.9, 1, 0, 3, 0.5]], scored=True)
    # Half open 1/3; with both end pixels 2/4, which reaches the threshold.
    assert not match_frames(truth, found, [0.5]).hits.any()
    assert match_frames(truth, found, [0.5], inclusive=True).hits.all()


def test_an_iou_equal_to_the_threshold_counts():
    truth, found = table([[0, 1, 0, 0, 0, 2, 1]]), table([[0, 1, 0, 0.9, 0, 0, 1, 1]], scored=True)
    assert match_frames(truth, found, [0.5]).hits.all()
    assert not match_frames(truth, found, [np.nextafter(0.5, 1)]).hits.any()


def test_video_frame_and_class_must_agree():
    truth = table([[1, 4, 1, 0, 0, 1, 1]])
    for video, frame, label in ((0, 4, 1), (1, 3, 1), (1, 5, 1), (1, 4, 0), (2, 4, 1), (1, 10**12, 1), (1, 4, 9)):
        assert not match_frames(truth, table([[video, frame, label, 0.5, 0, 0, 1, 1]], True), [0.5]).hits.any()
    assert match_frames(truth, table([[1, 4, 1, 0.5, 0, 0, 1, 1]], True), [0.5]).hits.all()


def test_nothing_found_and_nothing_to_find_are_no_special_case():
    truth, found = table([[0, 1, 0, 0, 0, 1, 1]]), table([[0, 1, 0, 0.5, 0, 0, 1, 1]], True)
    assert match_frames(truth, table([], True), [0.5]).matched.shape == (1, 0)
    assert match_frames(truth, table([], True), [0.5]).missed().tolist() == [0]
    assert match_frames(table([]), found, [0.5]).matched.tolist() == [[-1]]


def test_perfect_detections_have_an_ap_of_exactly_1():
    rng = np.random.default_rng(3)
    rows = np.column_stack([rng.integers(0, 3, 200), rng.integers(0, 9, 200), rng.integers(0, 7, 200)])
    boxes = rng.random((200, 4)) / 3
    boxes[:, 2:] += boxes[:, :2] + 0.01
    truth = table(np.column_stack([rows, boxes]))
    found = table(np.column_stack([rows, rng.random(200), boxes]), True)
    for rule, integration in (('best', 'envelope'), ('next_best', 'trapezoid')):
        matches = match_frames(truth, found, [0.5], rule=rule, inclusive=rule == 'next_best')
        labels = found.labels[matches.order]
        ap = average_precision(matches.hits, labels, np.bincount(truth.labels), integration=integration)
        assert (ap == 1).all()


def test_float32_boxes_decide_otherwise_next_to_the_threshold():
    truth = table([[0, 1, 0, 0, 0, 0.3, 1]])
    wide = np.nextafter(0.6, 1)
    found = table([[0, 1, 0, 0.9, 0, 0, wide, 1]], True)
    assert not match_frames(truth, found, [0.5]).hits.any(), 'in float64 it is just below'
    assert match_frames(truth, found, [0.5], single=True).hits.all(), 'in float32 it is 0.5'


def test_the_most_confident_of_each_frame_are_taken_of_all_classes_together():
    found = table(
        [
            [0, 1, 0, 0.2, 0, 0, 1, 1],
            [0, 1, 1, 0.9, 0, 0, 1, 1],
            [0, 2, 0, 0.1, 0, 0, 1, 1],
            [0, 1, 0, 0.5, 0, 0, 1, 1],
            [1, 1, 0, 0.3, 0, 0, 1, 1],
        ],
        True,
    )
    assert most_confident(found, 2).tolist() == [1, 2, 3, 4]
    assert most_confident(found, 1).tolist() == [1, 2, 4]
    assert most_confident(table([], True), 1).tolist() == []


@pytest.mark.parametrize('wrong', [dict(thresholds=[0.0]), dict(thresholds=[]), dict(rule='worst')])
def test_what_makes_no_sense_is_refused(wrong):
    truth, found = table([[0, 1, 0, 0, 0, 1, 1]]), table([[0, 1, 0, 0.5, 0, 0, 1, 1]], True)
    with pytest.raises(ValueError, match=r'thresholds|rule'):
        match_frames(truth, found, **{'thresholds': [0.5], **wrong})
    with pytest.raises(ValueError, match='aligned'):
        match_frames(truth, table([], True, videos=['x']), [0.5])
