from itertools import pairwise

import numpy as np
import pytest

from mmtube.models.trackers.tube_linker import TubeLinker
from mmtube.structures import Tube, TubeletLook, VideoInfo, VideoResult, without_link

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
    tubes, _ = TubeLinker()([tubelet(1, 0, 50, RED), tubelet(2, 48, 150, RED, x=110)], FILM)
    assert len(tubes) == 2


def test_a_handover_of_two_frames_in_one_place_is_one_person_and_the_surer_box_stays():
    one, two = tubelet(1, 0, 50, RED), tubelet(2, 49, 150, RED, x=105)
    one.scores[-2:], two.scores[:2] = [0.9, 0.4], [0.5, 0.6]
    (tube,), _ = TubeLinker()([one, two], FILM)
    assert tube.frame_inds.tolist() == list(range(151))
    assert tube.boxes_px[[48, 49, 50, 51], 0].tolist() == [100, 100, 105, 105]
    apart = tubelet(2, 49, 150, RED, x=160)  # two people beside each other
    assert len(TubeLinker()([one, apart], FILM)[0]) == 2
    assert len(TubeLinker(max_overlap_frames=1)([one, two], FILM)[0]) == 2


def test_a_tubelet_within_another_one_is_no_handover():
    assert len(TubeLinker(min_boxes=1)([tubelet(1, 0, 50, RED), tubelet(2, 10, 11, RED)], FILM)[0]) == 2


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


def look(vector, good, frames=64):
    frames = np.arange(frames)
    return TubeletLook(frames, np.tile(np.asarray(vector, np.float32), (len(frames), 1)), frames < good)


def test_the_look_goes_before_the_embedding():
    pair = [tubelet(1, 0, 50, RED), tubelet(2, 100, 150, BLUE)]
    assert len(TubeLinker()(pair, FILM, {1: look(BLUE, 64)})[0]) == 1
    bare = [tubelet(1, 0, 50, None), tubelet(2, 100, 150, None)]
    assert len(TubeLinker()(bare, FILM)[0]) == 2
    assert len(TubeLinker()(bare, FILM, {1: look(RED, 64), 2: look(RED, 64)})[0]) == 1


def test_few_good_boxes_cost_something():
    pair = [tubelet(1, 0, 80, RED), tubelet(2, 100, 180, RED)]
    rules = TubeLinker(weak_cost=0.1, full_evidence=16)
    costs = [rules(pair, FILM, {1: look(RED, good), 2: look(RED, 64)})[1][0].cost for good in (16, 8, 4)]
    assert costs == pytest.approx([0, 0.05, 0.075], abs=1e-6)
    assert rules.propose(pair, FILM, {1: look(RED, 0), 2: look(RED, 64)})[0].cost == pytest.approx(0.1, abs=0.01)


def test_another_height_costs_its_logarithm():
    pair = [tubelet(1, 0, 50, RED), tubelet(2, 100, 150, RED, height=150.0)]
    (made,) = TubeLinker(scale_cost=0.2)(pair, FILM)[1]
    assert made.cost == pytest.approx(0.2 * np.log(1.5), abs=1e-6)


def test_going_on_where_the_motion_led_makes_a_merge_cheaper():
    def moving(track_id, first, last, at):
        tube = tubelet(track_id, first, last, np.array([np.cos(0.7 * track_id), np.sin(0.7 * track_id)]))
        tube.boxes_px[:, [0, 2]] += 4 * (tube.frame_inds - at)[:, None]  # 4 pixels a frame to the right
        return tube

    distance = 1 - np.cos(0.7)
    pair = [moving(1, 0, 50, 0), moving(2, 56, 100, 0)]
    assert len(TubeLinker(max_cost=0.1)(pair, FILM)[0]) == 2
    (made,) = TubeLinker(max_cost=0.1, near_bonus=0.2, near_gap_s=1.0)(pair, FILM)[1]
    assert made.cost == pytest.approx(distance - 0.2 * np.exp(-6 / 25), abs=1e-4)
    # The same gap, but he comes back where he was: 24 pixels behind the prediction, 0.24 heights.
    back = [moving(1, 0, 50, 0), moving(2, 56, 100, 6)]
    rules = TubeLinker(max_cost=0.3, near_bonus=0.2, near_distance=0.3)
    assert rules(back, FILM)[1][0].cost == pytest.approx(distance - 0.2 * np.exp(-6 / 25 - 0.24 / 0.3), abs=1e-4)


def test_what_a_splitter_parted_gets_no_bonus():
    pair = [tubelet(1, 0, 50, RED), tubelet(2, 51, 100, np.array([0.8, 0.6]))]
    rules = TubeLinker(max_cost=0.1, near_bonus=0.3)
    assert len(rules(pair, FILM)[0]) == 1
    assert len(rules(pair, FILM, None, [(1, 2)])[0]) == 2


def test_a_merge_that_a_rival_could_take_is_left_to_a_reviewer():
    near, far = np.array([np.cos(0.1), np.sin(0.1)]), np.array([np.cos(0.12), np.sin(0.12)])
    # 2 and 3 are seen at the same time and both look like 1; one of them must be somebody else.
    trio = [tubelet(1, 0, 50, RED), tubelet(2, 100, 150, near, x=90), tubelet(3, 100, 150, far, x=130)]
    assert ids(TubeLinker()(trio, FILM)[0]) == {1: [1, 2], 3: [3]}
    rules = TubeLinker(min_margin=0.05)
    assert len(rules(trio, FILM)[0]) == 3
    proposals = rules.propose(trio, FILM)
    assert [(p.earlier_id, p.later_id, p.made, p.accepted) for p in proposals] == [
        (1, 2, False, False),
        (1, 3, False, False),
    ]
    assert 'another tubelet fits nearly as well' in proposals[0].reason
    # One that is seen later is no rival: it may be the same person again.
    trio[2] = tubelet(3, 200, 250, far)
    assert len(rules(trio, FILM)[0]) == 1


def test_a_near_miss_is_proposed_and_not_made():
    other = np.array([np.cos(0.7), np.sin(0.7)])  # 0.235 away
    pair = [tubelet(1, 0, 50, RED), tubelet(2, 100, 150, other)]
    (proposal,) = TubeLinker(max_cost=0.2, near_miss=0.1).propose(pair, FILM)
    assert not proposal.made and 'not made: cost 0.235 > 0.2' in proposal.reason
    assert TubeLinker(max_cost=0.2, near_miss=0.03).propose(pair, FILM) == []


def test_a_tubelet_with_more_good_boxes_weighs_more_in_the_mean():
    angles = (0.0, 0.29, 0.6)
    trio = [tubelet(i + 1, 100 * i, 100 * i + 50, np.array([np.cos(t), np.sin(t)])) for i, t in enumerate(angles)]
    looks = {i + 1: look(trio[i].embedding, good) for i, good in enumerate((16, 4, 16))}
    links = TubeLinker(max_cost=0.5)(trio, FILM, looks)[1]
    # 1 and 2 merge first; then 3 joins them, with weights 16 and 4.
    expected = (16 * (1 - np.cos(0.6)) + 4 * (1 - np.cos(0.31))) / 20
    assert (links[0].earlier_id, links[0].later_id) == (1, 2)
    assert links[1].cost == pytest.approx(expected, abs=1e-6)


def reference_links(rules, tubes):
    """Average linkage from its definition: all pairs of clusters are compared anew at each merge."""
    clusters = [[tube] for tube in tubes]
    made = []
    while True:
        best = None
        for i, a in enumerate(clusters):
            for j in range(i + 1, len(clusters)):
                b = clusters[j]
                if any(
                    x.frame_inds[0] <= y.frame_inds[-1] and y.frame_inds[0] <= x.frame_inds[-1] for x in a for y in b
                ):
                    continue
                order = sorted(a + b, key=lambda t: t.frame_inds[0])
                joints = [(x, y) for x, y in pairwise(order) if (x in a) != (y in a)]
                if any(y.start_s - x.end_s > rules.max_gap_s for x, y in joints):
                    continue
                cost = float(np.mean([1 - float(x.embedding @ y.embedding) for x in a for y in b]))
                if cost <= rules.max_cost and (best is None or cost < best[0] - 1e-12):
                    best = cost, i, j
        if best is None:
            return sorted(made)
        cost, i, j = best
        made.append(cost)
        clusters[i] += clusters.pop(j)


@pytest.mark.parametrize('seed', range(12))
def test_the_clustering_is_that_of_the_definition(seed):
    rng = np.random.default_rng(seed)
    tubes = []
    for track_id in range(1, 15):
        first = int(rng.integers(0, 1500))
        embedding = rng.normal(size=3) + np.array([2, 0, 0])
        tubes.append(tubelet(track_id, first, first + 60, embedding / np.linalg.norm(embedding)))
    rules = TubeLinker(max_cost=0.4, max_gap_s=30, max_overlap_frames=0, full_evidence=1)
    costs = sorted(link.cost for link in rules(tubes, FILM)[1])
    assert costs == pytest.approx(reference_links(rules, tubes), abs=1e-6)


@pytest.mark.parametrize('bad', [{'near_distance': 0}, {'full_evidence': 0}, {'min_margin': -1}, {'near_bonus': -0.1}])
def test_costs_that_make_no_sense_are_refused(bad):
    with pytest.raises(ValueError):
        TubeLinker(**bad)


def test_a_threshold_may_be_as_low_as_the_bonus():
    assert TubeLinker(max_cost=-0.1, near_bonus=0.15).max_cost == -0.1
    with pytest.raises(ValueError, match='no merge costs less'):
        TubeLinker(max_cost=-0.2, near_bonus=0.15)


def test_the_bonus_of_a_later_member_counts_after_a_merge():
    angles = (0.0, 0.02, 0.9)  # 3 looks different (0.37), but goes on where 2 ended
    spans = ((0, 50), (100, 150), (152, 200))
    looks = [np.array([np.cos(t), np.sin(t)]) for t in angles]
    trio = [tubelet(i + 1, *spans[i], looks[i]) for i in range(3)]
    rules = TubeLinker(max_cost=0.2, near_miss=0, near_bonus=0.3)
    assert [(link.earlier_id, link.later_id) for link in rules(trio, FILM)[1]] == [(1, 2), (2, 3)]
