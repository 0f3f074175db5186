import numpy as np
import pytest

from mmtube.errors import InputError
from mmtube.evaluation.tables import BoxTable, SegmentTable, TubeTable, align, video_counts


def segments(videos, video, scores=None, segments_s=None, **more):
    rows = len(video)
    spans = np.tile([0.0, 1.0], (rows, 1)) if segments_s is None else np.asarray(segments_s, np.float64)
    scores = None if scores is None else np.asarray(scores, np.float64)
    return SegmentTable(videos, np.asarray(video), np.zeros(rows, np.int64), scores, segments_s=spans, **more)


def test_videos_are_numbered_alike_and_by_name():
    truth, found = align(segments(['b', 'a'], [0, 1]), segments(['c', 'b'], [0, 1, 1], [0.1, 0.2, 0.3]))
    assert truth.videos == found.videos == ['a', 'b', 'c']
    assert truth.video.tolist() == [1, 0]
    assert found.video.tolist() == [2, 1, 1]


def test_durations_go_with_their_videos():
    truth, _ = align(segments(['b', 'a'], [0], durations_s=np.array([20.0, 10.0])), segments(['c'], []))
    assert truth.durations_s[:2].tolist() == [10.0, 20.0]
    assert np.isnan(truth.durations_s[2])


def test_counts_tell_who_was_missed_and_what_was_made_up():
    truth, found = align(segments(['a', 'b', 'empty'], [0, 0, 1]), segments(['a', 'z'], [0, 1, 1], [0.5, 0.6, 0.7]))
    assert video_counts(truth, found) == {
        'videos': 2,
        'videos_without_predictions': 1,
        'ground_truths': 3,
        'predictions': 3,
        'predictions_in_other_videos': 2,
    }


def test_no_ground_truth_is_refused():
    with pytest.raises(InputError, match=r'gt\.json: has no ground truth'):
        align(segments(['a'], [], name='gt.json'), segments(['a'], [0], [0.5]))


def test_files_that_have_no_video_in_common_are_refused():
    with pytest.raises(InputError, match=r"pred\.json: no video of it is in gt\.json .*'v_a'.*'a'"):
        align(segments(['a'], [0], name='gt.json'), segments(['v_a'], [0], [0.5], name='pred.json'))


def test_a_video_that_is_listed_without_predictions_is_no_overlap():
    with pytest.raises(InputError, match='no video of it'):
        align(segments(['a'], [0]), segments(['a', 'z'], [1], [0.5]))


def test_no_predictions_at_all_are_legal():
    truth, found = align(segments(['a'], [0]), segments([], [], []))
    assert video_counts(truth, found)['videos_without_predictions'] == 1


def test_a_selected_row_still_knows_where_it_stood():
    table = segments(['a'], [0, 0, 0], [0.1, 0.2, np.nan], name='f', place=lambda row: f'line {row + 1}')
    kept = table.rows(np.array([False, True, True])).rows(np.array([1]))
    with pytest.raises(InputError, match='f: line 3: the score is not a finite number'):
        kept.check(1)


def test_the_number_of_other_faulty_rows_is_told():
    with pytest.raises(InputError, match=r'row 1: the label is none of 1 classes \(and 1 more\)'):
        SegmentTable(['a'], np.zeros(3, int), np.array([0, 1, -1]), segments_s=np.tile([0.0, 1.0], (3, 1))).check(1)


@pytest.mark.parametrize(
    ('span', 'cause'), [((1, 1), 'does not end'), ((2, 1), 'does not end'), ((0, np.inf), 'not a finite')]
)
def test_a_segment_that_is_none_is_refused(span, cause):
    with pytest.raises(InputError, match=f'row 1: .*{cause}'):
        segments(['a'], [0, 0], segments_s=[(0, 1), span]).check(1)


@pytest.mark.parametrize(('box', 'cause'), [((0, 0, np.nan, 1), 'not a finite'), ((3, 0, 2, 1), 'reversed')])
def test_a_box_that_is_none_is_refused(box, cause):
    table = BoxTable(['a'], np.zeros(1, int), np.zeros(1, int), frames=np.zeros(1, int), boxes=np.array([box], float))
    with pytest.raises(InputError, match=f'row 0: .*{cause}'):
        table.check(1)


def tubes(*frames):
    offsets = np.r_[0, np.cumsum([len(rows) for rows in frames])].astype(np.int64)
    flat = np.array([frame for rows in frames for frame in rows], np.int64)
    boxes_px = np.tile([0.0, 0.0, 2.0, 2.0], (len(flat), 1)) + flat[:, None]
    ids = np.zeros(len(frames), np.int64)
    return TubeTable(['a'], ids, ids, offsets=offsets, frames=flat, boxes_px=boxes_px)


def test_selected_tubes_take_their_boxes_along():
    kept = tubes([1, 2], [5], [7, 8, 9]).rows(np.array([2, 0]))
    assert kept.offsets.tolist() == [0, 3, 5]
    assert kept.frames.tolist() == [7, 8, 9, 1, 2]
    assert kept.boxes_px[:, 0].tolist() == [7, 8, 9, 1, 2]


@pytest.mark.parametrize(
    ('frames', 'row', 'cause'),
    [(([1], []), 1, 'no box'), (([1, 2], [4, 4]), 1, 'do not increase'), (([2, 1], [5]), 0, 'do not increase')],
)
def test_a_tube_that_is_none_is_refused(frames, row, cause):
    with pytest.raises(InputError, match=f'row {row}: .*{cause}'):
        tubes(*frames).check(1)


def test_a_tube_may_begin_before_the_one_before_it_in_the_table_ends():
    tubes([5, 6], [1, 2]).check(1)


def test_columns_of_two_lengths_are_no_table():
    with pytest.raises(ValueError, match='must have one length'):
        segments(['a'], [0, 0], [0.5])


def test_numbers_whose_lengths_would_overflow_are_refused():
    one = np.zeros(1, np.int64)
    segments = SegmentTable(['a'], one, one, segments_s=np.array([[-1e308, 1e308]]), name='s.json')
    boxes = BoxTable(['a'], one, one, frames=one, boxes=np.array([[0, 0, 1e200, 1e200]]), name='b.csv')
    tubes = TubeTable(['a'], one, one, offsets=[0, 1], frames=one, boxes_px=[[0, 0, 1e200, 1]], name='t.pkl')
    for table, cause in (
        (segments, 'a time is beyond 1e'),
        (boxes, 'a coordinate is beyond'),
        (tubes, 'a coordinate is'),
    ):
        with pytest.raises(InputError, match=f'{table.name}: row 0: {cause}'):
            table.check(1)


def test_videos_that_only_were_predicted_are_numbered_by_name_too():
    truth = segments(['b'], [0])
    for names, video in ((['z', 'b', 'c'], [0, 1, 2]), (['c', 'z', 'b'], [1, 2, 0])):
        _, found = align(truth, segments(names, video, [0.3, 0.2, 0.1]))
        assert found.videos == ['b', 'c', 'z'] and found.video.tolist() == [2, 0, 1]
