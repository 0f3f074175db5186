"""Ranking a gallery: cases to check in the head, and the official loops spelt out."""

import numpy as np
import pytest

from mmtube.evaluation.functional.retrieval import NEVER, retrieve


def on_a_line(positions):
    return np.asarray(positions, np.float64)[:, None]


def one_query(distances, ids, cameras=None, **options):
    """A query of person 7 in camera 1 at 0; the gallery at the given distances, in camera 2 unless said."""
    cameras = np.full(len(ids), 2) if cameras is None else np.array(cameras)
    query = on_a_line([0]), np.array([7]), np.array([1])
    return retrieve(query, (on_a_line(distances), np.array(ids), cameras), metric='euclidean', **options)


def test_ap_is_the_mean_precision_at_the_right_entries():
    found = one_query([1, 2, 3, 4], [7, 3, 7, 3])
    assert found.ap.tolist() == [pytest.approx((1 + 2 / 3) / 2)] and found.first.tolist() == [0]
    assert found.inp.tolist() == [pytest.approx(2 / 3)]


def test_the_trapezoid_counts_the_precision_before_too():
    found = one_query([1, 2, 3, 4], [3, 7, 7, 3], average='trapezoid')
    assert found.ap.tolist() == [pytest.approx(((1 / 2 + 0) / 2 + (2 / 3 + 1 / 2) / 2) / 2)]
    assert one_query([1, 2], [7, 7], average='trapezoid').ap.tolist() == [1.0]


def test_the_own_person_in_the_own_camera_is_taken_out():
    found = one_query([1, 2, 3], [7, 3, 7], cameras=[1, 2, 2])
    assert found.ap.tolist() == [0.5] and found.first.tolist() == [1] and found.nearest.tolist() == [1]


def test_other_people_in_the_own_camera_stay():
    assert one_query([1, 2], [3, 7], cameras=[1, 2]).first.tolist() == [1]


def test_junk_is_ignored_and_distractors_are_wrong():
    assert one_query([1, 2], [-1, 7]).first.tolist() == [0]
    assert one_query([1, 2], [0, 7]).first.tolist() == [1]
    assert one_query([1, 2, 3], [-1, 3, 7]).nearest.tolist() == [1]  # rows are counted with junk


def test_of_equal_distances_the_wrong_entry_comes_first():
    for ids in ([7, 3], [3, 7]):
        found = one_query([1, 1], ids)
        assert found.first.tolist() == [1] and found.ap.tolist() == [0.5]
        assert found.nearest.tolist() == [ids.index(3)]
    assert one_query([1, 1 + 1e-12], [7, 3]).first.tolist() == [1]  # a difference of rounding is none


def test_a_query_without_a_right_entry_is_left_out():
    query = on_a_line([0, 5]), np.array([7, 8]), np.array([1, 1])
    found = retrieve(query, (on_a_line([1, 2]), np.array([8, 3]), np.array([2, 2])), metric='euclidean')
    assert found.queries.tolist() == [1]


def test_what_has_no_feature_is_never_found():
    found = one_query([1, np.nan, 2], [7, 7, 3])
    assert found.ap.tolist() == [0.5] and found.inp.tolist() == [0.0] and found.first.tolist() == [0]
    found = one_query([np.nan, 2], [7, 3])
    assert found.ap.tolist() == [0.0] and found.first.tolist() == [NEVER] and found.nearest.tolist() == [1]
    query = on_a_line([np.nan]), np.array([7]), np.array([1])
    found = retrieve(query, (on_a_line([1]), np.array([7]), np.array([2])))
    assert found.ap.tolist() == [0.0] and found.nearest.tolist() == [-1]
    assert found.cmc(np.array([1, 50])).tolist() == [0, 0]


def test_cosine_looks_at_directions_and_euclidean_at_lengths_too():
    query = np.array([[1.0, 0.0]]), np.array([7]), np.array([1])
    gallery = np.array([[9.0, 0.1], [1.0, 0.4]]), np.array([7, 3]), np.array([2, 2])
    assert retrieve(query, gallery).first.tolist() == [0]
    assert retrieve(query, gallery, metric='euclidean').first.tolist() == [1]


def test_cmc_is_the_share_found_by_a_rank():
    query = on_a_line([0, 0]), np.array([7, 3]), np.array([1, 1])
    found = retrieve(query, (on_a_line([1, 2]), np.array([7, 3]), np.array([2, 2])), metric='euclidean')
    assert found.cmc(np.array([1, 2, 50])).tolist() == [0.5, 1, 1]


@pytest.mark.parametrize('metric', ['cosine', 'euclidean'])
@pytest.mark.parametrize('size', [8, 17, 64, 100, 257])
def test_features_that_are_all_alike_score_next_to_nothing(metric, size):
    # Among these are sizes at which a matrix product rounds equal columns in different ways.
    ids = np.arange(401) % 20 + 1
    for seed in range(4):
        rng = np.random.default_rng(seed)
        features = np.tile(3 * rng.normal(size=(1, size)), (401, 1))
        sides = (features[:37], ids[:37], np.zeros(37)), (features, ids, np.ones(401))
        for most in (401, 1 << 22):
            found = retrieve(*sides, metric=metric, max_distances=most)
            assert found.first.tolist() == [int((ids != person).sum()) for person in ids[:37]]


@pytest.mark.parametrize('metric', ['cosine', 'euclidean'])
@pytest.mark.parametrize('scale', [1e-200, 1, 1e200])
def test_the_scale_of_the_features_does_not_matter(metric, scale):
    query = scale * np.array([[1.0, 0]]), np.array([7]), np.array([1])
    gallery = scale * np.array([[1, 0.9], [1, 0.1], [1, 0.4], [np.nan, 1]]), np.array([3, 7, 7, 7]), np.full(4, 2)
    found = retrieve(query, gallery, metric=metric)
    assert found.first.tolist() == [0] and found.ap.tolist() == [2 / 3]


def test_zeros_have_no_direction_and_find_nothing():
    # The query of zeros is as far from all: both wrong entries first. The entry of zeros is at a right angle.
    gallery = np.array([[1.0, 0], [0, 0], [-1, 0]]), np.array([7, 3, 3]), np.full(3, 2)
    found = retrieve((np.zeros((1, 2)), np.array([7]), np.array([1])), gallery)
    assert found.first.tolist() == [2]
    for direction, rank in ((1.0, 0), (-1.0, 2)):
        query = np.array([[direction, 0]]), np.array([7]), np.array([1])
        assert retrieve(query, gallery).first.tolist() == [rank]


def test_unknown_options_are_refused():
    with pytest.raises(ValueError, match='metric'):
        one_query([1], [7], average='median')


def official(query, gallery, trapezoid):
    """The loop of the script of Market-1501; equal distances with the wrong entries first."""
    scores = []
    for feature, person, camera in zip(*query):
        distance = np.sqrt(((gallery[0] - feature) ** 2).sum(axis=1)).astype(np.float32)
        entries = [
            (distance[row], gallery[1][row] == person)
            for row in range(len(distance))
            if gallery[1][row] != -1 and not (gallery[1][row] == person and gallery[2][row] == camera)
        ]
        total = sum(good for _, good in entries)
        if not total:
            continue
        ap, hits, old_recall, old_precision, first, last = 0.0, 0, 0.0, 1.0, None, None
        for rank, (_, good) in enumerate(sorted(entries)):
            hits += good
            recall, precision = hits / total, hits / (rank + 1)
            ap += (recall - old_recall) * ((precision + old_precision) / 2 if trapezoid else precision)
            old_recall, old_precision = recall, precision
            if good:
                first, last = rank if first is None else first, rank
        scores.append((ap, total / (last + 1), first))
    return np.array(scores).T


@pytest.mark.parametrize('average', ['mean', 'trapezoid'])
def test_scores_are_those_of_the_official_loop(average):
    for seed in range(15):
        rng = np.random.default_rng(seed)

        query, gallery = (
            (rng.integers(0, 3, (count, 3)).astype(float), rng.integers(lowest, 6, count), rng.integers(0, 3, count))
            for count, lowest in ((12, 1), (40, -1))  # features of small numbers, so there are many ties
        )
        found = retrieve(query, gallery, metric='euclidean', average=average, max_distances=100)
        ap, inp, first = official(query, gallery, average == 'trapezoid')
        assert found.ap == pytest.approx(ap, abs=1e-12) and found.inp == pytest.approx(inp, abs=1e-12)
        assert found.first.tolist() == first.tolist()


def test_chunks_and_the_order_of_the_gallery_do_not_matter():
    rng = np.random.default_rng(1)
    sides = [(rng.normal(size=(30, 16)), rng.integers(1, 5, 30), rng.integers(0, 3, 30)) for _ in range(2)]
    whole, order = retrieve(*sides), rng.permutation(30)
    for other in (
        retrieve(*sides, max_distances=1),
        retrieve(sides[0], tuple(column[order] for column in sides[1])),
    ):
        assert (other.ap == whole.ap).all() and (other.first == whole.first).all()
