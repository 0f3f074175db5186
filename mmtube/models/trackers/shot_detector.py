"""Where the film cuts to another shot."""

from __future__ import annotations

import cv2
import numpy as np

from mmtube.registry import TASK_UTILS


@TASK_UTILS.register_module()
class ShotDetector:
    """Find hard cuts by the change of the HSV histogram from frame to frame.

    A cut is a frame whose difference from the frame before is above ``threshold`` and stands out from the ``window``
    differences before it by ``ratio``; the second condition keeps fast pans and flicker, whose differences are large
    for many frames, from being cut to pieces. The histogram is taken in a ``grid x grid`` raster, so that a cut between
    two scenes of the same colours is seen too.

    Args:
        threshold (float): Least histogram distance (half the L1 norm, 0 to 1, mean over the raster). Defaults to 0.35.
        ratio (float): How many times the median of the differences before. Defaults to 3.
        window (int): Frames in that median. Defaults to 12.
        min_shot_frames (int): Shots are at least this long. Defaults to 8.
        grid (int): Raster cells per side. Defaults to 2.

    Raises:
        ValueError: If the threshold is outside (0, 1) or a count is not positive.
    """

    def __init__(
        self,
        threshold: float = 0.35,
        ratio: float = 3.0,
        window: int = 12,
        min_shot_frames: int = 8,
        grid: int = 2,
    ) -> None:
        if not 0 < threshold < 1:
            raise ValueError(f'threshold must lie in (0, 1), got {threshold}')
        if min(window, min_shot_frames, grid) < 1:
            raise ValueError('window, min_shot_frames and grid must be positive')
        self.threshold = threshold
        self.ratio = ratio
        self.window = window
        self.min_shot_frames = min_shot_frames
        self.grid = grid
        self.reset()

    def reset(self) -> None:
        """Forget the film."""
        self.starts: list[int] = []
        self._histogram: np.ndarray | None = None
        self._differences: list[float] = []
        self._last_frame = -1

    def update(self, image: np.ndarray, frame_ind: int) -> bool:
        """Look at the next frame.

        Args:
            image (np.ndarray): (H, W, 3) uint8 BGR.
            frame_ind (int): Its index.

        Returns:
            bool: Whether a new shot begins here (the first frame of a film begins one).
        """
        self._last_frame = frame_ind
        histogram, before = self._describe(image), self._histogram
        self._histogram = histogram
        if before is None:
            self.starts.append(frame_ind)
            return True
        difference = float(np.abs(histogram - before).sum(axis=1).mean() / 2)
        usual = float(np.median(self._differences)) if self._differences else 0.0
        is_cut = (
            difference >= self.threshold
            and difference >= self.ratio * usual
            and frame_ind - self.starts[-1] >= self.min_shot_frames
        )
        if is_cut:
            self.starts.append(frame_ind)
            self._differences.clear()
        else:
            self._differences = [*self._differences, difference][-self.window :]
        return is_cut

    def shots(self) -> list[tuple[int, int]]:
        """Return the half-open frame ranges of the shots seen so far."""
        return list(zip(self.starts, [*self.starts[1:], self._last_frame + 1]))

    def _describe(self, image: np.ndarray) -> np.ndarray:
        small = cv2.cvtColor(cv2.resize(image, (64, 48), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2HSV)
        hue, saturation, value = (small[..., channel].astype(np.int64) for channel in range(3))
        bins = (hue * 8 // 180) * 16 + (saturation // 64) * 4 + value // 64
        rows, columns = np.arange(48) * self.grid // 48, np.arange(64) * self.grid // 64
        cell = rows[:, None] * self.grid + columns
        counts = np.bincount((cell * 128 + bins).ravel(), minlength=self.grid**2 * 128).reshape(-1, 128)
        return counts / counts.sum(axis=1, keepdims=True)
