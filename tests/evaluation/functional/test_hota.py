"""HOTA: cases to check in the head, and the definition of the paper spelt out."""

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from mmtube.evaluation.functional.hota import ALPHAS, hota
from mmtube.evaluation.functional.track_pairs import number_tracks, overlaps
from mmtube.ops import box_iou


def table(*tracks):
    """Tracks of (ID, frames, left edge, sequence) as boxes of 10 x 10 pixels."""
    columns = [
        (sequence, frame, track_id, (left, 0, left + 10, 10))
        for track_id, frames, left, sequence in tracks
        for frame in frames
    ]
    sequence, frames, ids, boxes = zip(*columns) if columns else ([], [], [], [])
    whole = (np.array(column, np.int64) for column in (sequence, frames, ids))
    return *whole, np.array(boxes, np.float64).reshape(-1, 4)


def counted(truth, found, num_sequences=1):
    gt, det = number_tracks(*truth, 1000), number_tracks(*found, 1000)
    return hota(gt, det, overlaps(gt, det), num_sequences)


def test_perfect_tracks_score_exactly_one():
    truth = table((1, range(9), 0, 0), (2, range(3, 8), 4, 0), (1, range(2), 2, 1))
    scores = counted(truth, truth, 2).scores()
    assert all((getattr(scores, name) == 1).all() for name in scores.__dataclass_fields__)


def test_a_switch_in_the_middle_halves_the_association():
    scores = counted(table((1, range(8), 0, 0)), table((5, range(4), 0, 0), (6, range(4, 8), 0, 0))).scores()
    assert (scores.det_a == 1).all() and (scores.ass_a == 0.5).all()  # TPA 4, FNA 4, FPA 0
    assert (scores.ass_re == 0.5).all() and (scores.ass_pr == 1).all()
    assert scores.hota == pytest.approx(np.sqrt(0.5))


def test_two_people_under_one_id_are_imprecise_association():
    truth = table((1, range(4), 0, 0), (2, range(4, 8), 0, 0))
    scores = counted(truth, table((5, range(8), 0, 0))).scores()
    assert (scores.ass_a == 0.5).all() and (scores.ass_re == 1).all() and (scores.ass_pr == 0.5).all()


def test_a_missed_half_lowers_detection_and_association():
    scores = counted(table((1, range(8), 0, 0)), table((5, range(4), 0, 0))).scores()
    assert (scores.det_a == 0.5).all() and (scores.ass_a == 0.5).all() and (scores.hota == 0.5).all()
    assert (scores.det_re == 0.5).all() and (scores.det_pr == 1).all()


def test_only_thresholds_that_the_iou_reaches_count():
    scores = counted(table((1, range(4), 0, 0)), table((5, range(4), 10 / 3, 0))).scores()  # IoU 1/2
    assert scores.hota.tolist() == [1.0] * 10 + [0.0] * 9
    assert scores.loc_a == pytest.approx([0.5] * 10 + [1.0] * 9)  # nothing left to locate, as TrackEval has it


def test_nothing_found_is_zero_everywhere():
    scores = counted(table((1, range(4), 0, 0)), table()).scores()
    assert all((getattr(scores, name) == 0).all() for name in scores.__dataclass_fields__)


def test_sequences_are_combined_by_counts_and_association_by_true_positives():
    truth = table((1, range(6), 0, 0), (1, range(2), 0, 1))
    found = table((5, range(3), 0, 0), (6, range(3, 6), 0, 0), (5, range(1), 0, 1))
    counts = counted(truth, found, 2)
    first, second, both = (counts.scores(part) for part in (np.array([0]), np.array([1]), slice(None)))
    assert (first.ass_a[0], second.ass_a[0]) == (0.5, 0.5)
    assert both.det_a[0] == 7 / 8 and both.ass_a[0] == (6 * 0.5 + 1 * 0.5) / 7
    alone = counted(*(tuple(column[side[0] == 0] for column in side) for side in (truth, found)))
    assert (alone.scores().hota == first.hota).all()


def literal(truth, found, alpha):
    """HOTA at one threshold, every true positive on its own (Luiten et al. 2020, Eq. 12 to 16)."""
    gts, dets = list(zip(*truth)), list(zip(*found))
    frames = sorted({(row[0], row[1]) for row in [*gts, *dets]})
    here = {key: ([row for row in gts if row[:2] == key], [row for row in dets if row[:2] == key]) for key in frames}
    soft, length = {}, {}
    ious = {}
    for key, (left, right) in here.items():
        for side, own in (('g', left), ('d', right)):
            for row in own:
                length[side, row[0], row[2]] = length.get((side, row[0], row[2]), 0) + 1
        if not left or not right:
            continue
        iou = ious[key] = box_iou(np.array([row[3] for row in left]), np.array([row[3] for row in right]))
        for i, g in enumerate(left):
            for j, d in enumerate(right):
                if iou[i, j] > 0:
                    share = iou[i, j] / (iou[i].sum() + iou[:, j].sum() - iou[i, j])
                    pair = (g[0], g[2], d[2])
                    soft[pair] = soft.get(pair, 0) + share
    positives = []
    for key, iou in ious.items():
        left, right = here[key]
        score = np.zeros(iou.shape)
        for i, g in enumerate(left):
            for j, d in enumerate(right):
                pair = (g[0], g[2], d[2])
                both = length['g', g[0], g[2]] + length['d', d[0], d[2]]
                score[i, j] = iou[i, j] * soft.get(pair, 0) / (both - soft.get(pair, 0))
        for i, j in zip(*linear_sum_assignment(-score)):
            if iou[i, j] >= alpha - np.finfo(float).eps:
                positives.append((key[0], left[i][2], right[j][2]))
    total = 0.0
    for positive in positives:
        tpa = sum(other == positive for other in positives)
        fna = length['g', positive[0], positive[1]] - tpa
        fpa = length['d', positive[0], positive[2]] - tpa
        total += tpa / (tpa + fna + fpa)
    errors = len(gts) + len(dets) - 2 * len(positives)
    return np.sqrt(total / (len(positives) + errors)) if positives else 0.0


@pytest.mark.parametrize('seed', range(8))
def test_scores_are_those_of_the_definition(seed):
    rng = np.random.default_rng(seed)
    sides = []
    for jitter in (0, 2.5):
        spread = rng.normal(0, jitter, (2, 5, 10, 2)) if jitter else np.zeros((2, 5, 10, 2))
        if not jitter:
            path = rng.uniform(0, 25, (2, 5, 1, 2)) + rng.normal(0, 1, (2, 5, 10, 2)).cumsum(axis=2)
        sequence, track, frame = np.nonzero(rng.random((2, 5, 10)) < 0.8)
        near = (path + spread)[sequence, track, frame]
        names = track if not jitter else (track + (frame > 5)) % 5
        sides.append((sequence, frame, names, np.concatenate([near, near + 10], axis=1)))
    scores = counted(*sides, 2).scores().hota
    plain = [[column.tolist() for column in side] for side in sides]
    plain = [[*side[:3], list(map(tuple, side[3]))] for side in plain]
    assert scores == pytest.approx([literal(*plain, alpha) for alpha in ALPHAS], abs=1e-12)
