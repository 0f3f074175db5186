"""The grid of windows over a film on which features of tubelets stand, and its two time maps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

TOLERANCE = 1e-6  # of a row: times in files are rounded


def seconds_to_rows(times_s: np.ndarray, offset_s: float, rate: float) -> np.ndarray:
    """Return rows, with fractions, of film times: ``(t - offset) * rate``.

    Args:
        times_s (np.ndarray): Seconds of film time, any shape.
        offset_s (float): Film time of the centre of row 0. A tubelet that begins in the middle of a film has one too.
        rate (float): Rows per second.

    Examples:
        >>> seconds_to_rows(np.array([7.0, 7.4]), offset_s=7.0, rate=7.5).tolist()
        [0.0, 3.0000000000000027]
    """
    return (np.asarray(times_s, np.float64) - offset_s) * rate


def rows_to_seconds(rows: np.ndarray, offset_s: float, rate: float) -> np.ndarray:
    """Return the film times of rows, the inverse of :func:`seconds_to_rows`."""
    return offset_s + np.asarray(rows, np.float64) / rate


def window_starts(length: int, rows: int, overlap: float) -> list[int]:
    """Return the first rows of windows that cover ``length`` rows; the last window ends with them.

    Args:
        length (int): Rows of a tubelet or video.
        rows (int): Rows of a window.
        overlap (float): Share of a window that the next one shares.

    Examples:
        >>> window_starts(38, 16, 0.5), window_starts(10, 16, 0.5)
        ([0, 8, 16, 22], [0])
    """
    step = max(round(rows * (1 - overlap)), 1)
    last = max(length - rows, 0)
    return [*range(0, last, step), last]


@dataclass(frozen=True)
class FeatureGrid:
    """Windows of ``window`` frames every ``stride`` frames of a film resampled to ``fps``, the first at its beginning.

    Windows stay on the grid of the film: they are not cut anew where a tubelet begins, so a film is run through a
    network once for all its tubelets, and streams of equal rate stand on the same rows. SEAL (Sec. 4): 32 frames every
    4 at 30 fps (Slowfast-T) and 16 every 2 at 15 fps (TSP-T), both 1.0667 s every 0.1333 s.

    Args:
        fps (float): Frames per second.
        window (int): Frames of a window.
        stride (int): Frames from window to window.

    Raises:
        ValueError: If one is not positive.

    Examples:
        >>> grid = FeatureGrid(30, 32, 4)
        >>> grid.rate, round(grid.center_s(0), 4), grid.num_windows(64)
        (7.5, 0.5333, 9)
    """

    fps: float
    window: int
    stride: int

    def __post_init__(self) -> None:
        if not (self.fps > 0 and self.window > 0 and self.stride > 0):
            raise ValueError(f'fps, window and stride must be positive, got {self.fps}, {self.window}, {self.stride}')

    @property
    def rate(self) -> float:
        """Windows per second."""
        return self.fps / self.stride

    def num_windows(self, num_frames: int) -> int:
        """Return how many windows fit into a film of so many frames at ``fps``; none is padded."""
        return max((num_frames - self.window) // self.stride + 1, 0)

    def center_s(self, window: int | np.ndarray) -> float | np.ndarray:
        """Return the film time of the middle of windows."""
        return (np.asarray(window) * self.stride + self.window / 2)[()] / self.fps

    def windows(self, t0_s: float, t1_s: float, num_windows: int) -> tuple[int, int]:
        """Return the windows of a tubelet, those with their centre in ``[t0_s, t1_s]``, as a half-open range.

        A tubelet between two centres, or before the first or after the last, gets the nearest window.

        Args:
            t0_s (float): Film time where the tubelet begins.
            t1_s (float): Film time where it ends.
            num_windows (int): Windows of the film.

        Returns:
            tuple[int, int]: First window and the one after the last; ``(0, 0)`` if the film has none.
        """
        if num_windows < 1:
            return 0, 0
        half_s = self.window / 2 / self.fps
        first = int(np.ceil((t0_s - half_s) * self.rate - TOLERANCE))
        last = int(np.floor((t1_s - half_s) * self.rate + TOLERANCE))
        if first > last or last < 0 or first >= num_windows:
            nearest = int(np.clip(np.round(((t0_s + t1_s) / 2 - half_s) * self.rate), 0, num_windows - 1))
            return nearest, nearest + 1
        return max(first, 0), min(last, num_windows - 1) + 1
