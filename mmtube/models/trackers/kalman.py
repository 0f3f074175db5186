"""The Kalman filter of SORT and DeepSORT, for all tracks of a frame at once.

The state is (cx, cy, a, h) and its velocities, constant velocity, one step per frame. All noise is diagonal and the
motion couples a coordinate only with its own velocity, so the 8 x 8 covariance consists of four independent 2 x 2
blocks for ever. Keeping only those blocks is exact, and the innovation covariance becomes a diagonal.
"""

from __future__ import annotations

import numpy as np

# 95 % quantile of the chi-square distribution with 4 degrees of freedom, as in the original code.
CHI2_95_4DOF = 9.4877
MEAN, VELOCITY, VAR_PP, VAR_PV, VAR_VV = range(5)  # planes of ``KalmanState.moments``
# Standard deviations over (cx, cy, a, h): a share of the box's height, but absolute for the aspect ratio a = w / h.
_POSITION, _VELOCITY = np.array([1, 1, 0, 1]) / 20, np.array([1, 1, 0, 1]) / 160
_ASPECT = np.array([0.0, 0, 1, 0])
_INITIAL = np.stack([2 * _POSITION, 10 * _VELOCITY])[:, None], np.stack([1e-2 * _ASPECT, 1e-5 * _ASPECT])[:, None]
_PROCESS = np.stack([_POSITION, _VELOCITY])[:, None], _INITIAL[1]
_MEASUREMENT = _POSITION, 1e-1 * _ASPECT


def _variance(heights_px: np.ndarray, noise: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Return (..., N, 4) variances for (N,) heights."""
    relative, absolute = noise
    std = heights_px[:, None] * relative
    std += absolute
    std *= std
    return std


class KalmanState:
    """State of N boxes over the columns cx, cy, a, h.

    Args:
        moments (np.ndarray): (5, N, 4) float64: position, velocity (change per frame), variance of the position,
            covariance of position and velocity, variance of the velocity.
    """

    __slots__ = ('moments',)

    def __init__(self, moments: np.ndarray) -> None:
        self.moments = moments

    @classmethod
    def initiate(cls, boxes_cxcyah: np.ndarray) -> KalmanState:
        """Start from (N, 4) measured boxes at rest."""
        boxes = np.asarray(boxes_cxcyah, np.float64).reshape(-1, 4)
        moments = np.zeros((5, *boxes.shape))
        moments[MEAN] = boxes
        moments[[VAR_PP, VAR_VV]] = _variance(boxes[:, 3], _INITIAL)
        return cls(moments)

    def __len__(self) -> int:
        return self.moments.shape[1]

    def __getitem__(self, keep: np.ndarray) -> KalmanState:
        return KalmanState(self.moments[:, keep])

    def __setitem__(self, rows: np.ndarray, other: KalmanState) -> None:
        self.moments[:, rows] = other.moments

    @property
    def mean(self) -> np.ndarray:
        """(N, 4) positions, a view."""
        return self.moments[MEAN]

    @property
    def velocity(self) -> np.ndarray:
        """(N, 4) changes per frame, a view."""
        return self.moments[VELOCITY]

    def extend(self, other: KalmanState) -> KalmanState:
        """Return the rows of this state followed by those of ``other``."""
        return KalmanState(np.concatenate([self.moments, other.moments], axis=1))

    def predict(self) -> KalmanState:
        """Return the state one frame later; the process noise uses the height before the step."""
        noise = _variance(self.moments[MEAN, :, 3], _PROCESS)
        after = self.moments.copy()
        mean, velocity, var_pp, var_pv, var_vv = after
        mean += velocity
        var_pp += 2 * var_pv
        var_pp += var_vv
        var_pp += noise[0]
        var_pv += var_vv
        var_vv += noise[1]
        return KalmanState(after)

    def _innovation_variance(self) -> np.ndarray:
        return self.moments[VAR_PP] + _variance(self.moments[MEAN, :, 3], _MEASUREMENT)

    def gating_distance(self, boxes_cxcyah: np.ndarray) -> np.ndarray:
        """Return (N, M) squared Mahalanobis distances to M measured boxes (measurement noise included)."""
        boxes = np.asarray(boxes_cxcyah, np.float64)
        # The axis of 4 stands first: inside it would be slow.
        offset = boxes.T[:, None] - self.moments[MEAN].T[:, :, None]
        offset *= offset
        offset /= self._innovation_variance().T[:, :, None]
        return np.add.reduce(offset, axis=0)

    def update(self, rows: np.ndarray, boxes_cxcyah: np.ndarray) -> None:
        """Correct the given rows, in place, with one measured box each.

        Args:
            rows (np.ndarray): (K,) int64 row indices without repeats.
            boxes_cxcyah (np.ndarray): (K, 4) measurements.
        """
        state = self[rows]
        variance = state._innovation_variance()
        mean, velocity, var_pp, var_pv, var_vv = state.moments
        gain_p, gain_v = var_pp / variance, var_pv / variance
        innovation = np.asarray(boxes_cxcyah, np.float64) - mean
        mean += gain_p * innovation
        velocity += gain_v * innovation
        variance_p = gain_p * variance
        var_vv -= gain_v * (gain_v * variance)
        var_pv -= gain_v * variance_p
        var_pp -= gain_p * variance_p
        self[rows] = state

    def warp(self, affine: np.ndarray) -> KalmanState:
        """Return the state as a camera sees it that has moved.

        The position is moved exactly. A rotation or shear would couple x and y, which this filter keeps apart: of the
        turned covariance only the diagonal is kept (exact for shifts and changes of scale).

        Args:
            affine (np.ndarray): (2, 3) float, where a pixel of the frame before is in this frame.
        """
        linear, scale = affine[:, :2], scale_of(affine)
        after = self.moments.copy()
        after[MEAN] = warp_boxes(self.mean, affine)
        after[VELOCITY, :, :2] = self.velocity[:, :2] @ linear.T
        after[VELOCITY, :, 3] *= scale
        after[VAR_PP:, :, :2] = self.moments[VAR_PP:, :, :2] @ (linear * linear).T
        after[VAR_PP:, :, 3] *= scale * scale
        return KalmanState(after)


def scale_of(affine: np.ndarray) -> float:
    """Return by how much lengths grow under a (2, 3) affine map."""
    return float(np.sqrt(abs(np.linalg.det(affine[:, :2]))))


def warp_boxes(boxes_cxcyah: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """Move (N, 4) boxes by a (2, 3) affine map of their centres; the height is scaled, the aspect ratio stays."""
    moved = boxes_cxcyah.copy()
    moved[:, :2] = boxes_cxcyah[:, :2] @ affine[:, :2].T + affine[:, 2]
    moved[:, 3] *= scale_of(affine)
    return moved
