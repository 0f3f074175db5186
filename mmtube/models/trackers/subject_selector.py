"""Which of the detected people a film is about."""

from __future__ import annotations

import numpy as np

from mmtube.ops.boxes import box_centers
from mmtube.registry import TASK_UTILS


@TASK_UTILS.register_module()
class SubjectSelector:
    """Keep the people a film is about.

    The ``top_k`` most confident boxes whose centre lies in the central part of the frame, as SEAL selects its subjects
    (SEAL, Sec. 3.1; the paper does not give the size of the central part, hence the default).

    Args:
        top_k (int): Boxes kept per frame. Defaults to 8.
        central (tuple[float, float]): Width and height of the central part as fractions of the frame. Defaults to
            (0.8, 0.9).

    Raises:
        ValueError: If ``top_k`` is not positive or a fraction is outside (0, 1].

    Examples:
        >>> boxes_px = np.array([[0, 0, 10, 10], [150, 110, 170, 130]], np.float32)
        >>> SubjectSelector(top_k=1)(boxes_px, np.array([0.9, 0.5], np.float32), frame_size=(320, 240)).tolist()
        [1]
    """

    def __init__(self, top_k: int = 8, central: tuple[float, float] = (0.8, 0.9)) -> None:
        if top_k < 1:
            raise ValueError(f'top_k must be positive, got {top_k}')
        if not all(0 < fraction <= 1 for fraction in central):
            raise ValueError(f'central must lie in (0, 1], got {central}')
        self.top_k = top_k
        self.central = central

    def __call__(self, boxes_px: np.ndarray, scores: np.ndarray, frame_size: tuple[int, int]) -> np.ndarray:
        """Return the indices of the kept boxes, most confident first.

        Args:
            boxes_px (np.ndarray): (N, 4) float32 xyxy in pixels.
            scores (np.ndarray): (N,) float32.
            frame_size (tuple[int, int]): Width and height in pixels.

        Returns:
            np.ndarray: (M,) int64 indices, M <= top_k.
        """
        offset = np.abs(box_centers(boxes_px) / np.asarray(frame_size) - 0.5)  # 0 at the middle of the frame
        central = np.flatnonzero((offset <= np.asarray(self.central) / 2).all(axis=1))
        return central[np.argsort(-scores[central], kind='stable')][: self.top_k]
