import numpy as np
import pytest

from mmtube.evaluation.functional.ordering import pairs_of_groups, rank_by_score


def test_the_highest_score_comes_first():
    assert rank_by_score(np.array([0.2, 0.9, 0.5])).tolist() == [1, 2, 0]


def test_equal_scores_are_ordered_by_the_first_column_and_then_by_the_next():
    scores = np.array([0.5, 0.5, 0.9, 0.5])
    video, start_s = np.array([1, 0, 7, 0]), np.array([0.0, 3.0, 9.0, 2.0])
    assert rank_by_score(scores, [video, start_s]).tolist() == [2, 3, 1, 0]


def test_rows_that_are_equal_in_everything_keep_their_order():
    assert rank_by_score(np.array([0.5, 0.5]), [np.array([3, 3])]).tolist() == [0, 1]


@pytest.mark.parametrize('seed', range(20))
def test_the_order_of_the_file_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    rows = np.unique(rng.integers(0, 4, (60, 3)), axis=0)
    shuffled = rows[rng.permutation(len(rows))]
    ordered = [table[rank_by_score(table[:, 0] / 4, list(table.T[1:]))] for table in (rows, shuffled)]
    assert (ordered[0] == ordered[1]).all()
    assert (np.diff(ordered[0][:, 0]) <= 0).all()


def test_nothing_has_an_empty_order():
    assert rank_by_score(np.zeros(0), [np.zeros(0)]).shape == (0,)


@pytest.mark.parametrize('max_pairs', [1, 2, 3, 1000])
def test_every_pair_of_a_group_comes_once_and_a_row_at_a_time(max_pairs):
    left, right = np.array([3, 1, 3, 8]), np.array([3, 0, 1, 3, 3])
    chunks = list(pairs_of_groups(left, right, max_pairs=max_pairs))
    pairs = [pair for a, b in chunks for pair in zip(a.tolist(), b.tolist())]
    assert pairs == [(0, 0), (0, 3), (0, 4), (1, 2), (2, 0), (2, 3), (2, 4)]
    rows = [set(a.tolist()) for a, _ in chunks]
    assert sum(map(len, rows)) == len(set().union(*rows)), 'a row is split over two chunks'
    assert all(len(a) <= max(max_pairs, 3) for a, _ in chunks)


def test_groups_without_partner_give_no_pairs():
    assert list(pairs_of_groups(np.array([1, 2]), np.array([3]))) == []
    assert list(pairs_of_groups(np.zeros(0, np.int64), np.array([3]))) == []
