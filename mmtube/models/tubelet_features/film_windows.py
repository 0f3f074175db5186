"""Windows of a film on its grid, from a stream of frames that is read once and held for a window."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from mmtube.structures.feature_grid import FeatureGrid

if TYPE_CHECKING:
    from mmtube.datasets import Frame

PICKS = ('nearest', 'before')
TIE_S = 1e-6
# Matroska rounds times to a millisecond.
ROUNDED_S = 1e-3


def frame_offsets(layout: str, window: int) -> np.ndarray:
    """Return which frames a network sees, counted from the first frame of its window.

    Args:
        layout (str): ``'every'``: the frames of the window; ``'spanS'``: as many, spread over S frames around its
            middle, such as ``'span64'`` (every second of 64).
        window (int): Frames of a window.

    Returns:
        np.ndarray: (window,) int64, increasing.

    Raises:
        ValueError: If the layout is unknown, or S is not a multiple of the window.
    """
    if layout == 'every':
        return np.arange(window)
    span = re.fullmatch(r'span(\d+)', layout)
    if span is None or int(span[1]) < window or int(span[1]) % window:
        raise ValueError(f"layout must be 'every' or 'spanS' with S a multiple of {window}, got {layout!r}")
    return np.arange(window) * (int(span[1]) // window) - (int(span[1]) - window) // 2


def resample(frames: Iterable[Frame], fps: float, pick: str = 'nearest', frame_s: float = 0.04) -> Iterator:
    """Yield the frames of a film resampled to a rate, by the film's own timestamps.

    Args:
        frames (Iterable[Frame]): The frames in order.
        fps (float): Rate.
        pick (str): ``'nearest'`` takes the frame nearest to each time, the earlier of two; ``'before'`` the one that is
            shown at that time, which for a film of a constant rate is ``floor(i * film_fps / fps)``, TSP's rule.
            Defaults to 'nearest'.
        frame_s (float): How long the frame of a film with a single one lasts. Defaults to 0.04.

    Yields:
        tuple[int, Frame]: Number on the grid of time and the frame; a frame may come several times or not at all. The
        film ends one average frame interval after its last frame, and a number on the grid exists if its whole
        interval does.
    """
    if pick not in PICKS:
        raise ValueError(f'pick must be one of {PICKS}, got {pick!r}')
    number, count, previous = 0, 0, None
    chosen: deque[tuple[int, Frame]] = deque()  # whether the film reaches to the end of their interval is not known yet
    for frame in frames:
        count += 1
        if previous is not None:
            last_s = (previous.time_s + frame.time_s) / 2 + TIE_S if pick == 'nearest' else _before(frame.time_s)
            while number / fps <= last_s:
                chosen.append((number, previous))
                number += 1
        while chosen and (chosen[0][0] + 1) / fps <= frame.time_s:
            yield chosen.popleft()
        previous = frame
    if previous is None:
        return
    end_s = previous.time_s + (previous.time_s / (count - 1) if count > 1 else frame_s)
    while (number + 1) / fps <= end_s + ROUNDED_S:
        chosen.append((number, previous))
        number += 1
    yield from (choice for choice in chosen if (choice[0] + 1) / fps <= end_s + ROUNDED_S)


def _before(time_s: float) -> float:
    """Return the last time at which the frame before a frame is still shown; a rounded time may be too late."""
    is_rounded = abs(time_s / ROUNDED_S - round(time_s / ROUNDED_S)) < TIE_S / ROUNDED_S
    return time_s - (ROUNDED_S / 2 if is_rounded else 0) - TIE_S


class FilmWindows:
    """Windows of one film, one after another, of which only the frames of one are held.

    Args:
        grid (FeatureGrid): Where windows stand.
        layout (str): See :func:`frame_offsets`.
        pick (str): See :func:`resample`.
        prepare (Callable): Turns an image (H, W, 3) uint8 BGR into what is kept of it; called once for a frame, and
            only for frames that a window of the grid shows to the network.

    Attributes:
        num_frames (int): Frames at the rate of the grid that were read: all, or as many as were of use.
        num_windows (int): Windows that fit into them.
        frame_size (tuple[int, int] | None): Width and height of its frames, when one has been read.
    """

    def __init__(self, grid: FeatureGrid, layout: str, pick: str, prepare: Callable[[np.ndarray], Any]) -> None:
        self.grid = grid
        self.offsets = frame_offsets(layout, grid.window)
        self.pick = pick
        self.prepare = prepare
        self.num_frames = self.num_windows = 0
        self.frame_size: tuple[int, int] | None = None
        self._shown = np.zeros(grid.stride, bool)  # by the place of a frame in a stride
        self._shown[self.offsets % grid.stride] = True
        self._held: dict[int, Any] = {}

    def frame_times_s(self, window: int) -> np.ndarray:
        """Return the (T,) float64 film times of the frames that the network sees of a window."""
        return (window * self.grid.stride + self.offsets) / self.grid.fps

    def __call__(
        self, frames: Iterable[Frame], wanted: Iterable[int], kept: np.ndarray, frame_s: float
    ) -> Iterator[tuple[int, list]]:
        """Read the film and yield its windows.

        Args:
            frames (Iterable[Frame]): The film, from its beginning.
            wanted (Iterable[int]): Windows, increasing; those that the film does not have are left out. Read as the
                film goes on: there may be no end.
            kept (np.ndarray): (K, 2) increasing half-open ranges of frame numbers outside which nothing is prepared.
            frame_s (float): See :func:`resample`.

        Yields:
            tuple[int, list]: The window and what was prepared of its T frames. Where a layout reaches
            beyond the film, its first or last frame (that the network is shown in other windows) stands in.
        """
        begin, reach = int(self.offsets[0]), int(max(self.offsets[-1], self.grid.window - 1))
        behind = self.grid.window + self.grid.stride - begin  # what the last window of the film may still need
        waiting = iter(wanted)
        window, part = next(waiting, None), 0
        of, prepared = -1, None
        self._held = {}
        for number, frame in resample(frames, self.grid.fps, self.pick, frame_s):
            self.num_frames = number + 1
            self.frame_size = frame.image.shape[1], frame.image.shape[0]
            while part < len(kept) and kept[part, 1] <= number:
                part += 1
            if window is None and part == len(kept):
                break  # the rest of the film is of no use
            is_shown = self._shown[number % self.grid.stride] or not number
            if is_shown and part < len(kept) and kept[part, 0] <= number:
                if of != frame.index:
                    of, prepared = frame.index, self.prepare(frame.image)
                self._held[number] = prepared
            while window is not None and window * self.grid.stride + reach <= number:
                yield window, self._clip(window)
                window = next(waiting, None)
            needed = number - behind if window is None else min(window * self.grid.stride + begin, number - behind)
            for old in [key for key in self._held if key < needed]:
                del self._held[old]
        self.num_windows = self.grid.num_windows(self.num_frames)
        while window is not None and window < self.num_windows:
            yield window, self._clip(window)
            window = next(waiting, None)

    def last(self) -> list:
        """Return the last window of a film that was read to its end and has one; its frames must have been kept."""
        return self._clip(self.num_windows - 1)

    def _clip(self, window: int) -> list:
        held = np.array(list(self._held))  # increasing
        places = np.searchsorted(held, window * self.grid.stride + self.offsets, side='right') - 1
        return [self._held[number] for number in held[np.maximum(places, 0)].tolist()]
