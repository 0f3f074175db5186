"""Boxes that follow one another by overlap, and runs of IDs along them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmtube.ops import box_iou
from mmtube.ops.box_chains import (
    IDRuns,
    chain_numbers,
    follow_boxes,
    long_switches,
    picture_numbers,
    short_switches,
)


def boxes_at(lefts):
    """Boxes of 10 x 20 pixels."""
    lefts = np.asarray(lefts, float)
    return np.stack([lefts, 0 * lefts, lefts + 10, 0 * lefts + 20], axis=1)


def test_pictures_of_two_shots_are_further_apart_than_a_gap():
    numbers = picture_numbers(np.array([5, 6, 7, 8, 3]), np.array([1, 1, 2, 2, 9]), max_gap=2)
    assert numbers.tolist() == [0, 1, 5, 6, 10]  # 1 and 5 are four apart, a gap of 2 bridges three


def test_no_pictures_are_no_numbers():
    assert picture_numbers(np.zeros(0, int), np.zeros(0, int), 3).tolist() == []
    assert follow_boxes(np.zeros(0, int), np.zeros((0, 4))).tolist() == []


def test_a_box_is_followed_by_the_one_it_overlaps_most():
    pictures = np.array([0, 0, 1, 1])
    assert follow_boxes(pictures, boxes_at([0, 3, 3.5, 0.5])).tolist() == [3, 2, -1, -1]


def test_one_box_cannot_follow_two():
    assert follow_boxes(np.array([0, 0, 1]), boxes_at([0, 1, 1.2])).tolist() == [-1, 2, -1]


def test_the_second_best_is_taken_when_the_best_is_gone():
    # Box 1 is nearest to box 2, which follows it; box 0 is left with box 3.
    assert follow_boxes(np.array([0, 0, 1, 1]), boxes_at([0, 1, 1.1, -2])).tolist() == [3, 2, -1, -1]


def test_less_overlap_than_asked_ends_a_chain():
    pictures = np.array([0, 1])
    third = boxes_at([0, 5])  # shares 5 of 15 pixels
    assert follow_boxes(pictures, third, min_iou=0.34).tolist() == [-1, -1]
    assert follow_boxes(pictures, third, min_iou=0.33).tolist() == [1, -1]


def test_a_gap_is_bridged_where_it_is_allowed_and_a_smaller_one_goes_first():
    pictures = np.array([0, 1, 2, 3])
    lefts = [0, 40, 0, 0]
    assert follow_boxes(pictures, boxes_at(lefts), max_gap=0).tolist() == [-1, -1, 3, -1]
    assert follow_boxes(pictures, boxes_at(lefts), max_gap=1).tolist() == [2, -1, 3, -1]


def test_equal_ids_decide_where_two_people_coincide():
    pictures, boxes = np.array([0, 0, 1, 1]), boxes_at([0, 0.5, 0.4, 0.1])
    assert follow_boxes(pictures, boxes).tolist() == [3, 2, -1, -1]
    assert follow_boxes(pictures, boxes, ids=np.array([7, 8, 7, 8]), id_bonus=0.2).tolist() == [2, 3, -1, -1]


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(0, 60)), max_size=25), st.integers(0, 2))
def test_greedy_matching_is_that_of_a_plain_loop(rows, max_gap):
    pictures, boxes = np.array([row[0] for row in rows], np.int64), boxes_at([row[1] for row in rows])
    iou = box_iou(boxes, boxes)
    follower, leader = [-1] * len(rows), [-1] * len(rows)
    for step in range(1, max_gap + 2):
        # A box that had a follower or a leader before this step has no part in it.
        pairs = [
            (-iou[a, b], a, b)
            for a in range(len(rows))
            for b in range(len(rows))
            if pictures[b] - pictures[a] == step and iou[a, b] >= 0.5 and follower[a] < 0 and leader[b] < 0
        ]
        for _, a, b in sorted(pairs):
            if follower[a] < 0 and leader[b] < 0:
                follower[a], leader[b] = b, a
    assert follow_boxes(pictures, boxes, 0.5, max_gap).tolist() == follower


def test_chains_are_named_by_their_first_box():
    assert chain_numbers(np.array([2, -1, 4, -1, -1])).tolist() == [0, 1, 0, 3, 0]
    assert chain_numbers(np.array([3, 0, 1, -1])).tolist() == [2, 2, 2, 2]  # 2 -> 1 -> 0 -> 3


def runs_of(ids):
    """One chain of a box in each picture."""
    return np.array([ord(letter) for letter in ids.replace('-', '')])


def relabelled(text, max_run=6):
    """IDs of one chain after short switches are put right; '-' is a picture without a box."""
    pictures = np.array([at for at, letter in enumerate(text) if letter != '-'])
    ids = runs_of(text)
    for change in short_switches(pictures, ids.copy(), np.zeros(len(ids), int), max_run):
        ids[change.rows] = change.new_id
    letters = iter(map(chr, ids))
    return ''.join('-' if letter == '-' else next(letters) for letter in text)


@pytest.mark.parametrize(
    ('before', 'after'),
    {
        'AABAA': 'AAAAA',
        'AABBBBBBAA': 'AAAAAAAAAA',  # six
        'AABBBBBBBAA': 'AABBBBBBBAA',  # seven
        'AAB-B--BAA': 'AAA-A--AAA',  # six pictures, three boxes
        'AAB-B---BAA': 'AAB-B---BAA',  # seven pictures
        'AABB': 'AABB',  # no A behind it
        'BBAA': 'BBAA',  # no A before it
        'AABCCAA': 'AAAAAAA',  # two strangers in a row
        'AABAACCCA': 'AAAAAAAAA',
        'AAABBABBB': 'AAABBBBBB',  # the shorter run first: then B has no A behind it
        'A': 'A',
    }.items(),
)
def test_a_short_run_between_two_boxes_of_an_id_gets_that_id(before, after):
    assert relabelled(before) == after


def test_two_people_who_exchange_their_ids_both_come_out_right():
    pictures = np.tile(np.arange(9), 2)
    chains = np.repeat([0, 9], 9)
    ids = np.array([1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2])
    for change in short_switches(pictures, ids.copy(), chains):
        assert not change.is_exchange
        ids[change.rows] = change.new_id
    assert ids.tolist() == [1] * 9 + [2] * 9


def test_a_box_in_the_way_of_a_run_takes_its_id():
    # The second chain ends within the exchange, so that nothing but the first says that its IDs are wrong.
    pictures = np.array([0, 1, 2, 3, 4, 0, 1, 2, 3])
    chains = np.array([0] * 5 + [5] * 4)
    ids = np.array([1, 1, 2, 2, 1, 2, 2, 1, 1])
    changes = short_switches(pictures, ids, chains)
    assert [(c.rows.tolist(), c.new_id, c.is_exchange) for c in changes] == [([2, 3], 1, False), ([7, 8], 2, True)]


def test_a_run_is_left_alone_where_an_id_would_get_two_boxes():
    # Box 5 is in the way, and may not take the run's two IDs at once: 3 has another box in that picture.
    pictures = np.array([0, 1, 2, 1, 1])
    chains = np.array([0, 0, 0, 3, 4])
    assert short_switches(pictures, np.array([1, 2, 1, 5, 6]), chains)[0].rows.tolist() == [1]
    moved = short_switches(pictures, np.array([1, 2, 1, 1, 6]), chains)
    assert [(c.rows.tolist(), c.new_id) for c in moved] == [([1], 1), ([3], 2)]
    # Two runs of different chains want one ID in one picture: the first keeps it.
    pictures, chains = np.array([0, 1, 2, 0, 1, 2]), np.array([0, 0, 0, 3, 3, 3])
    ids = np.array([1, 2, 1, 3, 4, 3])
    assert len(short_switches(pictures, ids, chains)) == 2
    same = np.array([1, 2, 1, 9, 3, 9])
    same_pictures = np.array([0, 2, 4, 1, 2, 3])
    assert len(short_switches(same_pictures, np.where(same == 9, 1, same), chains)) == 1


@given(st.integers(0, 2**32 - 1))
def test_ids_stay_unique_in_each_picture_whatever_the_input(seed):
    rng = np.random.default_rng(seed)
    rows = [(frame, int(track), int(lane)) for frame in range(12) for lane, track in enumerate(rng.permutation(4)[:3])]
    rows = [row for row in rows if rng.random() < 0.9]
    pictures, ids, lanes = (np.array(column) for column in zip(*rows))
    follower = follow_boxes(pictures, boxes_at(lanes * 5 + rng.random(len(rows))), 0.3, 1)
    for change in short_switches(pictures, ids.copy(), chain_numbers(follower), 3):
        ids[change.rows] = change.new_id
    assert len(np.unique(pictures * 10 + ids)) == len(ids)


def test_foreign_lengths_count_pictures_until_the_id_comes_back_or_the_chain_ends():
    ids = runs_of('AABBBACC')
    runs = IDRuns(np.arange(8), ids, np.zeros(8, int))
    after, before = runs.foreign_lengths()
    assert after.tolist() == [3, 3, 2, 0]  # A: BBB; B: ACC to the end; A: CC; C
    assert before.tolist() == [0, 2, 3, 6]  # A; B: AA; A: BBB; C: all


def test_an_id_that_goes_over_to_somebody_else_for_longer_is_split_where_it_jumps():
    # Two people stand at 0 and 30; at picture 4 they exchange their IDs for good.
    pictures = np.tile(np.arange(20), 2)
    boxes = boxes_at(np.repeat([0, 30], 20))
    ids = np.concatenate([np.where(np.arange(20) < 4, 1, 2), np.where(np.arange(20) < 4, 2, 1)])
    begins, lengths = long_switches(pictures, ids, boxes, follow_boxes(pictures, boxes))
    assert sorted(begins.tolist()) == [4, 24]  # the first boxes of 2 at 0 and of 1 at 30
    assert lengths.tolist() == [16, 16]


def test_seven_pictures_split_and_six_do_not():
    for run, splits in ((6, 0), (7, 2)):
        pictures = np.tile(np.arange(30), 2)
        swapped = (np.arange(30) >= 10) & (np.arange(30) < 10 + run)
        ids = np.concatenate([np.where(swapped, 2, 1), np.where(swapped, 1, 2)])
        boxes = boxes_at(np.repeat([0, 30], 30))
        follower = follow_boxes(pictures, boxes)
        for change in short_switches(pictures, ids.copy(), chain_numbers(follower)):
            ids[change.rows] = change.new_id
        begins, _ = long_switches(pictures, ids, boxes, follower)
        assert len(begins) == 2 * splits


def test_an_id_that_comes_back_to_its_chain_after_a_longer_run_is_split_though_it_did_not_move():
    pictures = np.arange(20)
    ids = np.where((pictures >= 5) & (pictures < 12), 2, 1)
    boxes = boxes_at(np.zeros(20))
    begins, lengths = long_switches(pictures, ids, boxes, follow_boxes(pictures, boxes))
    assert (begins.tolist(), lengths.tolist()) == ([12], [7])


def test_a_hole_without_a_stranger_splits_nothing():
    pictures = np.array([0, 1, 2, 20, 21])
    boxes = boxes_at([0, 0, 0, 50, 50])
    assert len(long_switches(pictures, np.ones(5, int), boxes, follow_boxes(pictures, boxes))[0]) == 0
