import numpy as np
import pytest

from mmtube.models.trackers.tube_linker import TubeLinker
from mmtube.structures import Tube, VideoInfo, VideoResult, without_link

RED, BLUE = np.eye(2, dtype=np.float32)
FILM = [(0, 10_000)]


def tubelet(track_id, first, last, embedding, x=100.0, height=100.0):
    frames = np.arange(first, last + 1)
    box = [x, 50, x + height / 2, 50 + height]
    return Tube(track_id, frames, frames / 25, np.tile(box, (len(frames), 1)), embedding=embedding)


def ids(tubes):
    return {tube.track_id: sorted(set(tube.tubelet_ids.tolist())) for tube in tubes}


def test_the_same_look_after_a_gap_is_the_same_person():
    tubes, links = TubeLinker()([tubelet(1, 0, 50, RED), tubelet(2, 100, 150, RED)], FILM)
    assert ids(tubes) == {1: [1, 2]}
    assert (links[0].earlier_id, links[0].later_id) == (1, 2)
    assert links[0].gap_s == pytest.approx(2.0)
    assert links[0].cost == pytest.approx(0.0, abs=1e-6)
    assert 'gap 2.00 s' in links[0].reason
    assert tubes[0].frame_inds.tolist() == [*range(51), *range(100, 151)]


def test_another_look_is_another_person():
    tubes, links = TubeLinker()([tubelet(1, 0, 50, RED), tubelet(2, 100, 150, BLUE)], FILM)
    assert ids(tubes) == {1: [1], 2: [2]} and links == []


def test_two_people_on_screen_at_once_are_two_people():
    tubes, _ = TubeLinker()([tubelet(1, 0, 50, RED), tubelet(2, 50, 150, RED, x=110)], FILM)
    assert len(tubes) == 2


def test_a_shot_change_is_never_crossed():
    tubes, _ = TubeLinker()([tubelet(1, 0, 50, RED), tubelet(2, 100, 150, RED)], [(0, 80), (80, 200)])
    assert len(tubes) == 2


def test_a_gap_above_the_limit_is_not_bridged():
    pair = [tubelet(1, 0, 50, RED), tubelet(2, 100, 150, RED)]
    assert len(TubeLinker(max_gap_s=2.1)(pair, FILM)[0]) == 1
    assert len(TubeLinker(max_gap_s=1.9)(pair, FILM)[0]) == 2


def test_nobody_walks_faster_than_believable():
    # 800 px are 8 body heights; in 2 s and with a slack of 1.5 heights that takes 3.25 heights a second.
    pair = [tubelet(1, 0, 50, RED, x=100), tubelet(2, 100, 150, RED, x=900)]
    assert len(TubeLinker(max_speed=3.3)(pair, FILM)[0]) == 1
    assert len(TubeLinker(max_speed=3.2)(pair, FILM)[0]) == 2


def test_nobody_grows_beyond_the_scale_limit():
    pair = [tubelet(1, 0, 50, RED, height=60), tubelet(2, 100, 150, RED, height=180)]
    assert len(TubeLinker(max_scale=3.1)(pair, FILM)[0]) == 1
    assert len(TubeLinker(max_scale=2.9)(pair, FILM)[0]) == 2


def test_constraints_are_checked_again_after_each_merge():
    # 1 and 3 are nearest and merge; 2 overlaps 3, so it can no longer join 1, though 1-2 alone would be allowed.
    a, b, c = np.array([1, 0]), np.array([np.cos(0.3), np.sin(0.3)]), np.array([np.cos(0.1), np.sin(0.1)])
    tubes, links = TubeLinker()([tubelet(1, 0, 50, a), tubelet(2, 60, 150, b), tubelet(3, 100, 150, c)], FILM)
    assert ids(tubes) == {1: [1, 3], 2: [2]}
    assert len(links) == 1


def test_the_cost_of_a_merge_is_the_mean_over_the_members():
    # cos 0.2, cos 0.4 and cos 0.6 radians apart: first 1-2, then 3 at the mean of its distances to both.
    look = [np.array([np.cos(t), np.sin(t)]) for t in (0.0, 0.2, 0.6)]
    trio = [tubelet(i + 1, 100 * i, 100 * i + 50, look[i]) for i in range(3)]
    _, links = TubeLinker(max_cost=0.5)(trio, FILM)
    assert links[0].cost == pytest.approx(1 - np.cos(0.2), abs=1e-6)
    assert links[1].cost == pytest.approx(((1 - np.cos(0.6)) + (1 - np.cos(0.4))) / 2, abs=1e-6)


def test_a_tubelet_without_embedding_stays_alone():
    tubes, _ = TubeLinker()([tubelet(1, 0, 50, None), tubelet(2, 100, 150, RED)], FILM)
    assert len(tubes) == 2


def test_a_tubelet_of_a_few_boxes_is_not_recognised():
    pair = [tubelet(1, 0, 50, RED), tubelet(2, 100, 103, RED)]
    assert len(TubeLinker(min_boxes=4)(pair, FILM)[0]) == 1
    assert len(TubeLinker(min_boxes=5)(pair, FILM)[0]) == 2


def test_no_tubelets_give_no_tubes():
    assert TubeLinker()([], FILM) == ([], [])


def test_a_merge_can_be_taken_back_and_the_others_stay():
    trio = [tubelet(i + 1, 100 * i, 100 * i + 50, RED) for i in range(3)]
    tubes, links = TubeLinker()(trio, FILM)
    result = VideoResult(VideoInfo('f.mp4', 640, 480, 25.0, 300, 12.0), tubes, FILM, links)
    assert ids(tubes) == {1: [1, 2, 3]}
    middle = next(i for i, link in enumerate(links) if link.later_id == 3)
    undone = without_link(result, middle)
    assert ids(undone.tubes) == {1: [1, 2], 3: [3]}
    assert ids(result.tubes) == {1: [1, 2, 3]}
    np.testing.assert_array_equal(undone.tubes[1].boxes_px, trio[2].boxes_px)
    np.testing.assert_array_equal(undone.tubes[1].frame_inds, trio[2].frame_inds)


@pytest.mark.parametrize('bad', [{'max_cost': -1}, {'max_scale': 0.5}, {'max_gap_s': -1}])
def test_limits_that_make_no_sense_are_refused(bad):
    with pytest.raises(ValueError):
        TubeLinker(**bad)


def test_both_new_neighbours_must_be_believable():
    # 1 and 3 merge; 2 lies between them and could have come from 1, but not have got to 3 (10 heights in 0.4 s).
    a, b = np.array([1, 0]), np.array([np.cos(0.2), np.sin(0.2)])
    trio = [tubelet(1, 0, 50, a), tubelet(2, 300, 340, b, x=1100), tubelet(3, 350, 400, a)]
    tubes, _ = TubeLinker()(trio, FILM)
    assert ids(tubes) == {1: [1, 3], 2: [2]}


def test_a_tubelet_belongs_to_the_shot_it_begins_in():
    pair = [tubelet(1, 0, 50, RED), tubelet(2, 60, 150, RED)]  # not cut by a tracker that saw no film
    assert len(TubeLinker()(pair, [(0, 100), (100, 200)])[0]) == 1


def test_the_mean_counts_every_member_once():
    look = [np.array([np.cos(t), np.sin(t)]) for t in (0.0, 0.05, 0.2, 0.8)]
    four = [tubelet(i + 1, 100 * i, 100 * i + 50, look[i]) for i in range(4)]
    _, links = TubeLinker(max_cost=0.5)(four, FILM)
    assert links[2].cost == pytest.approx(np.mean(1 - np.cos([0.8, 0.75, 0.6])), abs=1e-6)


def test_a_merge_in_between_makes_a_long_gap_short():
    # 1 and 3 look most alike, but 98 s lie between them; 2 stands in the middle.
    look = [np.array([np.cos(t), np.sin(t)]) for t in (0.0, 0.04, 0.0)]
    trio = [tubelet(1, 0, 50, look[0]), tubelet(2, 1250, 1300, look[1]), tubelet(3, 2500, 2550, look[2])]
    assert ids(TubeLinker(max_gap_s=60)(trio, FILM)[0]) == {1: [1, 2, 3]}


def test_merges_are_listed_shot_by_shot():
    quartet = [tubelet(i + 1, 10 * i, 10 * i + 5, RED) for i in range(4)]
    _, links = TubeLinker()(quartet, [(0, 18), (18, 50)])
    assert [(link.earlier_id, link.later_id) for link in links] == [(1, 2), (3, 4)]


def test_the_order_in_which_tubelets_are_given_does_not_matter():
    quartet = [tubelet(i + 1, 100 * i, 100 * i + 50, RED) for i in range(4)]
    assert TubeLinker()(quartet, FILM)[1] == TubeLinker()(quartet[::-1], FILM)[1]
