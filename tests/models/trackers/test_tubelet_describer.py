import numpy as np
import pytest

from mmtube.models.trackers import TubeletDescriber
from mmtube.structures import Tube

SIZE = (320, 240)


def still(track_id, frames, box=(50, 50, 90, 150), score=0.9, **kwargs):
    frames = np.asarray(frames)
    return Tube(track_id, frames, frames / 25, np.tile(box, (len(frames), 1)), np.full(len(frames), score), **kwargs)


def chosen(tubes, **kwargs):
    return [(rows.tolist(), good.tolist()) for rows, good in TubeletDescriber(**kwargs).choose(tubes, SIZE)]


def test_good_boxes_are_taken_evenly():
    ((rows, good),) = chosen([still(1, range(101))], max_boxes=5)
    assert rows == [0, 25, 50, 75, 100] and all(good)


@pytest.mark.parametrize(
    'box, score, fault',
    [
        ((50, 50, 90, 150), 0.9, 0),
        ((50, 50, 90, 150), 0.4, 1),  # not sure
        ((50, 50, 60, 90), 0.9, 1),  # 40 px of 240 are less than 64 px and less than a fifth
        ((50, 50, 60, 98), 0.9, 0),  # 48 px are a fifth
        ((0, 50, 40, 150), 0.9, 1),  # cut on the left
        ((280, 50, 320, 150), 0.9, 1),
        ((50, 0, 90, 100), 0.9, 1),  # no head
        ((50, 140, 90, 240), 0.9, 0),  # no feet
        ((0, 50, 10, 90), 0.4, 3),
    ],
)
def test_each_rule_counts_once(box, score, fault):
    faults = TubeletDescriber().faults(np.array([box], np.float32), np.array([score], np.float32), SIZE)
    assert int(faults[0]) == fault


def test_in_a_large_picture_64_pixels_are_enough():
    box = np.array([[50, 50, 80, 114]], np.float32)
    assert TubeletDescriber().faults(box, np.ones(1), (1920, 1080))[0] == 0


def test_a_box_that_another_one_covers_is_not_good():
    both = [still(1, [0, 1]), still(2, [1], box=(55, 50, 95, 150))]
    assert chosen(both) == [([0, 1], [True, False]), ([0], [False])]


def test_weak_boxes_stand_in_up_to_the_least_number_the_surest_first():
    tube = still(1, range(6))
    tube.scores[:] = [0.9, 0.1, 0.4, 0.3, 0.2, 0.9]
    assert chosen([tube], min_good=4) == [([0, 2, 3, 5], [True, False, False, True])]


def test_boxes_that_were_filled_in_show_nothing():
    tube = still(1, range(4), observed=[True, False, False, True])
    assert chosen([tube]) == [([0, 3], [True, True])]
    assert chosen([still(1, [0], observed=[False])]) == [([], [])]
    assert chosen([]) == []


def watch(describer, frames, track_id=7, score=0.9):
    for frame in frames:
        row = np.array([[np.cos(frame), np.sin(frame)]], np.float32)
        box = np.array([[50, 50, 90, 150]], np.float32)
        describer.watch(frame, np.array([track_id]), box, np.array([score]), row, SIZE)


def test_beside_a_tracker_a_bounded_number_of_even_rows_is_kept():
    describer = TubeletDescriber(max_boxes=8)
    watch(describer, range(1000))
    assert len(describer._kept[7].good) <= 8
    look = describer.finish()[7]
    steps = set(np.diff(look.frame_inds).tolist())
    assert 5 <= len(look) <= 8 and look.good.all() and len(steps) == 1
    np.testing.assert_allclose(look.rows[:, 0], np.cos(look.frame_inds), atol=1e-6)


def test_beside_a_tracker_weak_boxes_stand_in_too_and_the_film_is_forgotten():
    describer = TubeletDescriber(min_good=3)
    watch(describer, [0, 1, 2, 3], score=0.3)
    watch(describer, [4])
    watch(describer, [5], track_id=-1)
    look = describer.finish()
    assert list(look) == [7]
    assert look[7].good.tolist() == [False, False, True] and look[7].frame_inds.tolist() == [0, 1, 4]
    assert describer.finish() == {}


def test_both_ways_choose_the_same_boxes_of_a_short_film():
    tube = still(7, range(20))
    tube.scores[::3] = 0.2
    describer = TubeletDescriber()
    for frame in range(20):
        row = np.eye(2, dtype=np.float32)[:1]
        describer.watch(frame, np.array([7]), tube.boxes_px[[frame]], tube.scores[[frame]], row, SIZE)
    rows, good = TubeletDescriber().choose([tube], SIZE)[0]
    look = describer.finish()[7]
    assert look.frame_inds.tolist() == rows.tolist() and look.good.tolist() == good.tolist()


@pytest.mark.parametrize('bad', [{'max_boxes': 0}, {'min_good': 0}, {'min_score': -1}, {'edge_px': -1}])
def test_limits_of_a_describer_that_make_no_sense_are_refused(bad):
    with pytest.raises(ValueError):
        TubeletDescriber(**bad)
