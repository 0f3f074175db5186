"""Rules over columns: what they tell, and what they must not take for a fault."""

import numpy as np
import pytest

from mmtube.apis.dataset_check.box_rules import box_findings
from mmtube.apis.dataset_check.columns import Boxes, Frames, Keys, Labels, Times
from mmtube.apis.dataset_check.label_rules import duplicate_findings, label_findings
from mmtube.apis.dataset_check.report import Check, DatasetReport
from mmtube.apis.dataset_check.time_rules import frame_findings, time_findings
from mmtube.structures.seal import Finding


def place(row):
    return f'row {row}'


def labels(values, names=(0, 1, 2, 3)):
    column = Labels('f', place, np.array(values, np.int64), {label: f'class {label}' for label in names})
    return [(finding.rule, finding.row) for finding in label_findings(column)]


def test_labels_within_the_classes_are_fine():
    assert labels([0, 3, 2, 1]) == [] and labels([]) == [] and labels([1, 2]) == []


def test_labels_one_too_high_need_the_label_after_the_last():
    assert labels([2, 1, 4]) == [('label-offset', 'row 2')]
    assert labels([2, 0, 4]) == [('unknown-label', 'row 2')]  # 0 has no place one lower: it is not an offset
    assert labels([2, 1, 9]) == [('unknown-label', 'row 2')]


def test_labels_one_too_low():
    assert labels([3, 0, 2], (1, 2, 3, 4)) == [('label-offset', 'row 1')]
    assert labels([-1, 2]) == [('label-offset', 'row 0')]


def test_labels_of_a_list_with_gaps():
    assert labels([12, 17], (12, 17)) == [] and labels([12, 13], (12, 17)) == [('unknown-label', 'row 1')]
    assert labels([13], (12, 17)) == [('unknown-label', 'row 0')]  # 18 would have to be there too
    assert labels([13, 18], (12, 17)) == [('label-offset', 'row 0')]


def test_a_class_at_the_end_that_alone_never_occurs_is_a_hint():
    assert labels([1, 2, 3]) == [('first-class-unused', 'row 0')]
    assert labels([2, 1, 0]) == [('last-class-unused', 'row 0')]


def boxes(rows, size=(320, 240), **options):
    rows = np.array(rows, np.float64).reshape(-1, 4)
    sizes = np.tile(np.array(size, np.float64), (len(rows), 1))
    return [(finding.rule, finding.row) for finding in box_findings(Boxes('f', place, rows, sizes, **options))]


def test_boxes_that_reach_over_the_edge_by_rounding_are_fine():
    assert boxes([[-1, 0, 30, 60], [300, 180, 321, 241.5]]) == [] and boxes([]) == []


@pytest.mark.parametrize(
    'box, rule',
    [
        ([np.nan, 0, 1, 1], 'box-not-a-number'),
        ([0.1, 0.1, 0.3, 0.9], 'normalised-for-pixel'),
        ([100, 100, 20, 80], 'xywh-for-xyxy'),
        ([300, 100, 200, 80], 'box-reversed'),
        ([330, 10, 350, 60], 'box-outside-picture'),
        ([20, 10, 20, 60], 'box-without-area'),
    ],
)
def test_a_wrong_box_among_right_ones_is_named(box, rule):
    assert boxes([[10, 20, 30, 80]] * 3 + [box]) == [(rule, 'row 3')]


def test_a_single_box_far_over_the_edge_is_no_swap():
    assert boxes([[200, 20, 300, 80]] * 9 + [[100, 200, 120, 300]]) == []


def test_swapped_boxes_need_all_others_to_fit_when_swapped_too():
    upright = [[10, 20, 30, 80], [100, 250, 160, 270]]
    assert boxes(upright) == [('swapped-axes', 'row 1')]


def test_boxes_in_fractions_that_are_pixels():
    assert boxes([[32, 24, 96, 200]], fractions=True) == [('pixel-for-normalised', 'row 0')]
    assert boxes([[0.1, 0.1, 1.005, 0.9]], fractions=True) == []


def test_boxes_of_unknown_pictures_are_compared_with_none():
    assert boxes([[1000, 20, 3000, 80]], size=(np.nan, np.nan)) == []


def test_twenty_people_lying_down_are_a_hint_and_nineteen_are_not():
    assert boxes([[10, 20, 90, 40]] * 20) == [('people-lying-down', 'row 0')] and boxes([[10, 20, 90, 40]] * 19) == []


def times(rows, films=None, duration=20.0, fps=25.0, **options):
    spans = np.array(rows, np.float64).reshape(-1, 2)
    films = np.zeros(len(spans), np.int64) if films is None else np.array(films)
    column = Times(
        'f', place, spans, films, np.full(len(spans), duration), np.full(len(spans), fps, np.float64), **options
    )
    return [(finding.rule, finding.row) for finding in time_findings(column)]


def test_times_within_the_film_are_fine():
    assert times([[0, 20], [3, 20.4]]) == [] and times([]) == []


@pytest.mark.parametrize(
    'row, rule',
    [
        ([4, np.inf], 'time-not-a-number'),
        ([4, 3], 'segment-reversed'),
        ([4, 4], 'segment-without-length'),
        ([100, 500], 'frames-for-seconds'),  # 4 to 20 s at 25 fps
        ([1000, 20000], 'milliseconds-for-seconds'),  # 40 s at 25 fps would be too long
        ([100, 50000], 'time-beyond-film'),
        ([-1, 5], 'time-before-film'),
    ],
)
def test_a_wrong_time_among_right_ones_is_named(row, rule):
    assert times([[1, 5]] * 20 + [row]) == [(rule, 'row 20')]


def test_key_times_from_900_are_those_of_ava_and_no_frames():
    assert times([[902, 902], [915, 915]], moments=True) == [('time-offset', 'row 0')]
    assert times([[902, 902], [915, 915]]) != [('time-offset', 'row 0')]


def test_seconds_that_were_divided_by_the_rate_fill_the_films_when_multiplied():
    tiny = [[0.04, 0.5], [0.2, 0.72], [0.1, 0.6], [0.3, 0.7]]  # 1 to 18 s at 25 fps
    assert times(tiny, films=[0, 0, 1, 1]) == [('seconds-for-frames', 'row 0')]
    assert times([*tiny, [3, 4]], films=[0, 0, 1, 1, 1]) == []  # one later action, and they are seconds
    assert times(tiny) == []  # one film may have its actions at the beginning
    assert times([[0.01, 0.1], [0.1, 0.2], [0.02, 0.1]], films=[0, 1, 1]) == []  # they would not fill the films


def frames(values, counts=10):
    values = np.array(values, np.float64)
    column = Frames('f', place, values, np.zeros(len(values), np.int64), np.full(len(values), counts))
    return [(finding.rule, finding.row) for finding in frame_findings(column)]


def test_frames_from_1_to_the_last_are_fine():
    assert frames([1, 5, 10]) == []


def test_frames_from_0_or_2_are_an_offset():
    assert frames([3, 0, 9]) == [('frame-offset', 'row 1')] and frames([2, 11]) == [('frame-offset', 'row 1')]


def test_frames_beyond_the_film():
    assert frames([1, 15]) == [('frame-beyond-film', 'row 1')] and frames([-4, 3]) == [('frame-before-film', 'row 0')]
    assert frames([1, 2.5]) == [('seconds-for-frames', 'row 1')]


def test_the_second_of_two_equal_rows_is_named_with_the_first():
    column = Keys('f', place, np.array([[1, 2.0], [3, 4], [1, 2.5], [3, 4]]))
    (finding,) = duplicate_findings(column)
    assert finding.row == 'row 3' and 'the same row as row 1' in finding.cause and '1 of 4' in finding.cause
    assert not list(duplicate_findings(Keys('f', place, np.array([1, 2, 3]))))


def test_the_report_begins_with_the_verdict_and_shows_few_lines():
    findings = [Finding('f', f'row {row}', 'label-offset', 'is wrong') for row in range(9)]
    report = DatasetReport('the val data set', [Check('labels', '9', findings), Check('boxes', '3 in f')])
    lines = report.text().splitlines()
    assert lines[0] == 'FOUND: the val data set: f: row 0: is wrong [label-offset] (and 8 more below)'
    assert lines[2].split() == ['labels', 'FOUND', '9'] and lines[7].strip() == 'and 5 more'
    assert lines[8].split() == ['boxes', 'ok', '3', 'in', 'f']
    assert not report.ok and DatasetReport('x', [Check('labels', '')]).ok


def test_the_verdict_is_the_finding_that_explains_the_others():
    rules = ('empty', 'not-100', 'record')
    report = DatasetReport('x', [Check('a', '', [Finding('f', 'row', rule, f'{rule} found') for rule in rules])])
    assert report.verdict() == 'FOUND: x: f: row: record found [record] (and 2 more below)'


def test_a_verdict_without_findings_tells_that_there_are_hints():
    hints = [Finding('f', 'row', 'people-lying-down', 'odd')]
    assert DatasetReport('x', [Check('a', '', [], hints)], {'m': 1.0}).verdict() == (
        'OK: x: a perfect model scores 100.0000 (1 hint below)'
    )
