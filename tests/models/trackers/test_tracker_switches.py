"""What later trackers added to DeepSORT: each switch changes what it says it changes, and nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmtube.models.trackers.deepsort import DeepSORTTracker
from mmtube.models.trackers.kalman import KalmanState, scale_of, warp_boxes
from mmtube.structures import FrameDetections


def frame_of(frame, *boxes, score=0.9):
    return FrameDetections(frame, frame / 25, np.array(boxes, np.float32), np.full(len(boxes), score))


def walker(x, width=20):
    return [x, 10, x + width, 60]


def ids_of(tracker, film, **more):
    return [tracker.update(frame, **more).tolist() for frame in film]


def test_without_the_cascade_the_better_overlap_wins_whoever_was_seen_last():
    # Track 1 vanished four frames ago where the box is now; track 2 was seen just now and overlaps a little less.
    film = [frame_of(f, walker(100), walker(106)) for f in range(4)]
    film += [frame_of(f, walker(106)) for f in range(4, 8)]
    film += [frame_of(8, walker(101))]
    assert ids_of(DeepSORTTracker(age_cascade=True), film)[-1] == [2]
    assert ids_of(DeepSORTTracker(age_cascade=False), film)[-1] == [1]


def test_without_the_gate_overlap_alone_decides():
    # A box that has grown to 1.9 times the height lies outside the gate, with an IoU of 0.42.
    film = [*(frame_of(f, walker(100)) for f in range(5)), frame_of(6, [100, 10, 125, 105])]
    assert ids_of(DeepSORTTracker(), film)[-1] == [-1]
    assert ids_of(DeepSORTTracker(max_gating_distance=float('inf')), film)[-1] == [1]


def test_a_person_who_stopped_unseen_is_found_where_she_was_last_seen():
    # Seven pixels a frame, then hidden for six frames while she stands still.
    film = [frame_of(f, walker(7 * f, width=30)) for f in range(8)]
    film += [frame_of(14, walker(49, width=30))]
    free = dict(max_gating_distance=float('inf'))
    assert ids_of(DeepSORTTracker(**free), film)[-1] == [-1]
    assert ids_of(DeepSORTTracker(match_last_box=True, **free), film)[-1] == [1]


def literal_reupdate(boxes, gap):
    """Go through a film in which the hole was filled with a straight line, from the state before the hole."""
    state = KalmanState.initiate(boxes[:1])
    for box in boxes[1:-1]:
        state = state.predict()
        state.update(np.array([0]), box[None])
    for step in range(1, gap + 1):
        state = state.predict()
        state.update(np.array([0]), (boxes[-2] + (boxes[-1] - boxes[-2]) * step / gap)[None])
    return state.moments


@pytest.mark.parametrize('gap', [1, 2, 7])
def test_reupdate_is_the_filter_on_a_film_whose_hole_is_filled_with_a_line(gap):
    measured = np.array([[100 + 3 * f, 35, 0.4, 50] for f in range(5)] + [[112 + 2 * gap, 37, 0.42, 52]], float)
    corners = np.c_[measured[:, :2], measured[:, 2] * measured[:, 3], measured[:, 3]]
    boxes = np.c_[corners[:, :2] - corners[:, 2:] / 2, corners[:, :2] + corners[:, 2:] / 2]
    tracker = DeepSORTTracker(reupdate=True, max_gating_distance=float('inf'))
    for number, box in enumerate(boxes):
        tracker.update(frame_of(number if number < 5 else 4 + gap, box))
    assert len(tracker._tracks) == 1
    np.testing.assert_allclose(tracker._tracks.state.moments[:, 0], literal_reupdate(measured, gap)[:, 0], rtol=1e-4)


def test_reupdate_of_tracks_with_holes_of_different_lengths_is_that_of_each_alone():
    def film(rows):
        seen = {0: [*range(5), 7, 8], 1: [*range(5), 10], 2: [*range(11)]}
        for frame in range(11):
            boxes = [walker(200 * row + (row + 1) * frame) for row in rows if frame in seen[row]]
            yield FrameDetections(frame, frame / 25, np.array(boxes, np.float32).reshape(-1, 4), np.ones(len(boxes)))

    def last(rows):
        tracker = DeepSORTTracker(reupdate=True)
        ids_of(tracker, film(rows))
        return tracker._tracks.state.moments

    together = last([0, 1, 2])
    for row in range(3):
        np.testing.assert_allclose(together[:, row], last([row])[:, 0], rtol=1e-12)


def test_a_pan_that_is_taken_out_costs_no_id():
    # The camera jumps by 60 pixels; nobody moves in the scene.
    shift = np.array([[1.0, 0, 60], [0, 1, 0]])
    film = [*(frame_of(f, walker(100)) for f in range(5)), frame_of(5, walker(160))]
    tracker = DeepSORTTracker()
    ids_of(tracker, film[:5])
    assert tracker.update(film[5], shift).tolist() == [1]
    assert ids_of(DeepSORTTracker(), film)[-1] == [-1]


@settings(max_examples=50)
@given(st.integers(0, 10_000))
def test_warping_by_shift_and_scale_is_the_filter_run_in_the_other_frame(seed):
    rng = np.random.default_rng(seed)
    scale, shift = rng.uniform(0.5, 2), rng.uniform(-50, 50, 2)
    affine = np.c_[scale * np.eye(2), shift]
    here, there = KalmanState.initiate(np.zeros((0, 4))), None
    boxes = np.c_[rng.uniform(0, 300, (3, 2)), rng.uniform(0.3, 0.6, 3), rng.uniform(40, 90, 3)]
    here, there = KalmanState.initiate(boxes), KalmanState.initiate(warp_boxes(boxes, affine))
    for _ in range(4):
        seen = boxes + rng.normal(0, [2, 2, 0.01, 2], boxes.shape)
        here, there = here.predict(), there.predict()
        here.update(np.arange(3), seen)
        there.update(np.arange(3), warp_boxes(seen, affine))
    np.testing.assert_allclose(here.warp(affine).moments, there.moments, rtol=1e-9, atol=1e-12)


def test_a_turn_moves_centres_and_velocities_and_keeps_the_height():
    quarter = np.array([[0.0, -1, 10], [1, 0, 0]])
    state = KalmanState.initiate(np.array([[3.0, 4, 0.5, 20]]))
    state.moments[1, 0, :2] = 1, 2
    turned = state.warp(quarter)
    assert turned.mean[0].tolist() == [6, 3, 0.5, 20]
    assert turned.velocity[0, :2].tolist() == [-2, 1]
    assert scale_of(quarter) == 1


def test_tubelets_can_be_taken_while_the_film_goes_on():
    tracker = DeepSORTTracker(max_age=2)
    taken = []
    for frame in range(200):
        tracker.update(frame_of(frame, walker(100)) if frame % 10 < 6 else FrameDetections(frame, frame / 25, [], []))
        taken += tracker.take_ended()
        assert sum(len(block[0]) for block in tracker._tracks._log._blocks) <= 6  # what has not ended yet
    taken += tracker.finish()
    assert [tube.track_id for tube in taken] == list(range(1, 21))
    assert {len(tube) for tube in taken} == {6}


def test_taking_tubelets_early_changes_nothing_about_them():
    def film():
        rng = np.random.default_rng(3)
        for frame in range(120):
            seen = np.flatnonzero(rng.uniform(size=3) < 0.8)
            yield frame_of(frame, *[walker(20 + 60 * i + frame * 0.3) for i in seen]) if len(seen) else None

    def run(every):
        tracker, tubes = DeepSORTTracker(max_age=3), []
        for number, frame in enumerate(film()):
            if frame is not None:
                tracker.update(frame)
            if every and number % every == 0:
                tubes += tracker.take_ended()
        return [(t.track_id, t.frame_inds.tolist(), t.boxes_px.tolist()) for t in [*tubes, *tracker.finish()]]

    assert sorted(run(0)) == sorted(run(1)) == sorted(run(7))


def test_the_log_survives_being_compacted(monkeypatch):
    monkeypatch.setattr('mmtube.models.trackers.track_log._COMPACT_AFTER', 4)
    tracker = DeepSORTTracker()
    ids_of(tracker, [frame_of(f, walker(100), walker(200)) for f in range(30)])
    assert [tube.frame_inds.tolist() for tube in tracker.finish()] == [list(range(30))] * 2


def test_two_boxes_that_are_the_same_are_two_tracks_that_never_share_a_box():
    tracker = DeepSORTTracker()
    ids = ids_of(tracker, [frame_of(f, walker(100), walker(100)) for f in range(6)])
    assert all(sorted(row) == [1, 2] for row in ids[2:])
    assert [len(tube) for tube in tracker.finish()] == [6, 6]


def test_boxes_outside_of_the_picture_are_boxes():
    tracker = DeepSORTTracker()
    ids_of(tracker, [frame_of(f, [-50 + f, -80, -20 + f, -10]) for f in range(5)])
    assert len(tracker.finish()[0]) == 5


def test_a_score_that_is_not_finite_is_refused():
    with pytest.raises(ValueError, match='score that is not finite'):
        DeepSORTTracker().update(frame_of(0, walker(0), score=np.nan))


def test_ten_thousand_empty_frames_are_no_frames():
    tracker = DeepSORTTracker()
    ids_of(tracker, [frame_of(f, walker(100)) for f in range(4)])
    for frame in range(4, 10_000, 37):
        assert tracker.update(FrameDetections(frame, frame / 25, [], [])).tolist() == []
    assert len(tracker.finish()) == 1


def test_a_film_of_one_frame_has_a_tubelet_if_one_box_confirms():
    tracker = DeepSORTTracker(n_init=1)
    assert tracker.update(frame_of(0, walker(0))).tolist() == [1]
    assert len(tracker.finish()) == 1


@pytest.mark.parametrize('bad', [{'max_gating_distance': -1}, {'max_gating_distance': float('nan')}, {'n_init': 0}])
def test_limits_that_make_no_sense_are_refused(bad):
    with pytest.raises(ValueError):
        DeepSORTTracker(**bad)
