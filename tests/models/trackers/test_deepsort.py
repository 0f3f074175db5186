import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmtube.models.trackers.deepsort import DeepSORTTracker, assign
from mmtube.structures import FrameDetections

RED, BLUE = np.eye(2, dtype=np.float32)


def detections(frame, boxes, scores=None, features=None):
    boxes = np.array(boxes, np.float32).reshape(-1, 4)
    scores = np.full(len(boxes), 0.9) if scores is None else scores
    features = None if features is None else np.asarray(features, np.float32)
    return FrameDetections(frame, frame / 25, boxes, scores, features)


def walker(x, y=10, width=20, height=50):
    return [x, y, x + width, y + height]


def run(tracker, frames):
    ids = [tracker.update(frame).tolist() for frame in frames]
    return ids, tracker.finish()


def test_a_track_is_confirmed_by_its_third_box_and_keeps_the_first_two():
    ids, tubelets = run(DeepSORTTracker(n_init=3), [detections(f, [walker(f)]) for f in range(4)])
    assert ids == [[-1], [-1], [1], [1]]
    assert tubelets[0].frame_inds.tolist() == [0, 1, 2, 3]


def test_a_tentative_track_dies_at_its_first_miss():
    frames = [detections(0, [walker(0)]), detections(1, [walker(0)]), detections(2, []), detections(3, [walker(0)])]
    _, tubelets = run(DeepSORTTracker(n_init=3), frames)
    assert tubelets == []


def test_a_confirmed_track_survives_max_age_misses_and_not_one_more():
    def film(misses):
        seen = [detections(f, [walker(0)]) for f in range(5)]
        return [*seen, *(detections(f, [walker(0)]) for f in range(5 + misses, 10 + misses))]

    _, bridged = run(DeepSORTTracker(max_age=10), film(misses=10))
    _, broken = run(DeepSORTTracker(max_age=10), film(misses=11))
    assert (len(bridged), len(broken)) == (1, 2)


def test_frames_left_out_equal_frames_without_boxes():
    film = [detections(f, [walker(2 * f)] if f < 5 or f > 9 else []) for f in range(15)]
    _, with_empty = run(DeepSORTTracker(), film)
    _, without = run(DeepSORTTracker(), [frame for frame in film if len(frame)])
    assert [t.frame_inds.tolist() for t in with_empty] == [t.frame_inds.tolist() for t in without]


def test_appearance_keeps_two_people_apart_who_swap_places_unseen():
    # They cross while both are hidden for 8 frames; by motion alone each box would fit either.
    def film(features):
        before = [detections(f, [walker(100), walker(130)], features=features) for f in range(6)]
        after = [detections(f, [walker(130), walker(100)], features=features) for f in range(14, 20)]
        return before + after

    ids, _ = run(DeepSORTTracker(), film([RED, BLUE]))
    assert ids[5] == [1, 2] and ids[-1] == [1, 2]
    ids, _ = run(DeepSORTTracker(), film(None))
    assert ids[5] == [1, 2] and ids[-1] == [2, 1]


def test_a_track_seen_more_recently_is_served_first():
    # Track 1 was lost 5 frames ago and looks exactly like the box; track 2 was seen just now and looks nearly like it.
    near = np.array([0.96, 0.28], np.float32)
    film = [detections(f, [walker(100), walker(104)], features=[RED, near]) for f in range(4)]
    film += [detections(f, [walker(104)], features=[near]) for f in range(4, 9)]
    film += [detections(9, [walker(102)], features=[RED])]
    ids, _ = run(DeepSORTTracker(), film)
    assert ids[-1] == [2]


def test_a_box_outside_the_gate_is_another_person_whatever_it_looks_like():
    film = [detections(f, [walker(0)], features=[RED]) for f in range(6)]
    film += [detections(f, [walker(300)], features=[RED]) for f in range(6, 12)]
    _, tubelets = run(DeepSORTTracker(), film)
    assert len(tubelets) == 2


def test_a_weak_box_extends_a_track_but_does_not_start_one():
    tracker = DeepSORTTracker(min_score=0.2, high_score=0.5)
    film = [detections(f, [walker(0), walker(200)], scores=[0.9 if f < 5 else 0.3, 0.3]) for f in range(12)]
    _, tubelets = run(tracker, film)
    assert len(tubelets) == 1
    assert tubelets[0].frame_inds.tolist() == list(range(12))
    assert tubelets[0].boxes_px[:, 0].max() < 100


def test_a_strong_box_is_preferred_to_a_weak_one():
    tracker = DeepSORTTracker(min_score=0.2, high_score=0.5)
    film = [detections(f, [walker(0)]) for f in range(4)]
    film += [detections(4, [walker(0), walker(4)], scores=[0.3, 0.9])]
    ids, _ = run(tracker, film)
    assert ids[-1] == [-1, 1]


def test_a_second_box_on_a_tracked_person_starts_no_track():
    whole, torso = walker(0, 10, 20, 60), walker(2, 12, 16, 20)
    film = [detections(f, [whole, torso] if f > 3 else [whole], scores=[0.9, 0.8][: 1 + (f > 3)]) for f in range(12)]
    _, tubelets = run(DeepSORTTracker(max_birth_overlap=0.7), film)
    assert len(tubelets) == 1
    _, tubelets = run(DeepSORTTracker(), film)
    assert len(tubelets) == 2


def test_of_two_boxes_on_a_new_person_the_more_confident_starts_the_track():
    film = [detections(f, [walker(2, 12, 16, 20), walker(0, 10, 20, 60)], scores=[0.6, 0.9]) for f in range(5)]
    _, tubelets = run(DeepSORTTracker(max_birth_overlap=0.7), film)
    assert [t.boxes_px[0].tolist() for t in tubelets] == [walker(0, 10, 20, 60)]


def test_boxes_below_the_minimum_score_do_not_exist():
    _, tubelets = run(DeepSORTTracker(min_score=0.5), [detections(f, [walker(0)], scores=[0.4]) for f in range(9)])
    assert tubelets == []


def test_a_cut_ends_every_track():
    tracker = DeepSORTTracker()
    for frame in range(12):
        if frame == 6:
            tracker.cut()
        tracker.update(detections(frame, [walker(0)]))
    assert [t.frame_inds.tolist() for t in tracker.finish()] == [list(range(6)), list(range(6, 12))]


def test_the_gallery_forgets_what_is_older_than_its_budget():
    # Someone who changed from red to blue is no longer found by red once the last red entry has left the gallery.
    def film(blue_frames):
        frames = [detections(f, [walker(0)], features=[RED]) for f in range(4)]
        frames += [detections(f, [walker(0)], features=[BLUE]) for f in range(4, 4 + blue_frames)]
        return [*frames, detections(8 + blue_frames, [walker(0)], features=[RED])]

    remembered, _ = run(DeepSORTTracker(nn_budget=4), film(blue_frames=3))
    forgotten, _ = run(DeepSORTTracker(nn_budget=4), film(blue_frames=4))
    assert remembered[-1] == [1]
    assert forgotten[-1] == [-1]


def test_a_slot_used_again_does_not_remember_the_track_before():
    tracker = DeepSORTTracker(max_age=2)
    for frame in range(5):
        tracker.update(detections(frame, [walker(0)], features=[RED]))
    for frame in range(5, 9):
        tracker.update(detections(frame, [], features=np.zeros((0, 2))))
    for frame in range(9, 14):
        tracker.update(detections(frame, [walker(0)], features=[BLUE]))
    ids = tracker.update(detections(20, [walker(0)], features=[RED]))
    assert ids.tolist() == [-1]


def test_the_embedding_of_a_tubelet_is_the_direction_of_its_mean_feature():
    features = [RED, RED, RED, BLUE]
    _, tubelets = run(DeepSORTTracker(), [detections(f, [walker(0)], features=[features[f]]) for f in range(4)])
    np.testing.assert_allclose(tubelets[0].embedding, np.array([3, 1]) / np.sqrt(10), rtol=1e-6)


def test_no_boxes_at_all_gives_no_tubelets():
    ids, tubelets = run(DeepSORTTracker(), [detections(f, []) for f in range(100)])
    assert ids == [[]] * 100 and tubelets == []


def test_a_box_without_area_is_ignored():
    ids, tubelets = run(DeepSORTTracker(), [detections(f, [[5, 5, 5, 50], walker(90)]) for f in range(5)])
    assert ids[-1] == [-1, 1] and len(tubelets) == 1


def test_frames_must_come_in_order_and_boxes_must_be_numbers():
    tracker = DeepSORTTracker()
    tracker.update(detections(3, [walker(0)]))
    with pytest.raises(ValueError, match='frame 3 comes after frame 3'):
        tracker.update(detections(3, [walker(0)]))
    with pytest.raises(ValueError, match='not finite'):
        tracker.update(detections(4, [[0, 0, np.nan, 5]]))


@pytest.mark.parametrize('bad', [{'min_score': -0.1}, {'min_score': 0.6, 'high_score': 0.5}, {'max_age': 0}])
def test_settings_that_make_no_sense_are_refused(bad):
    with pytest.raises(ValueError):
        DeepSORTTracker(**bad)


def test_a_pair_above_the_limit_does_not_cost_a_good_pair():
    # Row 0 fits column 0 only; row 1 fits nothing. The least total cost alone would pair (0, 1) and (1, 0).
    rows, columns = assign(np.array([[0.1, 5.0], [5.2, 99.0]]), max_cost=0.2)
    assert list(zip(rows, columns)) == [(0, 0)]


@settings(max_examples=40)
@given(st.integers(0, 10_000))
def test_no_box_is_used_twice_and_ids_are_distinct_in_a_frame(seed):
    rng = np.random.default_rng(seed)
    tracker = DeepSORTTracker(min_score=0.1, high_score=0.5, max_age=3)
    given_boxes = {}
    for frame in range(12):
        corner = rng.integers(0, 60, (rng.integers(0, 6), 2))
        boxes = np.c_[corner, corner + rng.integers(1, 40, corner.shape)]
        given_boxes[frame] = {tuple(box) for box in boxes.astype(float)}
        ids = tracker.update(detections(frame, boxes, scores=rng.uniform(0, 1, len(boxes))))
        assert len(set(ids[ids > 0])) == (ids > 0).sum()
    tubelets = tracker.finish()
    assert [t.track_id for t in tubelets] == list(range(1, len(tubelets) + 1))
    rows = [(f, *box) for t in tubelets for f, box in zip(t.frame_inds.tolist(), t.boxes_px.tolist())]
    assert all(tuple(row[1:]) in given_boxes[row[0]] for row in rows)
