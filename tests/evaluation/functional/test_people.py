import numpy as np
import pytest

from mmtube.errors import InputError
from mmtube.evaluation.functional.people import Person, keys_of, labelled_tubes, match_people, without_repeats


def person(first, last, number=0, video='a', x=0.0, actions=(), fps=10.0, frames=None):
    """Someone in frames first to last with (start_s, end_s, label, score)."""
    frames = np.arange(first, last + 1) if frames is None else np.asarray(frames)
    actions = np.array(actions, float).reshape(-1, 4)
    return Person(
        video,
        number,
        frames,
        frames / fps,
        np.tile([x, 0, x + 10, 10], (len(frames), 1)).astype(float),
        actions[:, :2],
        actions[:, 2].astype(np.int64),
        actions[:, 3],
        [f'aa[{row}]' for row in range(len(actions))],
    )


def test_an_action_is_the_boxes_from_its_start_to_before_its_end():
    # 10 frames per second: 0.3 s to 0.6 s are frames 3, 4 and 5, which tables count from 1.
    table, owner, far = labelled_tubes([person(0, 9, actions=[(0.3, 0.6, 2, 0.7)])], 'file')
    assert table.frames.tolist() == [4, 5, 6] and table.labels.tolist() == [2] and table.scores.tolist() == [0.7]
    assert owner.tolist() == [0] and far == 0


def test_times_that_differ_by_rounding_are_one():
    table, _, _ = labelled_tubes([person(0, 9, actions=[(0.3 + 1e-9, 0.6 + 1e-9, 0, 1)])], 'file')
    assert table.frames.tolist() == [4, 5, 6]


def test_holes_stay_holes():
    table, _, _ = labelled_tubes([person(0, 0, frames=[0, 1, 7, 8], actions=[(0, 0.8, 0, 1)])], 'file', truth=True)
    assert table.frames.tolist() == [1, 2, 8] and table.scores is None


def test_an_action_without_a_box_is_put_at_the_nearest_one_and_counted():
    someone = person(0, 0, frames=[0, 1, 20], actions=[(0.5, 0.7, 0, 1), (1.5, 1.8, 0, 1)])
    table, _, far = labelled_tubes([someone], 'file')
    assert table.frames.tolist() == [2, 21] and table.offsets.tolist() == [0, 1, 2] and far == 2


def test_people_without_actions_have_no_tube_and_without_boxes_no_action():
    table, owner, _ = labelled_tubes([person(0, 3), person(0, 3, actions=[(0, 0.2, 0, 1)])], 'file')
    assert len(table) == 1 and owner.tolist() == [1]
    with pytest.raises(InputError, match=r'^file: aa\[0\]: the person has no box'):
        labelled_tubes([person(0, 0, frames=[], actions=[(0, 1, 0, 1)])], 'file')


def test_an_action_that_does_not_end_after_its_start_is_refused():
    with pytest.raises(InputError, match=r'^file: aa\[1\]: ends at 0.2 s, not after its start at 0.2 s'):
        labelled_tubes([person(0, 3, actions=[(0, 0.2, 0, 1), (0.2, 0.2, 0, 1)])], 'file')


def test_actions_that_stand_twice_or_have_no_length_are_removed_and_counted():
    actions = [(0, 1, 0, 1), (0.0005, 1.0005, 0, 1), (0, 1, 1, 1), (0.002, 1, 0, 1), (2, 2, 0, 1)]
    (cleaned, other), repeats, empties = without_repeats(
        [person(0, 9, actions=actions), person(0, 9, actions=actions[:1])]
    )
    assert cleaned.segments_s[:, 0].tolist() == [0, 0, 0.002] and cleaned.labels.tolist() == [0, 1, 0]
    assert cleaned.places == ['aa[0]', 'aa[2]', 'aa[3]'] and len(other.labels) == 1
    assert (repeats, empties) == (1, 1)


def test_the_assignment_has_the_largest_sum_and_not_the_largest_first_overlap():
    # A overlaps 0 by 0.9 and 1 by 0.8; B overlaps 0 by 0.8 and 1 by nothing that counts.
    people = [person(0, 99, 0), person(0, 79, 1)]
    found = [person(0, 89, 5), person(20, 99, 6)]
    assert match_people(people, found, min_iou=0.6) == {('a', 5): ('a', 1), ('a', 6): ('a', 0)}


def test_the_assignment_leaves_out_whoever_would_have_to_take_a_stranger():
    # A is 0 exactly and 1 by 0.4, B is 0 by 0.4 and does not touch 1: A with 0 alone is more than the two 0.4.
    people = [person(0, 99, 0), person(0, 39, 1)]
    found = [person(0, 99, 5), person(60, 99, 6)]
    assert match_people(people, found, min_iou=0.3) == {('a', 5): ('a', 0)}


def test_a_tube_that_overlaps_too_little_matches_nobody():
    people, found = [person(0, 99, 0)], [person(0, 49, 5)]
    assert match_people(people, found, min_iou=0.5) == {('a', 5): ('a', 0)}
    assert match_people(people, found, min_iou=0.51) == {}


def test_people_of_another_film_or_place_match_nobody():
    assert match_people([person(0, 9)], [person(0, 9, video='b'), person(0, 9, x=50.0)]) == {}
    assert match_people([person(0, 9)], []) == {}


def test_tubelets_of_one_person_are_one_tube_or_each_its_own():
    people = [person(0, 49, 3), person(60, 99, 3)]
    found = [person(0, 99, 8)]
    assert match_people(people, found, min_iou=0.8) == {('a', 8): ('a', 3)}  # 90 of 100 frames
    assert match_people(people, found, min_iou=0.8, match_to='tubelet') == {}
    assert match_people(people, found, min_iou=0.5, match_to='tubelet') == {('a', 0): ('a', 0)}
    with pytest.raises(ValueError, match='crowd'):
        keys_of(people, 'crowd')


def test_a_person_with_two_boxes_in_a_frame_is_refused():
    with pytest.raises(InputError, match=r"^gt.json: person 3 of 'a' has two boxes in a frame"):
        match_people([person(0, 5, 3), person(5, 9, 3)], [person(0, 9)], names=('gt.json', 'pred'))


@pytest.mark.parametrize('seed', range(5))
def test_the_order_of_the_people_changes_nothing(seed):
    rng = np.random.default_rng(seed)
    people = [person(0, int(rng.integers(5, 9)), number, x=float(rng.integers(0, 3))) for number in range(6)]
    found = [person(0, int(rng.integers(5, 9)), number, x=float(rng.integers(0, 3))) for number in range(8)]
    first = match_people(people, found, min_iou=0.3)
    mixed = [[some[place] for place in rng.permutation(len(some))] for some in (people, found)]
    assert len(first) == 6 and match_people(*mixed, min_iou=0.3) == first
