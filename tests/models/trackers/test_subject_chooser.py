"""SubjectChooser: the longest, the surest, at most three at a time, with a visible head."""

import numpy as np
import pytest

from mmtube.models.trackers import SubjectChooser, longest_tubes
from mmtube.structures import Tube


def tube(track_id, frames, score=1.0, top=50):
    """A person in a lane of their own, at 10 frames per second."""
    frames = np.array(list(frames))
    left = 100 * track_id
    return Tube(track_id, frames, frames / 10, [[left, top, left + 20, top + 60]] * len(frames), [score] * len(frames))


def kept(tubes, **options):
    """IDs and numbers of boxes that are kept, and reasons."""
    verdicts = SubjectChooser(**options).choose(tubes)
    return {v.track_id: int(v.keep.sum()) for v in verdicts}, {v.track_id: v.reason for v in verdicts if v.reason}


def test_the_longest_of_the_candidates_are_kept_and_ties_go_to_who_begins_first():
    tubes = [tube(3, range(5)), tube(1, range(2, 12)), tube(2, range(10)), tube(0, range(4))]
    assert [t.track_id for t in longest_tubes(tubes, 2)] == [1, 2]
    assert [t.track_id for t in longest_tubes(tubes, 1)] == [2]  # ten boxes each, begins at 0
    assert longest_tubes([], 3) == []


def test_three_may_be_there_at_a_time_and_the_fourth_goes():
    tubes = [tube(number, range(30)) for number in range(4)]
    counts, reasons = kept(tubes)
    assert counts == {0: 30, 1: 30, 2: 30, 3: 0}  # of equal ones the lower ID
    assert reasons == {3: '3 others with a higher length x score are there'}


def test_length_times_score_decides_and_not_length_alone():
    tubes = [tube(0, range(40), 0.5), *(tube(number, range(30), 0.9) for number in (1, 2, 3))]  # 20, and 27 each
    counts, _ = kept(tubes)
    assert counts == {0: 10, 1: 30, 2: 30, 3: 30}  # 0 keeps the second after the others


def test_four_people_at_different_times_all_stay():
    counts, reasons = kept([tube(number, range(10 * number, 10 * number + 30)) for number in range(4)])
    assert counts == {0: 30, 1: 30, 2: 30, 3: 30} and not reasons  # 3 begins when 0 has gone


def test_the_rest_of_a_candidate_is_kept_if_it_lasts_a_second():
    others = [tube(number, range(100)) for number in range(3)]
    counts, reasons = kept([*others, tube(3, [*range(90, 110)])])  # ten free frames are a second
    assert counts[3] == 10 and reasons[3] == '10 of 20 frames: 3 others are there at other times'
    counts, reasons = kept([*others, tube(3, range(90, 109))])
    assert counts[3] == 0
    counts, _ = kept([*others, tube(3, range(90, 109))], min_piece_s=0.9)
    assert counts[3] == 9


def test_a_hole_of_a_tube_is_no_time_that_is_kept():
    others = [tube(number, [*range(29), *range(151, 280)]) for number in range(3)]
    linked = tube(3, [*range(30), *range(150, 180)], score=0.5)  # free in the frames 29 and 150 alone
    counts, reasons = kept([*others, linked])
    assert counts[3] == 0 and reasons[3].startswith('3 others')
    seldom = tube(3, range(0, 60, 3), score=0.5)  # boxes in each third frame: the ten from 30 on last three seconds
    counts, _ = kept([*(tube(number, range(30)) for number in range(3)), seldom], min_piece_s=3)
    assert counts[3] == 10


def test_the_kept_pieces_are_the_free_ones():
    others = [tube(number, range(20, 80)) for number in range(3)]
    (*_, cut) = SubjectChooser()([*others, tube(3, range(5, 100, 1), 0.1)])
    assert cut.frame_inds.tolist() == [*range(5, 20), *range(80, 100)]


def test_only_as_many_candidates_as_asked_are_looked_at():
    counts, reasons = kept([tube(0, range(30)), tube(1, range(40)), tube(2, range(20))], top_k=2)
    assert counts == {0: 30, 1: 40, 2: 0} and reasons == {2: 'is not among the 2 longest'}


def heads(*parts):
    return [np.array(part) for part in parts]


def test_a_head_must_be_seen_in_a_third_of_the_frames():
    tubes = [tube(0, range(30)), tube(1, range(30))]
    seen = heads([True] * 10 + [False] * 20, [True] * 9 + [False] * 21)
    verdicts = SubjectChooser().choose(tubes, seen)
    assert [int(v.keep.sum()) for v in verdicts] == [30, 0]
    assert verdicts[1].reason == 'the head is seen in 9 of 30 frames'


def test_the_head_must_also_be_seen_in_what_is_left():
    tubes = [*(tube(number, range(30)) for number in range(3)), tube(3, range(50), 0.1)]
    seen = heads(*([True] * 30 for _ in range(3)), [True] * 30 + [False] * 20)
    verdict = SubjectChooser().choose(tubes, seen)[3]
    assert not verdict.keep.any() and verdict.reason == 'the head is seen in 0 of the 20 frames that are left of it'


def test_without_flags_heads_are_guessed_from_the_boxes():
    counts, reasons = kept([tube(0, range(30), top=0), tube(1, range(30))])  # 0 begins at the upper edge
    assert counts == {0: 0, 1: 30} and reasons == {0: 'the head is seen in 0 of 30 frames'}


def test_who_was_left_out_takes_no_place():
    tubes = [tube(0, range(50), top=0), *(tube(number, range(30)) for number in (1, 2, 3))]
    assert kept(tubes)[0] == {0: 0, 1: 30, 2: 30, 3: 30}


def test_the_result_does_not_depend_on_the_order_given():
    rng = np.random.default_rng(3)
    tubes = [
        tube(n, range(int(a), int(a) + int(b)), float(s))
        for n, (a, b, s) in enumerate(zip(rng.integers(0, 60, 12), rng.integers(5, 60, 12), rng.random(12)))
    ]
    forwards, backwards = kept(tubes)[0], kept(tubes[::-1])[0]
    assert forwards == backwards and 0 in forwards.values()
    active = np.zeros(200, int)
    for chosen in SubjectChooser()(tubes):
        active[chosen.frame_inds] += 1
    assert active.max() == 3


def test_nobody_and_a_tube_without_boxes():
    assert SubjectChooser()([]) == []
    verdicts = SubjectChooser().choose([Tube(0, [], [], np.zeros((0, 4)))])
    assert verdicts[0].reason == 'has no box'


def test_numbers_that_make_no_sense_are_refused():
    for options in ({'top_k': 0}, {'max_active': 0}, {'min_head': 1.5}, {'min_piece_s': -1}):
        with pytest.raises(ValueError, match='must be positive'):
            SubjectChooser(**options)
    with pytest.raises(ValueError, match='one value for each box'):
        SubjectChooser().choose([tube(0, range(5))], heads([True] * 4))
