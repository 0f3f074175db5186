"""Smooth paths of boxes, offline."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from mmtube.registry import TASK_UTILS
from mmtube.structures import Tube

_MARGIN = 3  # length scales beyond which the kernel is nothing


@TASK_UTILS.register_module()
class GaussianSmoother:
    """Replace boxes by the posterior mean of a Gaussian process over time (after StrongSORT's GSI, arXiv 2202.13514).

    Centre, width and height are smoothed each on its own, with a squared exponential kernel and a noise that grows with
    the box; that of a filled box is the spread of the whole path. A detector's jitter goes, and filled boxes follow the
    motion on both sides of a short hole; far from detected boxes they stay on the line that filled it. Frames are not
    added: that is ``GapFiller``'s part. Long tubelets are solved in overlapping windows, so time and memory grow with
    their length only.

    Args:
        length_frames (float): Length scale of the kernel. Defaults to 10.
        noise (float): Standard deviation of a detected box's error as a share of its height. Defaults to 0.05, that of
            the Kalman filter.
        spread (float): Standard deviation of a path about a straight line, in median heights of the tubelet. Defaults
            to 0.5.
        window_frames (int): Frames solved at a time. Defaults to 150.
        keep_observed (bool): Whether detected boxes stay as they are and only filled ones are replaced, as SEAL's
            annotation wants it. Defaults to False.

    Raises:
        ValueError: If an argument is not positive.
    """

    def __init__(
        self,
        length_frames: float = 10.0,
        noise: float = 0.05,
        spread: float = 0.5,
        window_frames: int = 150,
        keep_observed: bool = False,
    ) -> None:
        if min(length_frames, noise, spread, window_frames) <= 0:
            raise ValueError('length_frames, noise, spread and window_frames must be positive')
        self.length_frames = length_frames
        self.noise = noise
        self.spread = spread
        self.window_frames = window_frames
        self.keep_observed = keep_observed

    def __call__(self, tubelets: list[Tube], frame_times_s: np.ndarray | None = None) -> list[Tube]:
        """Return the tubelets with smooth boxes, frames and all else as before.

        Args:
            tubelets (list[Tube]): Tubelets, with holes or filled; not changed.
            frame_times_s (np.ndarray | None): Not used; offline steps are called alike. Defaults to None.
        """
        return [self._smooth(tube) for tube in tubelets]

    def _smooth(self, tube: Tube) -> Tube:
        if tube.observed.sum() < 2:
            return tube
        boxes = tube.boxes_px.astype(np.float64)
        paths = np.concatenate([(boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]], axis=1)
        variance = (self.spread * np.median(paths[tube.observed, 3])) ** 2
        smooth = np.empty_like(paths)
        frames, margin = tube.frame_inds, int(np.ceil(_MARGIN * self.length_frames))
        for begin in range(int(frames[0]), int(frames[-1]) + 1, self.window_frames):
            end = begin + self.window_frames
            here = slice(*np.searchsorted(frames, [begin, end]))
            near = slice(*np.searchsorted(frames, [begin - margin, end + margin]))
            if here.stop > here.start:
                evidence = frames[near], paths[near], tube.observed[near]
                smooth[here] = self._posterior(*evidence, frames[here], variance)
        sizes = np.maximum(smooth[:, 2:], 1e-3 * paths[:, 2:])  # a size cannot become negative
        boxes = np.concatenate([smooth[:, :2] - sizes / 2, smooth[:, :2] + sizes / 2], axis=1).astype(np.float32)
        if self.keep_observed:
            boxes[tube.observed] = tube.boxes_px[tube.observed]
        return replace(tube, boxes_px=boxes)

    def _posterior(
        self, frames: np.ndarray, paths: np.ndarray, observed: np.ndarray, at: np.ndarray, variance: float
    ) -> np.ndarray:
        """Return (U, 4) posterior means at the frames ``at``."""
        if observed.sum() < 2:
            return np.stack([np.interp(at, frames, column) for column in paths.T], axis=1)
        # The process is about the straight line through the evidence, not about zero.
        level, slope = np.polynomial.polynomial.polyfit(frames - frames[0], paths, 1)
        rest = paths - level - slope * (frames - frames[0])[:, None]

        def kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
            return variance * np.exp(-0.5 * ((a[:, None] - b[None]) / self.length_frames) ** 2)

        # Without any evidence in a long hole the path would leave the line that fills it.
        noise = np.where(observed, (self.noise * paths[:, 3]) ** 2, variance)
        weights = cho_solve(cho_factor(kernel(frames, frames) + np.diag(noise)), rest)
        return kernel(at, frames) @ weights + level + slope * (at - frames[0])[:, None]
