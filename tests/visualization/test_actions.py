from __future__ import annotations

import numpy as np

from mmtube.structures import Segment, Tube, VideoInfo, VideoResult
from mmtube.visualization.actions import ActionIndex, clip_at

VIDEO = VideoInfo('film.mp4', 64, 48, 25.0, 250, 10.0)
NAMES = {'clip': ['stand', 'walk', 'wave'], 'atomic': ['jump', 'run'], 'complex': ['dance']}


def index(segments=(), clip_times_s=None, clip_scores=None, **kwargs) -> ActionIndex:
    tube = Tube(1, [0], [0.0], [[0, 0, 4, 8]], clip_times_s=clip_times_s, clip_scores=clip_scores, segments=[*segments])
    return ActionIndex(VideoResult(VIDEO, [tube], label_maps=NAMES), **kwargs)


def names(actions) -> list[str]:
    return [action.name for action in actions]


def test_segments_hold_from_their_start_to_their_end():
    actions = index([Segment(1.0, 2.0, 0), Segment(2.0, 3.0, 1)])
    assert names(actions.at(0, 0.99)) == []
    assert names(actions.at(0, 1.0)) == ['jump']
    assert names(actions.at(0, 2.0)) == ['jump', 'run']
    assert names(actions.at(0, 2.5)) == ['run']


def test_complex_activities_come_first_then_the_score_counts():
    actions = index([Segment(0, 9, 0, 0.5), Segment(0, 9, 1, 0.9), Segment(0, 9, 0, 0.3, 'complex')])
    assert names(actions.at(0, 1.0)) == ['dance', 'run', 'jump']


def test_a_label_that_overlaps_itself_counts_once_with_its_best_score():
    actions = index([Segment(0, 9, 0, 0.8), Segment(0, 5, 0, 0.5)])
    assert [(action.name, action.score) for action in actions.at(0, 1.0)] == [('jump', 0.8)]


def test_only_the_best_are_shown_and_none_below_the_threshold():
    actions = index([Segment(0, 9, label, score) for label, score in enumerate([0.9, 0.8, 0.7, 0.05])], top_k=2)
    assert names(actions.at(0, 1.0)) == ['jump', 'run']
    assert names(index([Segment(0, 9, 0, 0.05)]).at(0, 1.0)) == []


def test_clip_scores_count_where_the_film_has_no_segments():
    scores = np.array([[0.9, 0.2, 0.05], [0.1, 0.3, 0.8]], np.float32)
    clips = {'clip_times_s': [1.0, 2.0], 'clip_scores': scores}
    assert names(index(**clips).at(0, 1.2)) == ['stand', 'walk']
    assert names(index(**clips).at(0, 1.8)) == ['wave', 'walk', 'stand']
    assert names(index([Segment(0, 9, 0)], **clips).at(0, 1.2)) == ['jump']


def test_a_clip_speaks_for_half_the_way_to_its_neighbours():
    tube = clipped([1.0, 2.0, 5.0, 6.0])
    assert clip_at(tube, 0.4) is None
    assert clip_at(tube, 0.5) == 0
    assert clip_at(tube, 1.6) == 1
    assert clip_at(tube, 3.5) is None  # the person was away
    assert clip_at(clipped([]), 1.0) is None
    # A hole is no step, and before the first box nobody is there.
    assert clip_at(clipped([1.0, 7.0, 8.0]), 2.0) is None
    assert clip_at(clipped([1.0], first=20), 0.7) is None
    assert clip_at(clipped([1.0], first=20), 0.9) == 0


def clipped(times_s, first=0):
    """A tube with a box in each of 25 frames a second up to 20 s, and clips."""
    frames = np.arange(first, 500)
    boxes = np.tile(np.float32([0, 0, 9, 9]), (len(frames), 1))
    return Tube(0, frames, frames / 25, boxes, clip_times_s=times_s, clip_scores=np.zeros((len(times_s), 1)))


def test_a_label_without_a_name_is_numbered():
    assert names(index([Segment(0, 9, 7)]).at(0, 1.0)) == ['atomic 7']
