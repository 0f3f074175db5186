import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mmtube.models.trackers.gallery import AppearanceGallery


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@settings(max_examples=40)
@given(st.integers(0, 10_000))
def test_distances_are_those_of_a_list_of_the_last_rows(seed):
    rng = np.random.default_rng(seed)
    gallery, kept = AppearanceGallery(budget=3), {}
    slots = gallery.take(12)
    for _ in range(rng.integers(1, 9)):
        some = rng.permutation(slots)[: rng.integers(1, 12)]
        rows = unit(rng.normal(size=(len(some), 5)))
        gallery.append(some, rows)
        for slot, row in zip(some.tolist(), rows):
            kept[slot] = [*kept.get(slot, []), row][-3:]
    features, wanted = unit(rng.normal(size=(7, 5))), rng.random((12, 7)) < 0.5
    found = gallery.distances(slots, features, wanted)
    for row, slot in enumerate(slots.tolist()):
        for column, feature in enumerate(features):
            looks = kept.get(slot, [])
            right = min((1 - look @ feature for look in looks), default=np.inf) if wanted[row, column] else np.inf
            np.testing.assert_allclose(found[row, column], right, atol=1e-6)
    pairs = rng.integers(0, 7, 12)
    latest = gallery.latest_distances(slots, features[pairs])
    right = [1 - kept[slot][-1] @ features[pair] if slot in kept else np.inf for slot, pair in zip(slots, pairs)]
    np.testing.assert_allclose(latest, right, atol=1e-6)


def test_the_mean_covers_rows_that_the_ring_has_forgotten():
    gallery = AppearanceGallery(budget=1)
    slots = gallery.take(2)
    for row in ([1.0, 0], [0, 1.0]):
        gallery.append(slots[:1], np.array([row], np.float32))
    mean, none = gallery.means(slots)
    np.testing.assert_allclose(mean, np.sqrt([0.5, 0.5]), rtol=1e-6)
    assert none is None


def test_a_slot_given_back_is_empty_when_it_is_taken_again():
    gallery = AppearanceGallery(budget=2)
    slots = gallery.take(8)
    gallery.append(slots, np.ones((8, 1), np.float32))
    gallery.release(slots[2:4])
    again = gallery.take(2)
    assert sorted(again.tolist()) == sorted(slots[2:4].tolist())
    assert np.isinf(gallery.distances(again, np.ones((1, 1), np.float32), np.ones((2, 1), bool))).all()
    assert gallery.means(again) == [None, None]


def test_rows_of_another_width_are_never_compared():
    gallery = AppearanceGallery(budget=2)
    slots = gallery.take(1)
    gallery.append(slots, np.ones((1, 1), np.float32))
    other = np.array([[0.6, 0.8]], np.float32)
    assert np.isinf(gallery.distances(slots, other, np.ones((1, 1), bool))).all()
    assert np.isinf(gallery.latest_distances(slots, other)).all()
    gallery.append(slots, other)
    assert gallery.distances(slots, other, np.ones((1, 1), bool))[0, 0] < 1e-6
