import numpy as np
import pytest

from mmtube.evaluation.scoring.suspicions import odd_boxes, odd_times
from mmtube.evaluation.tables import BoxTable, SegmentTable


def segments(spans, scores=None, durations_s=None):
    rows = np.zeros(len(spans), np.int64)
    return SegmentTable(['a'], rows, rows, scores, segments_s=np.reshape(spans, (-1, 2)), durations_s=durations_s)


TRUTH = segments([(10, 20), (30, 50)], durations_s=[60.0])


@pytest.mark.parametrize(
    ('spans', 'told'),
    [
        ([(10, 20), (30, 50)], None),
        ([(250, 500), (750, 1250)], '2 of 2 predictions begin after the end of their video: are they frames'),
        ([(0.17, 0.33), (0.5, 0.83)], 'are they fractions'),
        ([(10, 20), (250, 500)], None),  # one slip is no other unit
        ([], None),
    ],
)
def test_segments_in_another_unit_are_told(spans, told):
    notes = odd_times(TRUTH, segments(spans, np.ones(len(spans))))
    assert notes == [] if told is None else told in notes[0]


def test_without_durations_a_late_segment_is_no_sign():
    assert odd_times(segments([(10, 20)]), segments([(250, 500)], [0.5])) == []


def boxes(coordinates, frames=(1,), scores=None):
    rows = np.zeros(len(coordinates), np.int64)
    return BoxTable(['a'], rows, rows, scores, frames=list(frames), boxes=np.reshape(coordinates, (-1, 4)))


PX, FRACTIONS = [(20, 30, 90, 200)], [(0.1, 0.2, 0.5, 1.02)]


@pytest.mark.parametrize(
    ('truth', 'found', 'told'),
    [
        (boxes(PX), boxes(PX, scores=[1.0]), None),
        (boxes(FRACTIONS), boxes(FRACTIONS, scores=[1.0]), None),
        (boxes(PX), boxes(FRACTIONS, scores=[1.0]), 'are fractions, those of the ground truth pixels'),
        (boxes(FRACTIONS), boxes(PX, scores=[1.0]), 'are pixels, those of the ground truth fractions'),
        (boxes(PX), boxes(PX, frames=[25], scores=[1.0]), 'no prediction is in a frame that has ground truth'),
        (boxes(PX), boxes([], frames=[], scores=[]), None),
    ],
)
def test_boxes_in_another_unit_and_frames_counted_otherwise_are_told(truth, found, told):
    notes = odd_boxes(truth, found)
    assert notes == [] if told is None else told in notes[0]
