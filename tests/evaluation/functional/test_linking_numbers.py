"""Which person a tubelet is, which merges are right."""

import numpy as np

from mmtube.evaluation.functional.linking import NOBODY, boxes_of_people, merges, purity
from mmtube.evaluation.functional.track_pairs import number_tracks, overlaps


def columns(*boxes):
    """Boxes of (frame, ID, left edge)."""
    frames, ids, left = (np.array(column) for column in zip(*boxes))
    return np.zeros(len(ids), np.int64), frames, ids, np.stack([left, 0 * left, left + 10, 0 * left + 10], axis=1)


def test_a_box_shows_the_person_whom_it_fits_and_no_person_twice():
    truth = number_tracks(*columns((0, 1, 0), (0, 2, 4)), 10)
    found = number_tracks(*columns((0, 5, 1), (0, 6, 0), (0, 7, 50)), 10)
    # ID 5 overlaps both by more than half; ID 6 fits person 1 exactly, so ID 5 is person 2.
    assert boxes_of_people(truth, found, overlaps(truth, found)).tolist() == [1, 0, NOBODY]
    assert boxes_of_people(truth, found, overlaps(truth, found), 0.9).tolist() == [NOBODY, 0, NOBODY]


def test_purity_looks_at_groups_and_completeness_at_people():
    person = np.array([0, 0, 0, 1, 1, NOBODY, 0])
    counted = purity(person, np.array([0, 0, 0, 0, 1, 1, 1]), num_people=3, num_groups=3)
    assert counted.matched.tolist() == [4, 2, 0] and counted.own.tolist() == [3, 1, 0]
    assert counted.person.tolist() == [0, 0, NOBODY]  # of equal numbers the lower person
    assert counted.seen.tolist() == [4, 2, 0] and counted.main.tolist() == [3, 1, 0]


def test_a_merge_is_judged_between_tubelets_that_follow_each_other():
    # Tube 9 holds, in the order of time, the tubelets of people 0, 1, 0 and of nobody.
    person, tube = np.array([0, 0, 1, NOBODY]), np.array([9, 9, 9, 9])
    judged = merges(person, tube, np.array([0, 20, 10, 30]), num_people=2)
    assert list(zip(judged.earlier.tolist(), judged.later.tolist())) == [(0, 2), (2, 1), (1, 3)]
    assert judged.wrong.tolist() == [True, True, False] and judged.right.tolist() == [False] * 3
    assert judged.needed.tolist() == [1, 0] and judged.missed.tolist() == [0, 0]


def test_missed_merges_are_the_tubes_of_a_person_less_one():
    judged = merges(np.array([0, 0, 0, 0]), np.array([1, 2, 1, 3]), np.arange(4), num_people=1)
    assert judged.needed.tolist() == [3] and judged.missed.tolist() == [2] and judged.right.tolist() == [True]


def test_nothing_is_judged_without_tubelets():
    none = np.zeros(0, np.int64)
    judged = merges(none, none, none, num_people=2)
    assert not len(judged.earlier) and judged.needed.tolist() == [0, 0]
    assert purity(none, none, 2, 0).seen.tolist() == [0, 0]


def test_a_merge_of_two_tubelets_of_nobody_is_neither_right_nor_wrong():
    judged = merges(np.array([NOBODY, NOBODY]), np.array([4, 4]), np.array([0, 9]), num_people=1)
    assert judged.right.tolist() == [False] and judged.wrong.tolist() == [False]
