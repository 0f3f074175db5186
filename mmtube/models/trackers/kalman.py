"""The Kalman filter of SORT and DeepSORT, for all tracks of a frame at once.

The state is (cx, cy, a, h) and its velocities, constant velocity, one step per frame. All noise is diagonal and the
motion couples a coordinate only with its own velocity, so the 8 x 8 covariance consists of four independent 2 x 2
blocks for ever. Keeping only those blocks is exact, and the innovation covariance becomes a diagonal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# 95 % quantile of the chi-square distribution with 4 degrees of freedom, as in the original code.
CHI2_95_4DOF = 9.4877
_POSITION_STD = 1 / 20  # relative to the height of the box
_VELOCITY_STD = 1 / 160
_ASPECT = 2  # column of a = w / h, whose noise is absolute


def _variance(heights_px: np.ndarray, relative_std: float, aspect_std: float) -> np.ndarray:
    """Return (N, 4) variances: ``(relative_std * h)²``, but ``aspect_std²`` for the aspect ratio."""
    std = np.repeat(relative_std * heights_px[:, None], 4, axis=1)
    std[:, _ASPECT] = aspect_std
    return std * std


@dataclass(eq=False)
class KalmanState:
    """State of N boxes, all arrays (N, 4) float64 over the columns cx, cy, a, h.

    Args:
        mean (np.ndarray): Positions.
        velocity (np.ndarray): Change per frame.
        var_pp (np.ndarray): Variance of the position.
        var_pv (np.ndarray): Covariance of position and velocity.
        var_vv (np.ndarray): Variance of the velocity.
    """

    mean: np.ndarray
    velocity: np.ndarray
    var_pp: np.ndarray
    var_pv: np.ndarray
    var_vv: np.ndarray

    @classmethod
    def initiate(cls, boxes_cxcyah: np.ndarray) -> KalmanState:
        """Start from (N, 4) measured boxes at rest."""
        mean = np.asarray(boxes_cxcyah, np.float64).reshape(-1, 4)
        zeros = np.zeros_like(mean)
        var_pp = _variance(mean[:, 3], 2 * _POSITION_STD, 1e-2)
        var_vv = _variance(mean[:, 3], 10 * _VELOCITY_STD, 1e-5)
        return cls(mean.copy(), zeros, var_pp, zeros.copy(), var_vv)

    def __len__(self) -> int:
        return len(self.mean)

    def __getitem__(self, keep: np.ndarray) -> KalmanState:
        return KalmanState(*(array[keep] for array in self._arrays()))

    def _arrays(self) -> tuple[np.ndarray, ...]:
        return self.mean, self.velocity, self.var_pp, self.var_pv, self.var_vv

    def extend(self, other: KalmanState) -> KalmanState:
        """Return the rows of this state followed by those of ``other``."""
        return KalmanState(*(np.concatenate(pair) for pair in zip(self._arrays(), other._arrays())))

    def predict(self) -> KalmanState:
        """Return the state one frame later; the process noise uses the height before the step."""
        heights = self.mean[:, 3]
        return KalmanState(
            self.mean + self.velocity,
            self.velocity,
            self.var_pp + 2 * self.var_pv + self.var_vv + _variance(heights, _POSITION_STD, 1e-2),
            self.var_pv + self.var_vv,
            self.var_vv + _variance(heights, _VELOCITY_STD, 1e-5),
        )

    def _innovation_variance(self) -> np.ndarray:
        return self.var_pp + _variance(self.mean[:, 3], _POSITION_STD, 1e-1)

    def gating_distance(self, boxes_cxcyah: np.ndarray) -> np.ndarray:
        """Return (N, M) squared Mahalanobis distances to M measured boxes (measurement noise included)."""
        offset = np.asarray(boxes_cxcyah, np.float64)[None] - self.mean[:, None]
        return (offset * offset / self._innovation_variance()[:, None]).sum(axis=2)

    def update(self, rows: np.ndarray, boxes_cxcyah: np.ndarray) -> None:
        """Correct the given rows, in place, with one measured box each.

        Args:
            rows (np.ndarray): (K,) int64 row indices without repeats.
            boxes_cxcyah (np.ndarray): (K, 4) measurements.
        """
        state = self[rows]
        innovation = np.asarray(boxes_cxcyah, np.float64) - state.mean
        variance = state._innovation_variance()
        gain_p, gain_v = state.var_pp / variance, state.var_pv / variance
        self.mean[rows] = state.mean + gain_p * innovation
        self.velocity[rows] = state.velocity + gain_v * innovation
        self.var_pp[rows] = state.var_pp - gain_p * gain_p * variance
        self.var_pv[rows] = state.var_pv - gain_p * gain_v * variance
        self.var_vv[rows] = state.var_vv - gain_v * gain_v * variance
