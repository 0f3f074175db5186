"""How a tubelet looks: described boxes along it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class TubeletLook:
    """Descriptors of some boxes of one tubelet, in the order of time.

    Args:
        frame_inds (np.ndarray): (M,) int64 frames of the boxes, strictly increasing.
        rows (np.ndarray): (M, D) float32 descriptors of unit length.
        good (np.ndarray): (M,) bool, whether the box shows the person well: large, sure, alone and whole. The others
            stand in where there are too few good ones.

    Raises:
        ValueError: If shapes disagree, frames do not increase or a descriptor is not finite.
    """

    frame_inds: np.ndarray
    rows: np.ndarray
    good: np.ndarray

    def __post_init__(self) -> None:
        object.__setattr__(self, 'frame_inds', np.asarray(self.frame_inds, np.int64))
        object.__setattr__(self, 'rows', np.asarray(self.rows, np.float32))
        object.__setattr__(self, 'good', np.asarray(self.good, bool))
        count = len(self.frame_inds)
        if self.rows.ndim != 2 or len(self.rows) != count or self.good.shape != (count,):
            raise ValueError(f'{count} frames do not fit rows {self.rows.shape} and good {self.good.shape}')
        if (np.diff(self.frame_inds) <= 0).any():
            raise ValueError('frame_inds of a look must increase strictly')
        if not np.isfinite(self.rows).all():
            raise ValueError('a descriptor is not finite')

    def __len__(self) -> int:
        return len(self.frame_inds)

    @property
    def num_good(self) -> int:
        """Number of good boxes."""
        return int(self.good.sum())

    def best_rows(self) -> np.ndarray:
        """Return the (K, D) rows of the good boxes; all rows where no box is good."""
        return self.rows[self.good] if self.good.any() else self.rows

    def mean(self) -> np.ndarray | None:
        """Return the (D,) float32 mean of :meth:`best_rows`, scaled to unit length; None without a row."""
        if not len(self):
            return None
        total = self.best_rows().astype(np.float64).sum(axis=0)
        return (total / max(float(np.linalg.norm(total)), 1e-12)).astype(np.float32)

    def span(self, first: int, end: int) -> TubeletLook:
        """Return the part with frames in the half-open range [first, end)."""
        keep = (self.frame_inds >= first) & (self.frame_inds < end)
        return TubeletLook(self.frame_inds[keep], self.rows[keep], self.good[keep])
