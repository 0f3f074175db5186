import numpy as np
import pytest

from mmtube.models.trackers import MMDetTracker
from mmtube.structures import FrameDetections

MOTION = dict(type='KalmanFilter')
TRACKERS = {
    'byte': dict(type='mmdet.ByteTracker', motion=MOTION),
    'oc': dict(type='mmdet.OCSORTTracker', motion=MOTION),
    'sort': dict(type='mmdet.SORTTracker', motion={**MOTION, 'center_only': False}, match_iou_thr=0.3),
}


def walkers(frame, people=2, score=0.9):
    boxes = [[100 * i + 2 * frame, 10, 100 * i + 2 * frame + 25, 70] for i in range(people)]
    return FrameDetections(frame, frame / 25, np.array(boxes, np.float32).reshape(-1, 4), np.full(len(boxes), score))


@pytest.mark.parametrize('name', TRACKERS)
def test_people_who_walk_keep_their_ids(name):
    tracker = MMDetTracker(TRACKERS[name])
    ids = [tracker.update(walkers(frame)) for frame in range(12)]
    assert all(row.tolist() == ids[0].tolist() and len(set(row.tolist())) == 2 for row in ids)
    tubes = tracker.finish()
    assert [tube.frame_inds.tolist() for tube in tubes] == [list(range(12))] * 2
    assert tubes[1].boxes_px[-1].tolist() == walkers(11).boxes_px[1].tolist()


@pytest.mark.parametrize('name', TRACKERS)
def test_a_cut_ends_the_ids_and_the_next_film_begins_at_one(name):
    tracker = MMDetTracker(TRACKERS[name])
    for frame in range(12):
        if frame == 6:
            tracker.cut()
        ids = tracker.update(walkers(frame, people=1))
    assert ids.tolist() == [2]
    assert [(tube.track_id, len(tube)) for tube in tracker.finish()] == [(1, 6), (2, 6)]
    assert tracker.update(walkers(0, people=1)).tolist() == [1]


def test_each_id_stands_at_the_box_it_belongs_to_whatever_order_mmdet_has():
    # ByteTrack returns strong boxes before weak ones.
    tracker = MMDetTracker(TRACKERS['byte'])
    for frame in range(6):
        found = walkers(frame, people=3)
        if frame:
            found.scores[0] = 0.3
        ids = tracker.update(found)
    assert ids.tolist() == [1, 2, 3]


def test_boxes_that_mmdet_leaves_out_have_no_id():
    assert MMDetTracker(TRACKERS['byte']).update(walkers(0, score=0.2)).tolist() == [-1, -1]


def test_boxes_that_are_the_same_are_told_apart():
    tracker = MMDetTracker(TRACKERS['sort'])
    twice = FrameDetections(0, 0.0, np.tile([[0, 0, 9, 9]], (2, 1)), np.array([0.9, 0.9]))
    assert sorted(tracker.update(twice).tolist()) == [1, 2]


@pytest.mark.parametrize('name', TRACKERS)
def test_nobody_and_boxes_without_area_are_no_error(name):
    tracker = MMDetTracker(TRACKERS[name])
    assert tracker.update(walkers(0, people=0)).tolist() == []
    assert tracker.update(FrameDetections(1, 0.04, [[5, 5, 5, 9]], [0.9])).tolist() == [-1]
    assert tracker.finish() == []


def test_short_tubelets_are_dropped_on_demand():
    tracker = MMDetTracker(TRACKERS['byte'], min_boxes=3)
    tracker.update(walkers(0))
    tracker.update(walkers(1))
    assert tracker.finish() == []


def test_frames_must_come_in_order_and_boxes_must_be_numbers():
    tracker = MMDetTracker(TRACKERS['byte'])
    tracker.update(walkers(3))
    with pytest.raises(ValueError, match='frame 3 comes after frame 3'):
        tracker.update(walkers(3))
    with pytest.raises(ValueError, match='not finite'):
        tracker.update(FrameDetections(4, 0.2, [[0, 0, np.nan, 5]], [0.9]))


def test_a_network_of_its_own_is_refused():
    with pytest.raises(ValueError, match="set 'reid' to None"):
        MMDetTracker({**TRACKERS['sort'], 'reid': dict(num_samples=10)})
