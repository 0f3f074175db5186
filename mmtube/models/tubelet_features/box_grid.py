"""Where people are at the times of a film's grid of boxes, and what to do where a box is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmtube.ops import box_areas, clip_boxes, sample_boxes
from mmtube.ops.box_sampling import TOLERANCE_S
from mmtube.structures import Tube


@dataclass(eq=False)
class TubeletBoxes:
    """The boxes of one tubelet.

    Args:
        name (str): The tubelet, for messages and files.
        times_s (np.ndarray): (T,) float64 seconds of film time, increasing; there may be holes.
        boxes_px (np.ndarray): (T, 4) float32 xyxy in pixels of the frame.
        t0_s (float): Film time where the tubelet begins.
        t1_s (float): Film time where it ends: where its last frame ends.

    Raises:
        ValueError: If the shapes do not fit together or the times do not increase.
    """

    name: str
    times_s: np.ndarray
    boxes_px: np.ndarray
    t0_s: float
    t1_s: float

    def __post_init__(self) -> None:
        self.times_s = np.asarray(self.times_s, np.float64).reshape(-1)
        self.boxes_px = np.asarray(self.boxes_px, np.float32).reshape(-1, 4)
        if len(self.times_s) != len(self.boxes_px):
            raise ValueError(f'tubelet {self.name!r} has {len(self.times_s)} times for {len(self.boxes_px)} boxes')
        if (np.diff(self.times_s) <= 0).any():
            raise ValueError(f'times of tubelet {self.name!r} do not increase')

    @classmethod
    def from_tube(cls, tube: Tube, frame_s: float) -> TubeletBoxes:
        """Return the boxes of a tube.

        Args:
            tube (Tube): The person.
            frame_s (float): How long a frame of the film lasts.
        """
        t0_s, t1_s = (tube.start_s, tube.end_s + frame_s) if len(tube) else (0.0, 0.0)
        return cls(str(tube.track_id), tube.times_s, tube.boxes_px, t0_s, t1_s)


@dataclass(frozen=True)
class BoxGrid:
    """The times ``(k + 0.5) / box_fps`` at which the people of a film have a box.

    The grid is that of the film: which other people there are, and which windows are run together, changes nothing.

    Args:
        box_fps (float): Boxes per second.
        nearest_s (float): As :func:`mmtube.ops.pick_boxes`. Defaults to 0.5.
        gap_s (float): As :func:`mmtube.ops.pick_boxes`. Defaults to 1.

    Raises:
        ValueError: If ``box_fps`` is not positive or a limit is negative.

    Examples:
        >>> BoxGrid(4).within(0, 1).tolist()
        [0, 1, 2, 3]
    """

    box_fps: float
    nearest_s: float = 0.5
    gap_s: float = 1.0

    def __post_init__(self) -> None:
        if not self.box_fps > 0 or self.nearest_s < 0 or self.gap_s < 0:
            raise ValueError(f'box_fps must be positive and limits not negative, got {self}')

    def times_s(self, slots: np.ndarray) -> np.ndarray:
        """Return the film times of slots of the grid."""
        return (np.asarray(slots) + 0.5) / self.box_fps

    def within(self, start_s: float, end_s: float) -> np.ndarray:
        """Return the slots whose time lies in ``[start_s, end_s]``, or where there is none the nearest to it."""
        first = int(np.ceil(start_s * self.box_fps - 0.5 - TOLERANCE_S))
        last = int(np.floor(end_s * self.box_fps - 0.5 + TOLERANCE_S))
        if first > last:
            first = last = max(int(np.floor((start_s + end_s) / 2 * self.box_fps)), 0)
        return np.arange(max(first, 0), max(last, 0) + 1)

    def slot_boxes(
        self, tubelet: TubeletBoxes, frame_size: tuple[float, float], cuts_s: np.ndarray | Sequence[float] = ()
    ) -> SlotBoxes:
        """Return the boxes of a tubelet on the grid, inside the frame.

        Slots within the span of the tubelet have one: before and after it the person need not be there. A tubelet
        between two slots has the nearest. A box without an area inside the frame is none. Slots at most ``nearest_s``
        before or after the span are for a window that has none within it, such as the last of a film for somebody who
        comes behind it.

        Args:
            tubelet (TubeletBoxes): The tubelet.
            frame_size (tuple[float, float]): Width and height of the frame in pixels.
            cuts_s (np.ndarray | Sequence[float]): Increasing times at which a new shot begins. Defaults to none.
        """
        span = self.within(tubelet.t0_s, tubelet.t1_s)
        slots = np.union1d(span, self.within(tubelet.t0_s - self.nearest_s, tubelet.t1_s + self.nearest_s))
        times_s = self.times_s(slots)
        boxes_px, valid = sample_boxes(tubelet.times_s, tubelet.boxes_px, times_s, self.nearest_s, self.gap_s, cuts_s)
        boxes_px = clip_boxes(boxes_px, *frame_size)
        return SlotBoxes(int(slots[0]), boxes_px, valid & (box_areas(boxes_px) > 0), np.isin(slots, span))


@dataclass(eq=False)
class SlotBoxes:
    """Boxes of one tubelet on a :class:`BoxGrid`.

    Args:
        first (int): Slot of the first box.
        boxes_px (np.ndarray): (K, 4) float32, for K slots in a row.
        valid (np.ndarray): (K,) bool, whether there is one.
        inside (np.ndarray): (K,) bool, whether the slot is within the span of the tubelet.
    """

    first: int
    boxes_px: np.ndarray
    valid: np.ndarray
    inside: np.ndarray

    def at(self, slots: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return (B, 4) boxes and (B,) bool at some slots; those outside the tubelet have none if another has one."""
        rows = np.asarray(slots) - self.first
        known = (rows >= 0) & (rows < len(self.valid))
        rows = np.where(known, rows, 0)
        valid = known & self.valid[rows]
        if (valid & self.inside[rows]).any():
            valid &= self.inside[rows]
        return np.where(valid[:, None], self.boxes_px[rows], np.float32(0)), valid
