"""Features of one tube over time."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass(eq=False)
class TubeletRows:
    """Feature rows of one tube on the grid of the film.

    Args:
        track_id (int): The tube.
        times_s (np.ndarray): (R,) float64 centres of the windows in film time, increasing.
        rows (np.ndarray): (R, D) float32.
        meta (dict): Extractor, fps, window, stride and offset, so that rows of another extractor can be refused.
            Defaults to nothing.
        valid (np.ndarray): (R,) bool, False where the person had no box in the window: the row is 0. Defaults to True.

    Raises:
        ValueError: If the numbers of rows, times and flags differ.
    """

    track_id: int
    times_s: np.ndarray
    rows: np.ndarray
    meta: dict = field(default_factory=dict)
    valid: np.ndarray = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        self.times_s = np.asarray(self.times_s, np.float64).reshape(-1)
        self.rows = np.asarray(self.rows, np.float32)
        if self.rows.ndim != 2 or len(self.rows) != len(self.times_s):
            raise ValueError(f'{len(self.times_s)} times but rows of shape {self.rows.shape}')
        self.valid = np.ones(len(self.rows), bool) if self.valid is None else np.asarray(self.valid).astype(bool)
        if self.valid.shape != self.times_s.shape:
            raise ValueError(f'{len(self.times_s)} times but flags of shape {self.valid.shape}')
