from __future__ import annotations

import numpy as np
import pytest

from mmtube.structures import Segment, Tube, VideoInfo, VideoResult
from mmtube.visualization.lanes import lanes, presence, shot_changes_s


def tube(frame_inds, **kwargs) -> Tube:
    frame_inds = np.asarray(frame_inds)
    return Tube(1, frame_inds, frame_inds / 10, np.tile([0.0, 0, 4, 8], (len(frame_inds), 1)), **kwargs)


def result(*tubes, **kwargs) -> VideoResult:
    names = {'clip': ['stand', 'walk', 'wave'], 'atomic': ['jump', 'run', 'sit'], 'complex': ['dance']}
    return VideoResult(VideoInfo('film.mp4', 64, 48, 10.0, 100, 10.0), list(tubes), label_maps=names, **kwargs)


def test_presence_breaks_at_gaps_and_ends_with_the_last_frame():
    spans_s, observed = presence(tube([0, 1, 2, 7, 8]), frame_s=0.1)
    np.testing.assert_allclose(spans_s, [[0.0, 0.3], [0.7, 0.9]])
    assert observed.tolist() == [True, True]


def test_presence_tells_filled_in_from_seen_without_a_gap_between():
    spans_s, observed = presence(tube([0, 1, 2, 3], observed=[True, False, False, True]), frame_s=0.1)
    np.testing.assert_allclose(spans_s, [[0.0, 0.1], [0.1, 0.3], [0.3, 0.4]])
    assert observed.tolist() == [True, False, True]
    np.testing.assert_allclose(presence(tube([0, 1], observed=[True, False]), frame_s=0.3)[0], [[0.0, 0.1], [0.1, 0.4]])


def test_presence_of_every_third_frame_has_no_gaps():
    np.testing.assert_allclose(presence(tube([0, 3, 6, 15, 18]), 0.1)[0], [[0.0, 0.9], [1.5, 2.1]])


def test_presence_of_one_frame_and_of_none():
    np.testing.assert_allclose(presence(tube([5]), 0.1)[0], [[0.5, 0.6]])
    assert presence(tube([]), 0.1)[0].shape == (0, 2)


def test_each_label_has_one_lane_and_the_longest_are_kept():
    segments = [
        Segment(0, 1, 0),
        Segment(2, 3, 0),
        Segment(0, 9, 1, 0.9),
        Segment(0, 0.5, 2),
        Segment(0, 5, 0, 0.9, 'complex'),
    ]
    person = tube([0], segments=segments)
    found, more = lanes(result(person), person, True, max_lanes=3, min_score=0.1)
    assert [lane.name for lane in found] == ['dance', 'run', 'jump']
    assert [lane.is_complex for lane in found] == [True, False, False]
    assert more == 1
    np.testing.assert_allclose(found[2].spans_s, [[0, 1], [2, 3]])


def test_low_scores_have_no_lane():
    person = tube([0], segments=[Segment(0, 1, 0, 0.05)])
    assert lanes(result(person), person, True, max_lanes=3, min_score=0.1) == ([], 0)


def test_clips_become_bars_around_their_key_times():
    scores = np.array([[0.9, 0.05, 0.0], [0.8, 0.3, 0.0]], np.float32)
    person = tube([0], clip_times_s=[1.0, 2.0], clip_scores=scores)
    (stand, walk), more = lanes(result(person), person, False, max_lanes=3, min_score=0.1)
    assert (stand.name, walk.name, more) == ('stand', 'walk', 0)
    np.testing.assert_allclose(stand.spans_s, [[0.5, 1.5], [1.5, 2.5]])
    np.testing.assert_allclose(walk.spans_s, [[1.5, 2.5]])
    np.testing.assert_allclose(walk.scores, [0.3])


def test_shot_changes_are_placed_by_the_frames_own_times():
    person = Tube(1, [0, 50], [0.0, 8.0], np.tile([0.0, 0, 4, 8], (2, 1)))  # a slow first half
    film = result(person, shots=[(0, 25), (25, 75), (75, 100)])
    assert shot_changes_s(film) == pytest.approx([4.0, 9.0])
    assert shot_changes_s(result(shots=[(0, 50), (50, 100)])) == pytest.approx([5.0])
    assert shot_changes_s(result()).tolist() == []
