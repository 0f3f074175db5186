"""How the camera moved from one frame to the next."""

from __future__ import annotations

import cv2
import numpy as np

from mmtube.registry import TASK_UTILS

STILL = np.eye(2, 3)


@TASK_UTILS.register_module()
class CameraMotion:
    """Estimate the motion of the camera from corners of the background.

    Corners outside of the boxes of people are followed to the next frame by sparse optical flow (Lucas-Kanade, forward
    and back), and a similarity (shift, rotation, scale) is fitted to their motion by RANSAC (BoT-SORT, arXiv
    2206.14651, Sec. 3.2). Where too few corners agree the camera is taken to stand still.

    Args:
        max_side_px (int): Frames are reduced to this length of their longer side. Defaults to 320.
        max_corners (int): Corners followed. Defaults to 200.
        min_inliers (int): Fewest corners that must agree. Defaults to 12.
        max_back_error_px (float): A corner that does not come back to where it was, within this distance in the reduced
            picture, is dropped. Defaults to 0.5.

    Raises:
        ValueError: If an argument is not positive.
    """

    def __init__(
        self, max_side_px: int = 320, max_corners: int = 200, min_inliers: int = 12, max_back_error_px: float = 0.5
    ) -> None:
        if min(max_side_px, max_corners, min_inliers, max_back_error_px) <= 0:
            raise ValueError('all arguments must be positive')
        self.max_side_px = max_side_px
        self.max_corners = max_corners
        self.min_inliers = min_inliers
        self.max_back_error_px = max_back_error_px
        self.reset()

    def reset(self) -> None:
        """Forget the frame before: a new film, or a cut."""
        self._grey: np.ndarray | None = None
        self._corners = np.zeros((0, 1, 2), np.float32)

    def update(self, image: np.ndarray, boxes_px: np.ndarray) -> np.ndarray:
        """Look at the next frame.

        Args:
            image (np.ndarray): (H, W, 3) uint8 BGR.
            boxes_px (np.ndarray): (N, 4) float32 xyxy, the people in it.

        Returns:
            np.ndarray: (2, 3) float64 affine map from pixels of the frame before to pixels of this one; no motion for
            the first frame.
        """
        shrink = min(1.0, self.max_side_px / max(image.shape[:2]))
        size = tuple(max(1, round(side * shrink)) for side in image.shape[1::-1])
        grey = cv2.cvtColor(cv2.resize(image, size, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
        before, corners = self._grey, self._corners
        self._grey = grey
        motion = STILL.copy()
        if before is not None and before.shape == grey.shape and len(corners) >= self.min_inliers:
            motion = self._estimate(before, grey, corners)
            scale = np.array(image.shape[1::-1]) / size
            motion[:, 2] *= scale  # the linear part keeps its value: both axes shrink alike, up to a rounded pixel
        self._corners = self._find_corners(grey, boxes_px * shrink)
        return motion

    def _estimate(self, before: np.ndarray, grey: np.ndarray, corners: np.ndarray) -> np.ndarray:
        there, found, _ = cv2.calcOpticalFlowPyrLK(before, grey, corners, None)
        back, found_back, _ = cv2.calcOpticalFlowPyrLK(grey, before, there, None)
        error = np.linalg.norm((back - corners)[:, 0], axis=1)
        good = (found[:, 0] == 1) & (found_back[:, 0] == 1) & (error <= self.max_back_error_px)
        if good.sum() < self.min_inliers:
            return STILL.copy()
        cv2.setRNGSeed(0)  # RANSAC draws from a generator of the whole process
        motion, inliers = cv2.estimateAffinePartial2D(corners[good], there[good], ransacReprojThreshold=1.0)
        agree = 0 if inliers is None else int(inliers.sum())
        return motion if motion is not None and agree >= self.min_inliers else STILL.copy()

    def _find_corners(self, grey: np.ndarray, boxes_px: np.ndarray) -> np.ndarray:
        height, width = grey.shape
        background = np.full(grey.shape, 255, np.uint8)
        for x1, y1, x2, y2 in np.round(boxes_px).astype(np.int64).clip(0, [width, height, width, height]):
            background[y1:y2, x1:x2] = 0
        corners = cv2.goodFeaturesToTrack(grey, self.max_corners, 0.01, 7, mask=background)
        return np.zeros((0, 1, 2), np.float32) if corners is None else corners
