from dataclasses import replace

import numpy as np
import pytest

from mmtube.evaluation.functional.tube_errors import ERROR_KINDS, tube_errors
from mmtube.evaluation.functional.video_tubes import CONVENTIONS, canonical_truth, match_tubes
from mmtube.evaluation.tables import TubeTable

MULTISPORTS = CONVENTIONS['multisports']
BOX = (0, 0, 10, 10)
pytestmark = pytest.mark.filterwarnings('ignore:Conversion of an array:DeprecationWarning')  # of mmaction


def table(tubes):
    """Table of (video, label, score, first frame, boxes)."""
    lengths = [len(tube[4]) for tube in tubes]
    frames = [tube[3] + np.arange(len(tube[4])) for tube in tubes]
    return TubeTable(
        ['a', 'b'],
        np.array([tube[0] for tube in tubes], np.int64),
        np.array([tube[1] for tube in tubes], np.int64),
        np.array([tube[2] for tube in tubes], float),
        offsets=np.cumsum([0, *lengths]),
        frames=np.concatenate([np.zeros(0, np.int64), *frames]),
        boxes_px=np.concatenate([np.zeros((0, 4)), *(np.asarray(tube[4], float) for tube in tubes)]),
    )


def kinds(truth, found, threshold=0.25, convention=MULTISPORTS):
    truth, found = canonical_truth(replace(table(truth), scores=None), convention), table(found)
    matches = match_tubes(truth, found, convention, np.array([threshold]))
    hits = np.zeros(len(found), bool)
    hits[matches.order] = matches.matched[0] >= 0
    return [ERROR_KINDS[kind] for kind in tube_errors(truth, found, hits, threshold, convention)]


def tube(first, last, box=BOX):
    return first, [box] * (last - first + 1)


# The threshold 0.25 asks for an overlap of 0.5 in time and of 0.5 in space. The truth is 101 frames of 10 x 10 pixels.
TRUTH = [(0, 0, 1.0, *tube(0, 100))]
QUARTER = (0, 0, 5, 5)


@pytest.mark.parametrize(
    ('label', 'where', 'kind'),
    [
        (0, tube(0, 100), 'found'),
        (1, tube(0, 100), 'class'),
        (0, tube(0, 100, (0, 0, 10, 2)), 'localisation'),  # time 1, place 0.2
        (0, tube(0, 20), 'timing'),  # time 0.2, place 1
        (0, tube(0, 40, QUARTER), 'timing + localisation'),  # time 0.4, place 0.25
        (1, tube(0, 100, (0, 0, 10, 2)), 'class + localisation'),
        (1, tube(0, 20), 'class + timing'),
        (1, tube(0, 40, QUARTER), 'class + timing + localisation'),
        (0, tube(0, 100, (50, 50, 60, 60)), 'extra'),
        (0, tube(200, 300), 'extra'),
        (0, tube(100, 300), 'extra'),  # shares the last frame: no time in this convention
    ],
)
def test_what_is_wrong_is_told_by_time_place_and_class(label, where, kind):
    assert kinds(TRUTH, [(0, label, 0.9, *where)]) == [kind]


def test_the_second_that_overlaps_enough_is_a_repeat():
    assert kinds(TRUTH, [(0, 0, 0.8, *tube(0, 90)), (0, 0, 0.9, *tube(0, 100))]) == ['repeat', 'found']


def test_a_repeat_comes_before_another_class_and_another_class_before_a_near_miss():
    other = [*TRUTH, (0, 1, 1.0, *tube(0, 99))]
    assert kinds(other, [(0, 0, 0.9, *tube(0, 100)), (0, 0, 0.8, *tube(0, 100))]) == ['found', 'repeat']
    near = [(0, 0, 1.0, *tube(0, 20)), (0, 1, 1.0, *tube(0, 100))]
    assert kinds(near, [(0, 0, 0.9, *tube(0, 100))]) == ['class']


def test_of_two_truths_alike_that_of_the_own_class_tells_what_is_wrong():
    both = [(0, 0, 1.0, *tube(0, 100)), (0, 1, 1.0, *tube(0, 100))]
    assert kinds(both, [(0, 1, 0.9, *tube(0, 20))]) == ['timing']


def test_a_video_without_truth_has_extras_only():
    assert kinds(TRUTH, [(1, 0, 0.9, *tube(0, 100))]) == ['extra']


def test_a_miss_by_rounding_is_one_of_place():
    # The next number above 0.25 has the root 0.5, which time (50 / 100) and place (5 / 10) both reach.
    half = [(0, 0, 0.9, *tube(0, 50, (0, 0, 10, 5)))]
    assert kinds(TRUTH, half, 0.25) == ['found']
    assert kinds(TRUTH, half, np.nextafter(0.25, 1)) == ['localisation']


def test_no_detections_are_no_errors():
    assert kinds(TRUTH, []) == []


def literal(truth, found, threshold):
    """What the MultiSports script counts, detection by detection in the order of the scores."""
    upstream = pytest.importorskip('mmaction.evaluation.functional.multisports_utils')

    def rows(tube):
        boxes = np.asarray(tube[4], float)
        return np.column_stack([tube[3] + np.arange(len(boxes)), boxes])

    root, used, told = np.sqrt(threshold), set(), [''] * len(found)
    for place in sorted(range(len(found)), key=lambda place: -found[place][2]):
        video, label = found[place][:2]
        here = [number for number, gt in enumerate(truth) if gt[0] == video]
        ious = {number: upstream.iou3dt_voc(rows(truth[number]), rows(found[place])) for number in here}
        same = [number for number in here if truth[number][1] == label]
        best = max(same, key=lambda number: ious[number], default=None)
        if best is not None and ious[best] >= threshold:
            told[place] = 'repeat' if best in used else 'found'
            used.add(best)
            continue
        if any(ious[number] >= threshold for number in here if truth[number][1] != label):
            told[place] = 'class'
            continue
        best = max(here, key=lambda number: ious[number], default=None)
        if best is None or not ious[best] > 0:
            told[place] = 'extra'
            continue
        pair = rows(truth[best]), rows(found[place])
        in_time = upstream.iou3dt_voc(*pair, temporalonly=True) >= root
        in_place = upstream.iou3dt_voc(*pair, spatialonly=True) >= root
        wrong = ['localisation'] if in_time else ['timing'] if in_place else ['timing', 'localisation']
        told[place] = ' + '.join(['class'] * (truth[best][1] != label) + wrong)
    return told


@pytest.mark.parametrize('seed', range(15))
def test_each_detection_is_what_the_script_says(seed):
    rng = np.random.default_rng(seed)

    def some(scores):
        tubes = []
        for score in scores:
            corner = rng.random(2) * 8
            box = np.concatenate([corner, corner + 10 + rng.random(2) * 4])
            boxes = box + rng.random((rng.integers(2, 15), 4)) * 2
            tubes.append((int(rng.integers(2)), int(rng.integers(3)), score, int(rng.integers(1, 9)), boxes))
        return tubes

    truth, found = some(np.ones(10)), some(rng.random(60))
    threshold = float(rng.choice([0.2, 0.3, 0.5]))
    told = kinds(truth, found, threshold)
    assert told == literal(truth, found, threshold)
    assert len(set(told)) >= 5
