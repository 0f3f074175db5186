"""Orders of items: balanced by class, batched by identity, the same on all ranks and anew in each epoch."""

from types import SimpleNamespace

import numpy as np
import pytest

from mmtube.datasets.samplers import (
    ClassBalancedSampler,
    PKSequenceSampler,
    class_balanced,
    pk_sequences,
    repeat_factors,
)
from mmtube.errors import InputError


def labelled(*items):
    """A data set whose items have these labels."""
    offsets = np.cumsum([0, *map(len, items)])
    return SimpleNamespace(item_labels=lambda: (offsets, np.array([label for item in items for label in item], int)))


@pytest.fixture
def ranks(monkeypatch):
    """Make samplers of all ranks of a world."""

    def make(build, world_size):
        samplers = []
        for rank in range(world_size):
            for module in (class_balanced, pk_sequences):
                monkeypatch.setattr(module, 'get_dist_info', lambda rank=rank: (rank, world_size))
            samplers.append(build())
        return samplers

    return make


# --- balanced by class ---


def test_an_item_has_the_factor_of_its_rarest_label():
    # Of 8 items class 0 is in all (share 1), class 1 in two (1/4), class 2 in one (1/8).
    items = [[0], [0], [0], [0], [0], [0, 1], [0, 1, 2], [0]]
    factors = repeat_factors(*labelled(*items).item_labels(), threshold=0.5)
    np.testing.assert_allclose(factors, [1, 1, 1, 1, 1, 2**0.5, 2, 1])
    factors = repeat_factors(*labelled(*items).item_labels(), threshold=0.5, power=1)
    np.testing.assert_allclose(factors, [1, 1, 1, 1, 1, 2, 4, 1])


def test_items_without_labels_are_seen_once():
    assert repeat_factors(*labelled([], [3], []).item_labels(), 1.0, 1.0).tolist() == [1, 3, 1]
    assert repeat_factors(*labelled([], []).item_labels(), 1.0).tolist() == [1, 1]


def test_rare_items_come_as_often_as_their_factor_says():
    sampler = ClassBalancedSampler(labelled(*[[0]] * 99, [1]), threshold=0.09, power=1.0, seed=0)
    assert len(sampler) == 108  # 99 + 9
    for epoch in range(5):
        sampler.set_epoch(epoch)
        counts = np.bincount(list(sampler), minlength=100)
        assert counts.sum() == 108 and counts[99] == 9 and (counts[:99] == 1).all()


def test_fractions_are_drawn_anew_in_each_epoch():
    sampler = ClassBalancedSampler(labelled(*[[0]] * 90, *[[1]] * 10), threshold=0.15, power=1.0, seed=0)
    assert len(sampler) == 105  # ten items 1.5 times
    seen = []
    for epoch in range(200):
        sampler.set_epoch(epoch)
        seen.append(np.bincount(list(sampler), minlength=100))
    counts = np.array(seen)
    assert set(counts[:, 90:].ravel()) == {1, 2} and (counts[:, :90] == 1).all()
    np.testing.assert_allclose(counts[:, 90:].mean(axis=0), 1.5, atol=0.15)


def test_an_epoch_has_an_order_of_its_own_and_a_seed_repeats_it():
    def order(seed, epoch):
        sampler = ClassBalancedSampler(labelled(*[[0]] * 50), seed=seed)
        sampler.set_epoch(epoch)
        return list(sampler)

    assert order(1, 0) == order(1, 0) != order(1, 1)
    assert order(1, 0) != order(2, 0) and sorted(order(1, 0)) == list(range(50))


@pytest.mark.parametrize('world_size', [2, 3])
def test_ranks_share_one_list_out(ranks, world_size):
    dataset = labelled(*[[0]] * 40, *[[1]] * 3)
    (whole,) = ranks(lambda: ClassBalancedSampler(dataset, threshold=0.3, seed=0), 1)
    parts = [
        list(sampler) for sampler in ranks(lambda: ClassBalancedSampler(dataset, threshold=0.3, seed=0), world_size)
    ]
    assert len({len(part) for part in parts}) == 1
    counts = np.bincount(np.concatenate(parts), minlength=43)
    np.testing.assert_allclose(counts, np.bincount(list(whole), minlength=43), atol=1)
    assert 0 <= counts.sum() - len(whole) < world_size


def test_an_empty_data_set_gives_nothing():
    sampler = ClassBalancedSampler(labelled(), seed=0)
    assert len(sampler) == 0 and list(sampler) == []


@pytest.mark.parametrize('options', [{'threshold': 0}, {'threshold': 2}, {'power': -1}])
def test_strengths_out_of_range_are_refused(options):
    with pytest.raises(ValueError, match='must be in'):
        ClassBalancedSampler(labelled([0]), **options)


# --- batched by identity ---


def identified(*counts):
    """A data set with so many sequences of each identity, in a mixed order."""
    identities = np.random.default_rng(0).permutation(np.repeat(np.arange(len(counts)), counts))
    return SimpleNamespace(identities=lambda: identities)


def batches(sampler, size):
    indices = list(sampler)
    assert len(indices) == len(sampler) and len(indices) % size == 0
    return [indices[begin : begin + size] for begin in range(0, len(indices), size)]


def test_a_batch_has_p_identities_with_k_sequences_each():
    dataset = identified(4, 8, 5, 9, 4, 12, 4)
    for batch in batches(PKSequenceSampler(dataset, 3, 4, seed=0), 12):
        identities = dataset.identities()[batch].reshape(3, 4)
        assert (identities == identities[:, :1]).all() and len(set(identities[:, 0])) == 3
        assert len(set(batch)) == 12  # enough sequences, so none stands twice


def test_an_identity_with_few_sequences_is_filled_with_repeats():
    dataset = identified(1, 2, 4)
    (batch,) = batches(PKSequenceSampler(dataset, 3, 4, seed=0), 12)
    parts = np.array(batch).reshape(3, 4)
    by_identity = {int(dataset.identities()[part[0]]): part for part in parts}
    assert len(set(by_identity[0])) == 1 and len(set(by_identity[1])) == 2 and len(set(by_identity[2])) == 4


def test_every_identity_is_seen_and_no_sequence_twice_in_an_epoch():
    dataset = identified(*[4] * 6)
    seen = np.bincount(list(PKSequenceSampler(dataset, 2, 4, seed=0)), minlength=24)
    assert (seen == 1).all()


def test_as_few_sequences_as_possible_are_left_over():
    # Groups of four: 4 of the first identity, 1 of each other. Each batch must have one of the first.
    assert len(PKSequenceSampler(identified(16, 4, 4, 4, 4), 2, 4, seed=0)) == 4 * 8


def test_the_number_of_batches_does_not_change_with_the_epoch():
    sampler = PKSequenceSampler(identified(5, 9, 13, 4, 4, 22), 2, 4, seed=3)
    orders = []
    for epoch in range(20):
        sampler.set_epoch(epoch)
        orders.append(tuple(sampler))
    assert {len(order) for order in orders} == {len(sampler)} and len(set(orders)) == 20
    sampler.set_epoch(7)
    assert tuple(sampler) == orders[7]


def test_ranks_take_turns_with_the_same_batches(ranks):
    dataset = identified(*[8] * 8)
    (whole,) = ranks(lambda: PKSequenceSampler(dataset, 2, 4, seed=0), 1)
    parts = ranks(lambda: PKSequenceSampler(dataset, 2, 4, seed=0), 3)
    together = [batches(sampler, 8) for sampler in parts]
    assert [len(part) for part in together] == [2, 2, 2]  # eight batches, two are left over
    assert [batch for turn in zip(*together) for batch in turn] == batches(whole, 8)[:6]


def test_too_few_identities_or_sequences_are_refused(ranks):
    with pytest.raises(InputError, match='a batch needs 8 identities, the data set has 2'):
        PKSequenceSampler(identified(4, 4))
    with pytest.raises(InputError, match='too few sequences for a batch on each of 2 ranks'):
        ranks(lambda: PKSequenceSampler(identified(4, 4), 2, 4, seed=0), 2)
    with pytest.raises(ValueError, match='must be positive'):
        PKSequenceSampler(identified(4), 0)
