"""Frame mAP of UCF101-24, JHMDB and MultiSports, from their files to numbers."""

import argparse
import pickle
from itertools import pairwise

import numpy as np
import pytest

from mmtube.errors import InputError
from mmtube.evaluation.functional.average_precision import average_precision, mean_over_classes
from mmtube.evaluation.protocols import frame_map

LABELS = ['run', 'aerobic kick jump', 'fall']


@pytest.fixture
def score(tmp_path):
    def run(tubes, rows, *options, labels=LABELS, videos=('v0', 'v1'), files=None):
        """Score ``tubes`` {video: {class: [tube]}} against rows of video, frame, label, score, box."""
        truth, found = tmp_path / 'gt.pkl', tmp_path / 'found.csv'
        gttubes = {v: {c: [np.array(t, np.float32) for t in ts] for c, ts in by.items()} for v, by in tubes.items()}
        truth.write_bytes(pickle.dumps({'labels': list(labels), 'gttubes': gttubes, 'test_videos': [list(videos)]}))
        found.write_text(''.join(','.join(map(repr, row)) + '\n' for row in rows))
        parser = argparse.ArgumentParser()
        frame_map.add_arguments(parser)
        args = parser.parse_args(list(map(str, options)))
        args.gt, args.pred = files or (str(truth), str(found))
        return frame_map.evaluate(args)

    return run


MULTISPORTS, ACT = ('--convention', 'multisports'), ('--convention', 'act')
TUBES = {'v0': {0: [[[1, 0, 0, 10, 10], [2, 0, 0, 10, 10]]], 2: [[[2, 20, 0, 30, 10]]]}}
ROWS = [(0, 1, 0, 0.9, 0, 0, 10, 10), (0, 2, 0, 0.8, 0, 0, 10, 10), (0, 2, 2, 0.7, 20, 0, 30, 10)]


@pytest.mark.parametrize('convention', [MULTISPORTS, ACT])
def test_perfect_detections_are_exactly_1(score, convention):
    result = score(TUBES, ROWS, *convention, '--iou', 0.5, 1.0)
    assert result.metrics == {'mAP': 1.0, 'mAP@0.5': 1.0, 'mAP@1': 1.0}
    assert result.counts['frames'] == 2 and result.counts['ground_truths'] == 3 and result.counts['videos'] == 1


def test_a_class_that_is_never_detected_counts_as_0(score):
    for convention in (MULTISPORTS, ACT):
        assert score(TUBES, ROWS[:2], *convention).metrics['mAP@0.5'] == 0.5
        result = score(TUBES, [], *convention)
        assert result.metrics['mAP@0.5'] == 0.0 and 'everything is missed' in result.text()


def test_the_trapezoids_of_act_lie_below_the_envelope_and_begin_at_1(score):
    tubes = {'v0': {0: [[[1, 0, 0, 10, 10]], [[2, 0, 0, 10, 10]]]}}
    rows = [(0, 1, 0, 0.9, 0, 0, 10, 10), (0, 9, 0, 0.8, 0, 0, 10, 10), (0, 2, 0, 0.7, 0, 0, 10, 10)]
    # Precision 1, 1/2, 2/3 at recall 1/2, 1/2, 1.
    assert score(tubes, rows, *MULTISPORTS).metrics['mAP@0.5'] == pytest.approx(1 / 2 + 2 / 3 / 2)
    assert score(tubes, rows, *ACT).metrics['mAP@0.5'] == pytest.approx(1 / 2 + (1 / 2 + 2 / 3) / 2 / 2)
    # A false one in front: from precision 1 at recall 0 straight to 0, then to 1/2 at recall 1.
    rows = [(0, 9, 0, 0.9, 0, 0, 10, 10), (0, 1, 0, 0.8, 0, 0, 10, 10)]
    tubes = {'v0': {0: [[[1, 0, 0, 10, 10]]]}}
    assert score(tubes, rows, *ACT).metrics['mAP@0.5'] == pytest.approx((0 + 1 / 2) / 2)


def test_only_act_lets_a_detection_take_the_next_best_box(score):
    tubes = {'v0': {0: [[[1, 0, 0, 10, 10]], [[1, 3, 0, 13, 10]]]}}
    rows = [(0, 1, 0, 0.9, 0, 0, 10, 10), (0, 1, 0, 0.8, 1, 0, 11, 10)]
    assert score(tubes, rows, *ACT).metrics['mAP@0.5'] == 1.0
    assert score(tubes, rows, *MULTISPORTS).metrics['mAP@0.5'] == 0.5


def test_only_act_counts_both_end_pixels(score):
    tubes, rows = {'v0': {0: [[[1, 0, 0, 2, 0.5]]]}}, [(0, 1, 0, 0.9, 1, 0, 3, 0.5)]
    assert score(tubes, rows, *ACT).metrics['mAP@0.5'] == 1.0  # 2/4
    assert score(tubes, rows, *MULTISPORTS).metrics['mAP@0.5'] == 0.0  # 1/3


def test_multisports_does_not_score_six_classes(score):
    tubes = {'v0': {0: TUBES['v0'][0], 1: [[[1, 0, 0, 10, 10]]]}}
    result = score(tubes, ROWS, *MULTISPORTS)
    assert result.metrics['mAP@0.5'] == 1.0 and 'aerobic kick jump), with 1 ground truths' in result.notes[0]
    assert result.tables['classes']['num_gt'] == [2, 0, 0]
    assert score(tubes, ROWS, *MULTISPORTS, '--skip').metrics['mAP@0.5'] == 0.5
    assert score(tubes, ROWS, *ACT).metrics['mAP@0.5'] == 0.5
    assert score(tubes, ROWS, *ACT, '--skip', 'aerobic kick jump').metrics['mAP@0.5'] == 1.0
    with pytest.raises(InputError, match="--skip: there is no class 'walk'"):
        score(tubes, ROWS, *ACT, '--skip', 'walk')
    with pytest.raises(InputError, match='only of classes that are not scored'):
        score({'v0': {1: tubes['v0'][1]}}, ROWS, *MULTISPORTS)


def test_names_and_numbers_of_videos_are_the_same(score):
    rows = [(1, *row[1:]) for row in ROWS]
    tubes = {'v1': TUBES['v0']}
    assert score(tubes, rows, *ACT).metrics['mAP@0.5'] == 1.0
    other = score(tubes, [*rows, (0, 1, 0, 0.95, 0, 0, 10, 10)], *ACT)
    assert other.metrics['mAP@0.5'] < 1 and other.counts['predictions_in_other_videos'] == 1


def test_boxes_that_coincide_are_two_and_are_told(score):
    tubes = {'v0': {0: [[[1, 0, 0, 10, 10], [2, 0, 0, 10, 10]], [[2, 0, 0, 10, 10]]]}}
    result = score(tubes, ROWS[:2], *ACT)
    assert result.counts['ground_truths'] == 3
    assert result.notes == ['1 boxes of the ground truth lie exactly on another of their class and frame']


def test_the_order_of_rows_and_tubes_does_not_matter(score):
    rng = np.random.default_rng(0)
    rows = [
        (int(v), int(f), int(c), s / 4, int(x), 0, int(x) + 10, 10)
        for v, f, c, s, x in rng.integers(0, [2, 4, 3, 4, 12], (80, 5))
    ]
    tubes = [
        (f'v{v}', c, [[int(f), float(x), 0.0, x + 10.0, 10.0]])
        for v, f, c, x in rng.integers(0, [2, 4, 3, 12], (30, 4))
    ]
    results = []
    for _ in range(3):
        truth = {'v0': {}, 'v1': {}}
        for place in rng.permutation(len(tubes)):
            video, label, tube = tubes[place]
            if tube not in truth[video].setdefault(int(label), []):
                truth[video][int(label)].append(tube)
        results.append(score(truth, [rows[place] for place in rng.permutation(len(rows))], *ACT, '--skip'))
    assert 0 < results[0].metrics['mAP@0.5'] < 1
    assert all(result.metrics == results[0].metrics and result.tables == results[0].tables for result in results)


@pytest.mark.parametrize(
    ('tubes', 'rows', 'options', 'cause'),
    [
        ({}, ROWS, ACT, 'gt.pkl: has no ground truth'),
        ({'v0': {9: TUBES['v0'][0]}}, ROWS, ACT, r"gt.pkl: gttubes\['v0'\]\[9\]\[0\]: the label is none of 3"),
        (TUBES, [*ROWS, (0, 1, 3, 0.5, 0, 0, 1, 1)], ACT, 'found.csv: line 4: the label is none of 3'),
        (TUBES, [*ROWS, (0, 1, 1, float('nan'), 0, 0, 1, 1)], ACT, 'found.csv: line 4: the score is not'),
        (TUBES, [*ROWS, (7, 1, 1, 0.5, 0, 0, 1, 1)], ACT, 'found.csv: line 4: there is no such video'),
        (TUBES, ROWS, (*ACT, '--split', '3'), 'there is no split 3'),
        (TUBES, ROWS, (*ACT, '--iou', '0'), '--iou must lie in'),
    ],
)
def test_what_is_wrong_is_named(score, tubes, rows, options, cause):
    with pytest.raises(InputError, match=cause):
        score(tubes, rows, *options)


def literal_act(tubes, rows, labels, threshold=0.5):
    """The frame AP of the ACT scripts, by their words, in float64."""
    aps = []
    for label in range(len(labels)):
        boxes = {}
        for video, by_class in tubes.items():
            for tube in by_class.get(label, []):
                for frame, *box in tube:
                    boxes.setdefault((int(video[1:]), frame), []).append(box)
        total, right, points = sum(map(len, boxes.values())), 0, [(1.0, 0.0)]
        if not total:
            continue
        found = sorted((row for row in rows if row[2] == label), key=lambda row: -row[3])
        for number, (video, frame, _, _, *box) in enumerate(found, 1):
            here = boxes.get((video, frame), [])
            ious = []
            for other in here:
                width = min(box[2], other[2]) - max(box[0], other[0]) + 1
                height = min(box[3], other[3]) - max(box[1], other[1]) + 1
                both = max(width, 0) * max(height, 0)
                areas = [(one[2] - one[0] + 1) * (one[3] - one[1] + 1) for one in (box, other)]
                ious.append(both / (sum(areas) - both))
            if ious and max(ious) >= threshold:
                here.pop(ious.index(max(ious)))
                right += 1
            points.append((right / number, right / total))
        pairs = pairwise(points)
        aps.append(sum((after[1] - before[1]) * (after[0] + before[0]) / 2 for before, after in pairs))
    return sum(aps) / len(aps)


def draw(rng):
    tubes = {'v0': {}, 'v1': {}}
    rows = []
    for _ in range(25):
        video, label, first = int(rng.integers(2)), int(rng.integers(3)), int(rng.integers(1, 6))
        corner = rng.integers(0, 1280, 2) / 64  # exact in float32
        tube = [[frame, *map(float, [*corner, *(corner + 10)])] for frame in range(first, first + 3)]
        tubes[f'v{video}'].setdefault(label, []).append(tube)
        for frame, *box in tube:
            near = np.array(box) + rng.uniform(-3, 4, (int(rng.integers(3)), 1))  # no two with one IoU
            rows += [(video, frame, label, float(rng.random()), *one) for one in near.tolist()]
    return tubes, rows


def test_act_is_what_a_literal_loop_gives(score):
    rng = np.random.default_rng(5)
    for _ in range(10):
        tubes, rows = draw(rng)
        result = score(tubes, rows, *ACT)
        assert result.metrics['mAP@0.5'] == pytest.approx(literal_act(tubes, rows, LABELS), abs=1e-12)
        evidence = result.evidence
        ap = average_precision(
            evidence.hits, evidence.labels, np.bincount(evidence.gt_labels, minlength=3), integration='trapezoid'
        )
        assert mean_over_classes(ap).mean() == result.metrics['mAP@0.5'] == result.metrics[evidence.metric]


def test_multisports_is_what_mmaction2_gives(score):
    frame_ap = pytest.importorskip('mmaction.evaluation.functional.multisports_utils').frameAP
    rng = np.random.default_rng(6)
    for _ in range(10):
        tubes, rows = draw(rng)
        rows = [row if row[2] != 2 else (*row[:2], 1, *row[3:]) for row in rows]  # a class without a detection
        truth = {
            'labels': LABELS,
            'test_videos': [['v0', 'v1']],
            'gttubes': {v: {c: [np.array(t) for t in ts] for c, ts in by.items()} for v, by in tubes.items()},
        }
        theirs = frame_ap(truth, np.array(rows), 0.5, print_info=False)
        assert 100 * score(tubes, rows, *MULTISPORTS).metrics['mAP@0.5'] == pytest.approx(theirs, abs=1e-9)


def test_mmaction2s_sample_has_its_known_figure(score, shared_data):
    folder = shared_data / 'eval' / 'mmaction2_tests' / 'eval_multisports'
    files = str(folder / 'gt.pkl'), str(folder / 'detections_flat.csv')
    result = score({}, [], *MULTISPORTS, files=files)
    assert round(100 * result.metrics['mAP@0.5'], 4) == 83.6506
    assert result.tables['worst']['x1'][0] is not None and result.tables['worst']['time_s'][0] is None
    assert score({}, [], *ACT, files=files).metrics['mAP@0.5'] < result.metrics['mAP@0.5']


def test_the_tool_needs_a_convention(run_tool, shared_data):
    folder = shared_data / 'eval' / 'mmaction2_tests' / 'eval_multisports'
    files = ['--gt', folder / 'gt.pkl', '--pred', folder / 'detections_flat.csv']
    without = run_tool('tools/evaluate.py', 'frame-map', *files)
    assert without.returncode == 2 and '--convention' in without.stderr
    done = run_tool('tools/evaluate.py', 'frame-map', *files, *MULTISPORTS)
    assert done.returncode == 0 and '83.6506' in done.stdout, done.stderr
