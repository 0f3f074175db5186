"""What tracks looked like: the most recent appearances of each."""

from __future__ import annotations

import numpy as np


class AppearanceGallery:
    """Rings of appearance rows, one for each slot; a track owns a slot while it lives.

    Args:
        budget (int): Rows kept per slot, the most recent ones.
    """

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self._rows = np.zeros((0, budget, 0), np.float32)
        self._total = np.zeros((0, 0))  # float64 sum of all rows ever put into a slot
        self._seen = np.zeros(0, np.int64)  # rows ever put into a slot
        self._free: list[int] = []

    def take(self, count: int) -> np.ndarray:
        """Return (count,) int64 empty slots."""
        missing = count - len(self._free)
        if missing > 0:
            size = len(self._seen)
            grown = max(missing, size, 8)
            self._free += range(size + grown - 1, size - 1, -1)
            self._seen = np.concatenate([self._seen, np.zeros(grown, np.int64)])
            for name in ('_rows', '_total'):
                array = getattr(self, name)
                setattr(self, name, np.concatenate([array, np.zeros((grown, *array.shape[1:]), array.dtype)]))
        slots = np.array([self._free.pop() for _ in range(count)], np.int64)
        self._seen[slots] = 0
        self._total[slots] = 0
        return slots

    def release(self, slots: np.ndarray) -> None:
        """Give slots back."""
        self._free += slots.tolist()

    def append(self, slots: np.ndarray, features: np.ndarray) -> None:
        """Put one row into each slot.

        Args:
            slots (np.ndarray): (K,) int64 without repeats.
            features (np.ndarray): (K, D) float32 of unit length. Rows of another width replace all there was.
        """
        if self._rows.shape[2] != features.shape[1]:
            self._rows = np.zeros((len(self._seen), self.budget, features.shape[1]), np.float32)
            self._total = np.zeros((len(self._seen), features.shape[1]))
            self._seen[:] = 0
        seen = self._seen[slots]
        self._rows[slots, seen % self.budget] = features
        self._total[slots] += features
        self._seen[slots] = seen + 1

    def distances(self, slots: np.ndarray, features: np.ndarray, wanted: np.ndarray) -> np.ndarray:
        """Return the smallest cosine distance of each box to the rows of each slot.

        Args:
            slots (np.ndarray): (N,) int64.
            features (np.ndarray): (M, D) float32 of unit length.
            wanted (np.ndarray): (N, M) bool, the pairs to compare. The gate leaves a few for each track, so this is
                far less work than comparing all.

        Returns:
            np.ndarray: (N, M) float32; infinite for other pairs and for slots without rows of this width.
        """
        cost = np.full(wanted.shape, np.inf, np.float32)
        if self._rows.shape[2] != features.shape[1]:
            return cost
        rows, columns = wanted.nonzero()
        looks = features[columns]
        similarity = np.full(len(rows), -np.inf, np.float32)
        ends = np.bincount(rows, minlength=len(slots)).cumsum().tolist()
        counts = np.minimum(self._seen[slots], self.budget).tolist()
        begin = 0
        for slot, count, end in zip(slots.tolist(), counts, ends):
            if end > begin and count:
                np.maximum.reduce(self._rows[slot, :count] @ looks[begin:end].T, axis=0, out=similarity[begin:end])
            begin = end
        cost[rows, columns] = 1 - similarity
        return cost

    def latest_distances(self, slots: np.ndarray, features: np.ndarray) -> np.ndarray:
        """Return the cosine distance of each box to the last row of its slot, pair by pair.

        It is never smaller than what :meth:`distances` gives.

        Args:
            slots (np.ndarray): (P,) int64.
            features (np.ndarray): (P, D) float32 of unit length.

        Returns:
            np.ndarray: (P,) float32; infinite for slots without rows of this width.
        """
        if self._rows.shape[2] != features.shape[1]:
            return np.full(len(slots), np.inf, np.float32)
        seen = self._seen[slots]
        distances = 1 - np.einsum('pd,pd->p', self._rows[slots, (seen - 1) % self.budget], features)
        distances[seen == 0] = np.inf
        return distances

    def means(self, slots: np.ndarray) -> list[np.ndarray | None]:
        """Return the direction of the mean of all rows ever put into each slot: (D,) float32, None without rows."""
        lengths = np.maximum(np.linalg.norm(self._total[slots], axis=1, keepdims=True), 1e-12)
        means = (self._total[slots] / lengths).astype(np.float32)
        return [mean if seen else None for mean, seen in zip(means, self._seen[slots])]
