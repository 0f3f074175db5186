"""Batches of some identities with some sequences of each."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Any

import numpy as np
from mmengine.dist import get_dist_info, sync_random_seed
from torch.utils.data import Sampler

from mmtube.errors import InputError
from mmtube.registry import DATA_SAMPLERS


@DATA_SAMPLERS.register_module()
class PKSequenceSampler(Sampler):
    """Yield P identities with K sequences of each, then the next P, as losses over a batch need them.

    SEAL (Sec. 3.2) has 8 and 4. The loader's batch size must be ``num_identities * num_sequences``. Per epoch the
    sequences of an identity are shuffled and cut into groups of K; one with fewer than K is filled with repeats, what
    is left over of others is not seen in this epoch. Batches take the identities that have most groups left, so that as
    few as possible remain. Ranks make the same batches and take turns.

    Args:
        dataset (Any): Has ``identities()``: (M,) int identity of each item.
        num_identities (int): P. Defaults to 8.
        num_sequences (int): K. Defaults to 4.
        seed (int | None): Seed, the same on all ranks. Defaults to None, a random one that the ranks agree on.

    Raises:
        InputError: If there are fewer than P identities, or too few batches for the ranks.
        ValueError: If P or K is not positive.
    """

    def __init__(self, dataset: Any, num_identities: int = 8, num_sequences: int = 4, seed: int | None = None) -> None:
        if num_identities < 1 or num_sequences < 1:
            raise ValueError(f'num_identities and num_sequences must be positive: {num_identities}, {num_sequences}')
        self.rank, self.world_size = get_dist_info()
        self.seed = sync_random_seed() if seed is None else seed
        self.epoch = 0
        self.num_identities, self.num_sequences = num_identities, num_sequences
        identities = np.asarray(dataset.identities())
        order = np.argsort(identities, kind='stable')
        _, starts = np.unique(identities[order], return_index=True)
        self.members = np.split(order, starts[1:]) if len(order) else []
        if len(self.members) < num_identities:
            raise InputError(f'a batch needs {num_identities} identities, the data set has {len(self.members)}')
        self.num_batches = len(self._batches(np.random.default_rng(0))) // self.world_size
        if not self.num_batches:
            raise InputError(f'too few sequences for a batch on each of {self.world_size} ranks')

    def _batches(self, generator: np.random.Generator) -> list[np.ndarray]:
        """All batches of an epoch; how many there are depends on the counts only."""
        groups: list[list[np.ndarray]] = []
        for members in self.members:
            shuffled = generator.permutation(members)
            if len(shuffled) < self.num_sequences:
                shuffled = np.append(shuffled, generator.choice(members, self.num_sequences - len(shuffled)))
            count = len(shuffled) // self.num_sequences
            groups.append(list(shuffled[: count * self.num_sequences].reshape(count, self.num_sequences)))
        ties = generator.permutation(len(groups))
        waiting = [(-len(group), int(tie), identity) for identity, (group, tie) in enumerate(zip(groups, ties))]
        heapq.heapify(waiting)
        batches = []
        while len(waiting) >= self.num_identities:
            taken = [heapq.heappop(waiting) for _ in range(self.num_identities)]
            batches.append(np.concatenate([groups[identity].pop() for _, _, identity in taken]))
            for _, tie, identity in taken:
                if groups[identity]:
                    heapq.heappush(waiting, (-len(groups[identity]), tie, identity))
        return [batches[number] for number in generator.permutation(len(batches))]

    def __iter__(self) -> Iterator[int]:
        batches = self._batches(np.random.default_rng((self.seed, self.epoch)))
        mine = batches[self.rank : self.num_batches * self.world_size : self.world_size]
        return iter(np.concatenate(mine).tolist())

    def __len__(self) -> int:
        return self.num_batches * self.num_identities * self.num_sequences

    def set_epoch(self, epoch: int) -> None:
        """Make other batches from now on."""
        self.epoch = epoch
