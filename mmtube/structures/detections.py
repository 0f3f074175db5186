"""The people in one frame, before they have IDs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(eq=False)
class FrameDetections:
    """Person boxes of one frame.

    Args:
        frame_ind (int): Frame index from 0.
        time_s (float): Presentation time in seconds.
        boxes_px (np.ndarray): (N, 4) float32 xyxy in pixels of the original frame, half open.
        scores (np.ndarray): (N,) float32 in [0, 1].
        features (np.ndarray | None): (N, D) float32 appearance rows of unit length. Defaults to None.
    """

    frame_ind: int
    time_s: float
    boxes_px: np.ndarray
    scores: np.ndarray
    features: np.ndarray | None = None

    def __post_init__(self) -> None:
        self.boxes_px = np.asarray(self.boxes_px, np.float32).reshape(-1, 4)
        self.scores = np.asarray(self.scores, np.float32).reshape(-1)
        if len(self.boxes_px) != len(self.scores):
            raise ValueError(f'{len(self.boxes_px)} boxes but {len(self.scores)} scores')

    def __len__(self) -> int:
        return len(self.scores)

    def __getitem__(self, keep: np.ndarray) -> FrameDetections:
        features = None if self.features is None else self.features[keep]
        return FrameDetections(self.frame_ind, self.time_s, self.boxes_px[keep], self.scores[keep], features)
