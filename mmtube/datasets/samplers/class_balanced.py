"""Rare classes more often."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from mmengine.dist import get_dist_info, sync_random_seed
from torch.utils.data import Sampler

from mmtube.registry import DATA_SAMPLERS


def repeat_factors(offsets: np.ndarray, labels: np.ndarray, threshold: float, power: float = 0.5) -> np.ndarray:
    """Return how often each item is seen in an epoch, 1 or more.

    A class in the share ``f`` of all items has the factor ``max(1, (threshold / f) ** power)``, an item the largest
    factor of its labels (LVIS, arXiv 1908.03195, Sec. 5, with ``power`` 0.5), 1 if it has none.

    Args:
        offsets (np.ndarray): (M + 1,) int64 begin of each item's labels.
        labels (np.ndarray): (L,) int64 classes, no two alike within an item.
        threshold (float): Share of the items below which a class counts as rare.
        power (float): 0 changes nothing, 1 makes all rare classes as frequent as ``threshold``. Defaults to 0.5.

    Returns:
        np.ndarray: (M,) float64.
    """
    items = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    result = np.ones(len(offsets) - 1)
    if len(labels):
        share = np.bincount(labels) / len(result)
        factors = np.maximum(1, (threshold / np.maximum(share, 1e-12)) ** power)
        np.maximum.at(result, items, factors[labels])
    return result


@DATA_SAMPLERS.register_module()
class ClassBalancedSampler(Sampler):
    """See items with rare labels several times in an epoch.

    Repeat factors are those of :func:`repeat_factors`; their fractions are drawn anew in each epoch, and the order too.
    An epoch has the same number of items each time and on each rank. Ranks draw the same list and share it out.

    Args:
        dataset (Any): Has ``item_labels()``: offsets and classes of its items.
        threshold (float): Share of the items below which a class counts as rare. Defaults to 0.02.
        power (float): Strength, see :func:`repeat_factors`. Defaults to 0.5.
        seed (int | None): Seed, the same on all ranks. Defaults to None, a random one that the ranks agree on.
        shuffle (bool): Whether the order is random; False is the order of the data set. Defaults to True.

    Raises:
        ValueError: If ``threshold`` is not in (0, 1] or ``power`` in [0, 1].
    """

    def __init__(
        self,
        dataset: Any,
        threshold: float = 0.02,
        power: float = 0.5,
        seed: int | None = None,
        shuffle: bool = True,
    ) -> None:
        if not 0 < threshold <= 1 or not 0 <= power <= 1:
            raise ValueError(f'threshold must be in (0, 1] and power in [0, 1], got {threshold} and {power}')
        self.dataset = dataset  # samplers of batches ask for it
        self.rank, self.world_size = get_dist_info()
        self.seed = sync_random_seed() if seed is None else seed
        self.epoch = 0
        self.shuffle = shuffle
        self.factors = repeat_factors(*dataset.item_labels(), threshold, power)
        self.num_samples = math.ceil(round(self.factors.sum()) / self.world_size)

    def __iter__(self) -> Iterator[int]:
        generator = np.random.default_rng((self.seed, self.epoch))
        total = self.num_samples * self.world_size
        # Systematic sampling: each item is drawn floor(factor) or ceil(factor) times, and the sum is exact.
        order = generator.permutation(len(self.factors))
        edges = np.cumsum(self.factors[order]) * (total / max(self.factors.sum(), 1))
        drawn = np.searchsorted(edges, np.arange(total) + generator.random(), side='right')
        indices = order[np.minimum(drawn, len(order) - 1)]
        if self.shuffle:
            generator.shuffle(indices)
        else:
            indices.sort()
        return iter(indices[self.rank :: self.world_size].tolist())

    def __len__(self) -> int:
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """Draw another order from now on."""
        self.epoch = epoch
