import numpy as np

from mmtube.evaluation.scoring.columns import longest_first, optional, worst_segments
from mmtube.evaluation.tables import SegmentTable

SPANS = np.array([[0.0, 2.0], [5.0, 9.0], [1.0, 3.0], [1.0, 3.0]])
TABLE = SegmentTable(['a', 'b'], [1, 0, 0, 0], [0, 0, 1, 0], segments_s=SPANS)


def test_the_longest_comes_first_and_equal_ones_by_video_start_and_class():
    assert longest_first(TABLE, np.arange(4)).tolist() == [1, 3, 2, 0]
    assert longest_first(TABLE, np.array([2, 0])).tolist() == [2, 0]


def test_a_case_is_shown_at_its_middle_with_the_film_and_box_where_they_are_known():
    parts = [(TABLE, np.array([1]), lambda row: f'missed {row}')]
    table = worst_segments(parts, ['run', 'jump'])
    assert table['text'] == ['missed 1: run, 5.0 to 9.0 s'] and table['time_s'] == [7.0] and table['x1'] == [None]
    located = worst_segments(parts, ['run', 'jump'], lambda video, time_s: ('film', 1.0, 2.0, 3.0, time_s))
    assert located['text'] == ['missed 1: run, 5.0 to 9.0 s in a'] and located['video'] == ['film']
    assert [located[name] for name in ('x1', 'y1', 'x2', 'y2')] == [[1.0], [2.0], [3.0], [7.0]]


def test_no_number_is_none():
    assert optional(np.array([0.5, np.nan])) == [0.5, None]
