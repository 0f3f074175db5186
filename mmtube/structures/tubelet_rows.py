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

    Raises:
        ValueError: If the numbers of rows and times differ.
    """

    track_id: int
    times_s: np.ndarray
    rows: np.ndarray
    meta: dict = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.times_s = np.asarray(self.times_s, np.float64).reshape(-1)
        self.rows = np.asarray(self.rows, np.float32)
        if self.rows.ndim != 2 or len(self.rows) != len(self.times_s):
            raise ValueError(f'{len(self.times_s)} times but rows of shape {self.rows.shape}')
