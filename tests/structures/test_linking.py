import pytest

from mmtube.structures import Link, Segment, Tube, apply_links, split_tubelets


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
