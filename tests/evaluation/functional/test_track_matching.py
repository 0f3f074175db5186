"""CLEAR MOT and the identity measures: cases to check in the head, and motmetrics on random tracks."""

import itertools

import motmetrics
import numpy as np
import pytest

from mmtube.evaluation.functional.hota import hota
from mmtube.evaluation.functional.track_matching import clear_mot, identity_matches
from mmtube.evaluation.functional.track_pairs import assign, number_tracks, overlaps
from mmtube.ops import box_iou


def rows(*tracks, step=100):
    """Tracks of (ID, frames, left edge): boxes of 10 x 10 pixels; lanes are ``step`` apart."""
    ids, frames, boxes = [], [], []
    for track_id, times, left in tracks:
        for frame in times:
            ids.append(track_id)
            frames.append(frame)
            boxes.append([left, 0, left + 10, 10])
    return np.zeros(len(ids), np.int64), np.array(frames), np.array(ids), np.array(boxes, np.float64).reshape(-1, 4)


def compared(truth, found, num_sequences=1, threshold=0.5):
    gt, det = number_tracks(*truth, 1000), number_tracks(*found, 1000)
    pairs = overlaps(gt, det)
    clear = clear_mot(gt, det, pairs, num_sequences, threshold)
    return clear, identity_matches(gt, det, pairs, num_sequences, threshold), gt, det


def test_an_id_switch_costs_one_error_and_half_of_the_identity():
    clear, idtp, *_ = compared(rows((1, range(8), 0)), rows((5, range(4), 0), (6, range(4, 8), 0)))
    assert (clear.matches.tolist(), clear.switches.tolist(), idtp.tolist()) == ([8], [1], [4])
    assert clear.fragmentations.tolist() == [0] and clear.mostly_tracked.tolist() == [1]


def test_a_known_id_is_kept_against_a_box_that_fits_better():
    truth = rows((1, range(2), 0))
    found = rows((5, range(2), 3), (6, [1], 0))  # ID 5 has IoU 7/13, ID 6 fits exactly in frame 1
    clear, *_ = compared(truth, found)
    assert clear.switches.tolist() == [0] and clear.iou_sum.tolist() == pytest.approx([14 / 13])
    clear, *_ = compared(truth, rows((5, [0], 3), (6, [1], 0)))
    assert clear.switches.tolist() == [1]


def test_a_known_id_is_kept_after_a_gap():
    truth = rows((1, [0, 1, 2], 0))
    found = rows((5, [0, 2], 3), (6, [2], 0))
    clear, *_ = compared(truth, found)
    assert clear.matches.tolist() == [2] and clear.switches.tolist() == [0]
    assert clear.fragmentations.tolist() == [1]


def test_more_matches_go_before_a_larger_iou():
    truth = rows((1, [0], 0), (2, [0], 5))
    found = rows((5, [0], 0), (6, [0], -5))  # 5 is exactly person 1, but nothing else reaches person 2
    clear, *_ = compared(truth, found, threshold=0.3)
    assert clear.matches.tolist() == [2] and clear.iou_sum.tolist() == pytest.approx([2 / 3])


def test_an_iou_equal_to_the_threshold_is_a_match():
    truth, found = rows((1, [0], 0)), (np.zeros(1, int), np.zeros(1, int), np.ones(1, int), np.array([[0.0, 0, 5, 10]]))
    assert compared(truth, found)[0].matches.tolist() == [1]
    assert compared(truth, found, threshold=0.51)[0].matches.tolist() == [0]


def test_mostly_tracked_begins_at_80_percent_and_mostly_lost_ends_below_20():
    truth = rows((1, range(10), 0), (2, range(10), 100), (3, range(10), 200), (4, range(10), 300))
    found = rows((1, range(8), 0), (2, range(7), 100), (3, range(2), 200), (4, range(1), 300))
    clear, *_ = compared(truth, found)
    parts = (clear.mostly_tracked, clear.partially_tracked, clear.mostly_lost)
    assert [part.tolist() for part in parts] == [[1], [2], [1]]


def test_a_hole_in_the_ground_truth_is_no_fragmentation():
    clear, *_ = compared(rows((1, [0, 1, 5, 6], 0)), rows((1, [0, 1, 5, 6], 0)))
    assert clear.fragmentations.tolist() == [0]


def test_identities_are_paired_once_for_the_whole_sequence():
    # Each person would like ID 5; together 3 + 1 boxes agree, not 3 + 2.
    truth = rows((1, range(3), 0), (2, range(3, 6), 0))
    _, idtp, *_ = compared(truth, rows((5, range(5), 0), (6, [5], 0)))
    assert idtp.tolist() == [4]


def test_sequences_do_not_touch_although_frames_and_ids_are_alike():
    truth, found = rows((1, range(4), 0)), rows((7, range(4), 0))
    both = [np.concatenate([column, column]) for column in truth]
    both[0] = np.repeat([0, 1], 4)
    clear, idtp, *_ = compared(both, found, num_sequences=2)
    assert clear.matches.tolist() == [4, 0] and idtp.tolist() == [4, 0] and clear.num_pred.tolist() == [4, 0]


def test_assignment_is_the_best_of_all():
    rng = np.random.default_rng(0)
    for _ in range(200):
        weights = rng.integers(0, 4, (3, 4)) / 4
        left, right = np.nonzero(weights)
        chosen = assign(left, right, weights[left, right])
        assert len(set(left[chosen])) == len(set(right[chosen])) == chosen.sum()
        best = max(sum(weights[i, j] for i, j in enumerate(order)) for order in itertools.permutations(range(4), 3))
        assert weights[left[chosen], right[chosen]].sum() == best


def random_tracks(rng, num_frames, num_ids, jitter):
    """People on a small stage, each in a random part of the frames; predictions follow, lose and swap them."""
    path = rng.uniform(0, 25, (num_ids, 1, 2)) + rng.normal(0, 1.2, (num_ids, num_frames, 2)).cumsum(axis=1)
    there = rng.random((num_ids, num_frames)) < 0.85
    found_there = there & (rng.random(there.shape) < 0.85) | (rng.random(there.shape) < 0.05)
    ids = np.tile(np.arange(num_ids)[:, None] + 10, num_frames)
    for frame in rng.integers(1, num_frames, 3):
        ids[:, frame:] = rng.permutation(num_ids + 2)[:num_ids, None] + 10 + 5 * (frame % 2)

    def table(present, names, centres):
        track, frame = np.nonzero(present)
        near = centres[track, frame]
        return np.zeros(len(frame), np.int64), frame, names[track, frame], np.concatenate([near, near + 10], axis=1)

    own = np.tile(np.arange(num_ids)[:, None] + 1, num_frames)
    return table(there, own, path), table(found_there, ids, path + rng.normal(0, jitter, path.shape))


def by_motmetrics(truth, found, threshold=0.5):
    accumulator = motmetrics.MOTAccumulator()
    for frame in np.unique(np.concatenate([truth[1], found[1]])):
        sides = []
        for _, frames, ids, boxes in (truth, found):
            here = np.flatnonzero(frames == frame)
            here = here[np.argsort(ids[here])]
            sides.append((ids[here], boxes[here]))
        (oids, objects), (hids, hypotheses) = sides
        ious = box_iou(objects, hypotheses)
        accumulator.update(oids, hids, np.where(ious >= threshold, 1 - ious, np.nan), frameid=int(frame))
    names = [
        *('num_misses', 'num_false_positives', 'num_switches', 'num_fragmentations', 'mostly_tracked'),
        *('partially_tracked', 'mostly_lost', 'num_detections', 'motp', 'idtp', 'num_objects', 'num_predictions'),
    ]
    return motmetrics.metrics.create().compute(accumulator, metrics=names).iloc[0].to_dict()


@pytest.mark.filterwarnings('ignore')
@pytest.mark.parametrize('seed', range(12))
def test_every_count_is_that_of_motmetrics(seed):
    rng = np.random.default_rng(seed)
    truth, found = random_tracks(rng, num_frames=40, num_ids=int(rng.integers(2, 8)), jitter=rng.uniform(0.2, 3))
    threshold = 0.5 if seed % 2 else 0.25
    clear, idtp, *_ = compared(truth, found, threshold=threshold)
    known = by_motmetrics(truth, found, threshold)
    ours = {
        'num_misses': clear.num_gt - clear.matches,
        'num_false_positives': clear.num_pred - clear.matches,
        'num_switches': clear.switches,
        'num_fragmentations': clear.fragmentations,
        'mostly_tracked': clear.mostly_tracked,
        'partially_tracked': clear.partially_tracked,
        'mostly_lost': clear.mostly_lost,
        'num_detections': clear.matches,
        'idtp': idtp,
        'num_objects': clear.num_gt,
        'num_predictions': clear.num_pred,
    }
    assert {name: int(value[0]) for name, value in ours.items()} == {name: int(known[name]) for name in ours}
    assert clear.switches[0] > 0
    assert 1 - clear.iou_sum[0] / clear.matches[0] == pytest.approx(known['motp'], abs=1e-9)


def test_the_order_of_rows_does_not_matter():
    rng = np.random.default_rng(3)
    truth, found = random_tracks(rng, 30, 6, 2.0)
    found[3][:] = found[3].round()  # ties
    truth[3][:] = truth[3].round()
    known = compared(truth, found)
    scores = hota(*known[2:], overlaps(*known[2:]), 1)
    for _ in range(5):
        orders = [rng.permutation(len(side[0])) for side in (truth, found)]
        again = compared(*([column[order] for column in side] for side, order in zip((truth, found), orders)))
        for name in ('matches', 'switches', 'iou_sum', 'fragmentations'):
            assert (getattr(again[0], name) == getattr(known[0], name)).all()
        assert (again[1] == known[1]).all()
        assert (hota(*again[2:], overlaps(*again[2:]), 1).ass_a == scores.ass_a).all()
