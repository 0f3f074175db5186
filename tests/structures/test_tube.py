import numpy as np
import pytest

from mmtube.structures import FrameDetections, Segment, StageReport, Tube, TubeletRows, VideoInfo, VideoResult

BOX = [0, 0, 4, 8]


def tube(track_id=1, frames=(0, 1, 2), **kwargs):
    frames = list(frames)
    return Tube(track_id, frames, [f / 25 for f in frames], [BOX] * len(frames), **kwargs)


def test_a_tube_fills_in_its_columns():
    made = tube(7)
    assert made.scores.tolist() == [1, 1, 1] and made.scores.dtype == np.float32
    assert made.observed.tolist() == [True] * 3
    assert made.tubelet_ids.tolist() == [7, 7, 7]
    assert made.boxes_px.dtype == np.float32 and made.frame_inds.dtype == np.int64
    assert (len(made), made.start_s, made.end_s) == (3, 0.0, 0.08)


def test_the_mean_score_is_of_what_was_seen():
    made = tube(scores=[0.5, 0.1, 0.9], observed=[True, False, True])
    assert made.mean_score == pytest.approx(0.7)
    assert tube(observed=[False] * 3).mean_score == 0.0


@pytest.mark.parametrize(
    'change, message',
    [
        ({'track_id': -1}, 'track_id'),
        ({'frames': (0, 2, 2)}, 'strictly increasing'),
        ({'frames': (-1, 0, 1)}, '>= 0'),
        ({'scores': [1.0]}, r'scores must have shape \(3,\)'),
        ({'clip_times_s': [0.5], 'clip_scores': np.zeros((2, 3))}, 'clip_scores'),
    ],
)
def test_a_tube_that_cannot_be_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        tube(**change)


@pytest.mark.parametrize('box', [[4, 0, 4, 8], [0, 8, 4, 0], [0, 0, np.nan, 8], [0, 0, np.inf, 8]])
def test_a_box_without_area_is_refused(box):
    with pytest.raises(ValueError, match='no area'):
        Tube(1, [0], [0.0], [box])


def test_rows_are_selected_together():
    part = tube(scores=[0.1, 0.2, 0.3]).rows(np.array([False, True, True]))
    assert part.frame_inds.tolist() == [1, 2]
    assert part.scores.tolist() == pytest.approx([0.2, 0.3])


def test_tubes_are_joined_in_the_order_of_time_and_keep_their_tubelet_ids():
    late = tube(2, (10, 11), embedding=[0.0, 1.0], segments=[Segment(0.4, 0.44, 3)])
    early = tube(1, (0, 1, 2), embedding=[1.0, 0.0], clip_times_s=[0.0], clip_scores=[[0.5]])
    joined = Tube.concatenate([late, early], track_id=1)
    assert joined.frame_inds.tolist() == [0, 1, 2, 10, 11]
    assert joined.tubelet_ids.tolist() == [1, 1, 1, 2, 2]
    np.testing.assert_allclose(joined.embedding, np.array([3, 2]) / np.sqrt(13), rtol=1e-6)  # weighted by length
    assert joined.segments == late.segments and joined.clip_scores.tolist() == [[0.5]]


def test_tubes_that_share_a_frame_cannot_be_joined():
    with pytest.raises(ValueError, match='strictly increasing'):
        Tube.concatenate([tube(1, (0, 1)), tube(2, (1, 2))], track_id=1)


@pytest.mark.parametrize(
    'values, message',
    [
        ((2.0, 1.0, 0), 'before it starts'),
        ((0.0, np.nan, 0), 'not finite'),
        ((0.0, 1.0, -1), 'negative label'),
        ((0.0, 1.0, 0, 1.0, 'compound'), 'task must be one of'),
    ],
)
def test_a_segment_that_cannot_be_is_refused(values, message):
    with pytest.raises(ValueError, match=message):
        Segment(*values)


def test_a_segment_without_length_is_allowed():
    assert Segment(1.0, 1.0, 0).duration_s == 0.0


def test_a_stage_that_did_not_run_says_why():
    with pytest.raises(ValueError, match='reason'):
        StageReport('linker', 'skipped')
    with pytest.raises(ValueError, match='state'):
        StageReport('linker', 'done')


def test_a_label_without_a_name_is_called_by_its_number():
    result = VideoResult(VideoInfo('f.mp4', 4, 8, 25.0, 3, 0.12), label_maps={'atomic': ['walk']})
    assert (result.label_name('atomic', 0), result.label_name('atomic', 5)) == ('walk', 'atomic 5')


def test_detections_are_selected_with_their_features():
    found = FrameDetections(3, 0.12, [BOX, BOX], [0.9, 0.5], np.eye(2))
    kept = found[np.array([1])]
    assert (len(kept), kept.frame_ind, kept.scores.tolist(), kept.features.tolist()) == (1, 3, [0.5], [[0.0, 1.0]])
    with pytest.raises(ValueError, match='2 boxes but 1 scores'):
        FrameDetections(0, 0.0, [BOX, BOX], [0.9])


def test_rows_and_times_of_a_tubelet_agree():
    with pytest.raises(ValueError, match='2 times'):
        TubeletRows(1, [0.0, 0.1], np.zeros((3, 4)))
