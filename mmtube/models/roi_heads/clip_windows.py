"""Windows of frames around key times, from a stream and in bounded memory; and where people are at a key time."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from mmtube.ops import box_areas, clip_boxes, sample_boxes
from mmtube.structures import Tube

if TYPE_CHECKING:
    from mmtube.datasets import Frame

# A person is where the boxes around a key time say, if these are at most this far apart ...
MAX_GAP_S = 0.5
# ... and else where the nearest box is, if it is at most this far away.
MAX_DISTANCE_S = 0.25


def boxes_at(tube: Tube, times_s: np.ndarray, frame_size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Where a person is at given times.

    Args:
        tube (Tube): The person.
        times_s (np.ndarray): (K,) times in seconds.
        frame_size (tuple[int, int]): Width and height of the frame in pixels.

    Returns:
        tuple[np.ndarray, np.ndarray]: (K, 4) float32 boxes in pixels, cut at the frame: interpolated between two boxes
        at most ``MAX_GAP_S`` apart, else the nearest, 0 where none is near enough; and (K,) bool, whether there is one
        with a part inside the frame.
    """
    boxes_px, known = sample_boxes(
        tube.times_s, tube.boxes_px, times_s, MAX_DISTANCE_S, MAX_GAP_S, between_first=True, tolerance_s=0.0
    )
    boxes_px = clip_boxes(boxes_px, *frame_size)
    return boxes_px, known & (box_areas(boxes_px) > 0)


def nearest_inds(times_s: np.ndarray, wanted_s: np.ndarray) -> np.ndarray:
    """Return for each wanted time the (K,) int64 row of the nearest of increasing times, the earlier of two as near."""
    return np.searchsorted((times_s[1:] + times_s[:-1]) / 2, wanted_s)


def key_inds_near(tube: Tube, stride_s: float) -> np.ndarray:
    """Multiples of the stride, from 0, that may lie near enough to a box of the tube."""
    first = math.ceil((tube.start_s - MAX_DISTANCE_S) / stride_s)
    last = math.floor((tube.end_s + MAX_DISTANCE_S) / stride_s)
    return np.arange(max(first, 0), last + 1)


def iter_windows(
    frames: Iterable[Frame],
    key_times_s: np.ndarray,
    offsets_s: np.ndarray,
    prepare: Callable[[np.ndarray], np.ndarray],
) -> Iterator[np.ndarray]:
    """Cut one window of frames around each key time out of a stream.

    The frame nearest to each wanted time is taken, the first or last one where the film does not reach. Only frames of
    the current window are held, and each is prepared once; frames that no window needs are not prepared.

    Args:
        frames (Iterable[Frame]): Frames in the order of time.
        key_times_s (np.ndarray): (K,) increasing times in seconds.
        offsets_s (np.ndarray): (T,) increasing times of the frames of a window relative to its key time.
        prepare (Callable): Turns an image (H, W, 3) into what is kept of it.

    Yields:
        np.ndarray: (T, ...) prepared images of one window; one window per key time, none for a film without frames.
    """
    held: deque[tuple[float, np.ndarray]] = deque()
    # The last frame before the window. It may be the nearest to the first wanted time, so it is kept, unprepared.
    earlier: tuple[float, np.ndarray] | None = None
    waiting = deque(np.asarray(key_times_s, np.float64).tolist())
    for frame in frames:
        if not waiting:
            return
        if frame.time_s < waiting[0] + offsets_s[0]:
            earlier = (frame.time_s, frame.image)
            continue
        if earlier is not None:
            held.append((earlier[0], prepare(earlier[1])))
            earlier = None
        held.append((frame.time_s, prepare(frame.image)))
        while waiting and frame.time_s >= waiting[0] + offsets_s[-1]:
            yield _nearest(held, waiting.popleft() + offsets_s)
            while waiting and len(held) > 1 and held[1][0] <= waiting[0] + offsets_s[0]:
                held.popleft()
    if earlier is not None:
        held.append((earlier[0], prepare(earlier[1])))
    while waiting and held:
        yield _nearest(held, waiting.popleft() + offsets_s)


def _nearest(held: deque[tuple[float, np.ndarray]], wanted_s: np.ndarray) -> np.ndarray:
    times_s = np.array([time_s for time_s, _ in held])
    return np.stack([held[index][1] for index in nearest_inds(times_s, wanted_s)])
