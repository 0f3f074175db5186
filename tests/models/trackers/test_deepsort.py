import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmtube.models.trackers.deepsort import DeepSORTTracker, assign
from mmtube.models.trackers.kalman import KalmanState
from mmtube.ops.boxes import box_iou, cxcyah_to_xyxy, xyxy_to_cxcyah
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


def test_a_confirmed_track_is_found_again_up_to_max_age_frames_after_its_last_box():
    def film(misses):
        seen = [detections(f, [walker(0)]) for f in range(5)]
        return [*seen, *(detections(f, [walker(0)]) for f in range(5 + misses, 10 + misses))]

    _, bridged = run(DeepSORTTracker(max_age=10), film(misses=9))
    _, broken = run(DeepSORTTracker(max_age=10), film(misses=10))
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


def test_a_box_without_area_starts_no_track_even_at_once():
    assert DeepSORTTracker(n_init=1).update(detections(0, [[5, 5, 5, 50], [5, 5, 50, 5]])).tolist() == [-1, -1]


def test_the_minimum_score_itself_is_enough():
    assert DeepSORTTracker(min_score=0.5, n_init=1).update(detections(0, [walker(0)], [0.5])).tolist() == [1]


def seen_then(box, missed, feature=None, seen_feature=None, **settings):
    """IDs of a box that comes after 5 frames of a person at 100 and ``missed`` empty ones."""
    tracker = DeepSORTTracker(**settings)
    for frame in range(5):
        tracker.update(detections(frame, [walker(100)], features=None if feature is None else [seen_feature]))
    return tracker.update(detections(5 + missed, [box], features=None if feature is None else [feature])).tolist()


def test_the_gate_is_the_95_percent_quantile():
    # After a miss there is no IoU stage: only the gate is left.
    tracker = DeepSORTTracker()
    for frame in range(5):
        tracker.update(detections(frame, [walker(100)], features=[RED]))
    tracker.update(detections(5, []))
    state = tracker._tracks.state.predict()
    offsets = np.arange(0.0, 60)
    boxes = np.array([[110 + dx, 35, 0.4, 50] for dx in offsets])
    last = offsets[(state.gating_distance(boxes)[0] <= 9.4877)].max()
    assert 5 < last < 40
    assert seen_then(walker(100 + last), 1, RED, RED) == [1]
    assert seen_then(walker(100 + last + 1), 1, RED, RED) == [-1]


def test_overlap_alone_finds_a_track_of_the_frame_before_and_no_older_one():
    assert seen_then(walker(100), 0, BLUE, RED) == [1]
    assert seen_then(walker(100), 1, BLUE, RED) == [-1]


def test_appearance_may_differ_by_the_limit_and_no_more():
    def look(distance):
        return np.array([1 - distance, np.sqrt(1 - (1 - distance) ** 2)], np.float32)

    assert seen_then(walker(100), 1, look(0.19), RED) == [1]
    assert seen_then(walker(100), 1, look(0.21), RED) == [-1]


def test_without_appearance_a_lost_track_needs_the_same_overlap():
    assert seen_then(walker(110), 8) == [1]  # IoU 1/3
    assert seen_then(walker(112), 8) == [-1]  # IoU 1/4, inside the gate


def test_a_weak_box_must_overlap_more():
    def last(dx):
        tracker = DeepSORTTracker(min_score=0.2, high_score=0.5)
        for frame in range(5):
            tracker.update(detections(frame, [walker(100)]))
        return tracker.update(detections(5, [walker(100 + dx)], [0.3])).tolist()

    assert last(6) == [1]  # IoU 14/26
    assert last(8) == [-1]  # IoU 12/28


def test_a_slot_used_again_does_not_remember_the_track_before():
    tracker = DeepSORTTracker(max_age=2)
    for frame in range(5):
        tracker.update(detections(frame, [walker(0)], features=[RED]))
    for frame in range(9, 14):
        ids = tracker.update(detections(frame, [walker(0)], features=[BLUE]))
    assert ids.tolist() == [2]
    assert tracker.update(detections(15, [walker(0)], features=[RED])).tolist() == [-1]


def test_a_pair_at_the_limit_is_kept():
    assert [x.tolist() for x in assign(np.array([[0.2]]), 0.2)] == [[0], [0]]


def test_appearance_that_begins_later_is_no_match_and_no_error():
    tracker = DeepSORTTracker()
    for frame in range(4):
        tracker.update(detections(frame, [walker(0)]))
    assert tracker.update(detections(4, [walker(0)], features=[RED])).tolist() == [1]  # by overlap
    assert tracker.update(detections(9, [walker(0)], features=[RED])).tolist() == [1]  # by appearance, from then on


def literal_ids(film, max_age, n_init=3, max_cosine=0.2, max_iou=0.7):
    """The original matching written out, one track at a time; only what decides who is matched with whom."""
    tracks, count, out = [], 0, []
    for found in film:
        boxes = xyxy_to_cxcyah(found.boxes_px)
        for track in tracks:
            track['state'] = track['state'].predict()
            track['lost'] += 1
        free, ids = list(range(len(found))), [-1] * len(found)

        def match(some, cost, limit, free=free, ids=ids, found=found, boxes=boxes):
            if some and free:
                matrix = np.array([[cost(track, box) for box in free] for track in some])
                pairs = list(zip(*assign(matrix, limit)))
                taken = [(some[row], free[column]) for row, column in pairs]
                for track, box in taken:
                    free.remove(box)
                    track['state'].update(np.array([0]), boxes[[box]])
                    track['looks'].append(found.features[box])
                    track['lost'], track['hits'], track['now'] = 0, track['hits'] + 1, box

        def look(track, box, found=found, boxes=boxes):
            near = track['state'].gating_distance(boxes[[box]])[0, 0] <= 9.4877
            return min(1 - look @ found.features[box] for look in track['looks']) if near else 1e5

        def apart(track, box, found=found):
            return 1 - box_iou(cxcyah_to_xyxy(track['state'].mean), found.boxes_px[[box]])[0, 0]

        for track in tracks:
            track['now'] = None
        sure = [track for track in tracks if track['id']]
        for level in range(max_age):
            match([t for t in sure if t['now'] is None and t['lost'] == 1 + level], look, max_cosine)
        rest = [t for t in tracks if t['now'] is None and (not t['id'] or t['lost'] == 1)]
        match(rest, apart, max_iou)
        for track in tracks:
            if not track['id'] and track['now'] is not None and track['hits'] >= n_init:
                count += 1
                track['id'] = count
        tracks = [t for t in tracks if t['now'] is not None or (t['id'] and t['lost'] <= max_age)]
        for track in tracks:
            if track['now'] is not None and track['id']:
                ids[track['now']] = track['id']
        for box in free:
            state = KalmanState.initiate(boxes[[box]])
            tracks.append(dict(state=state, looks=[found.features[box]], lost=0, hits=1, id=0, now=None))
        out.append(ids)
    return out


@pytest.mark.parametrize('max_age', [1, 3, 30])
def test_the_ids_are_those_of_the_original_algorithm(max_age):
    for seed in range(12):
        rng = np.random.default_rng(seed)
        looks = rng.normal(size=(4, 6))
        film = []
        for frame in range(40):
            seen = np.flatnonzero(rng.uniform(size=4) < 0.7)
            x = 20 + 25 * seen + frame * (seen - 1.5) + rng.normal(0, 1, len(seen))
            features = looks[seen] + rng.normal(0, 0.3, (len(seen), 6))
            features /= np.linalg.norm(features, axis=1, keepdims=True)
            film.append(detections(frame, [walker(v) for v in x], features=features))
        ids, _ = run(DeepSORTTracker(max_age=max_age), film)
        assert ids == literal_ids(film, max_age), seed
