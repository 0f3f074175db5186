import numpy as np
import pytest

from mmtube.structures import (
    Link,
    Segment,
    Tube,
    TubeletSplit,
    VideoInfo,
    VideoResult,
    apply_links,
    apply_splits,
    split_tubelets,
    without_link,
)


def tubelet(track_id, first, last, **kwargs):
    frames = list(range(first, last + 1))
    return Tube(track_id, frames, [f / 10 for f in frames], [[0, 0, 4, 8]] * len(frames), **kwargs)


def link(earlier, later):
    return Link(earlier, later, 0.1, 1.0, 'test')


def test_chains_of_links_become_one_tube_under_the_lowest_id():
    tubes = apply_links([tubelet(i, 10 * i, 10 * i + 5) for i in (1, 2, 3, 4)], [link(2, 3), link(3, 4)])
    assert {tube.track_id: sorted(set(tube.tubelet_ids.tolist())) for tube in tubes} == {1: [1], 2: [2, 3, 4]}


def test_a_link_to_nobody_is_refused():
    with pytest.raises(ValueError, match='tubelet 9'):
        apply_links([tubelet(1, 0, 5)], [link(1, 9)])


def test_what_was_joined_comes_apart_and_actions_go_to_their_time():
    a = tubelet(1, 0, 9, segments=[Segment(0.1, 0.5, 0)], clip_times_s=[0.0], clip_scores=[[0.3]])
    b = tubelet(2, 30, 39, segments=[Segment(3.2, 3.6, 1)], clip_times_s=[3.0], clip_scores=[[0.7]])
    (joined,) = apply_links([a, b], [link(1, 2)])
    for part, original in zip(split_tubelets(joined), (a, b)):
        assert part.track_id == original.track_id
        assert part.frame_inds.tolist() == original.frame_inds.tolist()
        assert part.segments == original.segments
        assert part.clip_scores.tolist() == original.clip_scores.tolist()


def test_boxes_filled_in_at_the_end_of_a_tubelet_belong_to_nobody():
    tube = tubelet(1, 0, 9)
    tube.tubelet_ids[5:] = 2
    tube.observed[[3, 4]] = False
    assert [part.frame_inds.tolist() for part in split_tubelets(tube)] == [[0, 1, 2], [5, 6, 7, 8, 9]]


def test_a_tube_of_one_tubelet_is_returned_as_it_is():
    tube = tubelet(1, 0, 9)
    assert split_tubelets(tube)[0] is tube


def test_the_lowest_id_wins_though_it_comes_later():
    tubes = apply_links([tubelet(1, 20, 25), tubelet(2, 0, 5), tubelet(3, 40, 45)], [link(2, 1), link(1, 3)])
    assert [tube.track_id for tube in tubes] == [1]


def test_an_action_belongs_to_the_tubelet_whose_span_is_nearest_not_to_the_nearest_start():
    a, b = tubelet(1, 0, 30), tubelet(2, 40, 49)
    a.segments = [Segment(2.6, 3.0, 0)]
    a.clip_times_s, a.clip_scores = np.array([3.0]), np.array([[0.5]], np.float32)
    (joined,) = apply_links([a, b], [link(1, 2)])
    parts = split_tubelets(joined)
    assert [len(part.segments) for part in parts] == [1, 0]
    assert [part.clip_times_s.tolist() for part in parts] == [[3.0], []]


def test_boxes_filled_in_inside_a_tubelet_stay_and_at_its_ends_go():
    tube = tubelet(1, 0, 9)
    tube.tubelet_ids[5:] = 2
    tube.observed[[2, 5]] = False
    assert [part.frame_inds.tolist() for part in split_tubelets(tube)] == [[0, 1, 2, 3, 4], [6, 7, 8, 9]]


def test_an_embedding_that_cannot_be_taken_apart_is_dropped():
    (joined,) = apply_links([tubelet(1, 0, 5, embedding=[1, 0]), tubelet(2, 9, 12, embedding=[0, 1])], [link(1, 2)])
    assert [part.embedding for part in split_tubelets(joined)] == [None, None]


def test_the_link_that_was_taken_back_is_gone():
    parts = [tubelet(1, 0, 5), tubelet(2, 9, 12), tubelet(3, 20, 25)]
    links = [link(1, 2), link(2, 3)]
    result = VideoResult(VideoInfo('f.mp4', 4, 8, 10.0, 30, 3.0), apply_links(parts, links), [], links)
    undone = without_link(result, 0)
    assert undone.links == [links[1]] and result.links == links


def test_taking_a_link_back_leaves_the_other_tubes_as_they_are():
    parts = [tubelet(i, 10 * i, 10 * i + 5, embedding=[1.0, 0.0]) for i in (1, 2, 3, 4)]
    links = [link(1, 2), link(3, 4)]
    result = VideoResult(VideoInfo('f.mp4', 4, 8, 10.0, 60, 6.0), apply_links(parts, links), [], links)
    undone = without_link(result, 0)
    assert [tube.track_id for tube in undone.tubes] == [1, 2, 3]
    assert undone.tubes[2] is result.tubes[1]


def test_a_tube_without_rows_comes_apart_into_itself():
    empty = tubelet(1, 0, -1, segments=[Segment(0.0, 1.0, 0)])
    assert split_tubelets(empty) == [empty]


def test_of_two_boxes_in_a_frame_the_surer_stays_if_few_are_shared():
    one, two = tubelet(1, 0, 5, scores=[0.5] * 6), tubelet(2, 5, 9, scores=[0.7] * 5)
    two.boxes_px[:] += 1
    (joined,) = apply_links([one, two], [link(1, 2)], max_overlap_frames=1)
    assert joined.frame_inds.tolist() == list(range(10))
    assert joined.tubelet_ids.tolist() == [1] * 5 + [2] * 5 and joined.boxes_px[5, 0] == 1
    with pytest.raises(ValueError):
        apply_links([one, tubelet(2, 4, 9)], [link(1, 2)], max_overlap_frames=1)


def test_splits_part_tubelets_in_their_order():
    tubes = apply_splits([tubelet(1, 0, 9)], [TubeletSplit(1, 5, 6, 0.4, None), TubeletSplit(1, 6, 3, 0.4, 5)])
    assert [(tube.track_id, tube.frame_inds.tolist()) for tube in tubes] == [
        (1, [0, 1, 2]),
        (5, [6, 7, 8, 9]),
        (6, [3, 4, 5]),
    ]
    assert [set(tube.tubelet_ids.tolist()) for tube in tubes] == [{1}, {5}, {6}]


@pytest.mark.parametrize(
    'split, message',
    [((7, 9, 3), 'tubelet 7, which does not exist'), ((1, 2, 3), 'tubelet 2, which exists'), ((1, 9, 0), 'no box on')],
)
def test_splits_that_do_not_fit_are_refused(split, message):
    with pytest.raises(ValueError, match=message):
        apply_splits([tubelet(1, 0, 5), tubelet(2, 0, 5)], [TubeletSplit(*split, 0.4, None)])
