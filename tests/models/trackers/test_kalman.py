"""The vectorised filter against the textbook filter of the original code, in float64."""

import numpy as np
import pytest

from mmtube.models.trackers.kalman import VAR_PP, VAR_PV, VAR_VV, KalmanState


class LiteralFilter:
    """One box, 8 x 8 matrices, the formulas of the DeepSORT code written out."""

    def __init__(self, box):
        h = box[3]
        self.mean = np.r_[box, np.zeros(4)]
        std = [2 * h / 20, 2 * h / 20, 1e-2, 2 * h / 20, 10 * h / 160, 10 * h / 160, 1e-5, 10 * h / 160]
        self.cov = np.diag(np.square(std))
        self.motion = np.eye(8)
        self.motion[:4, 4:] = np.eye(4)
        self.observe = np.eye(4, 8)

    def predict(self):
        h = self.mean[3]
        std = [h / 20, h / 20, 1e-2, h / 20, h / 160, h / 160, 1e-5, h / 160]
        self.mean = self.motion @ self.mean
        self.cov = self.motion @ self.cov @ self.motion.T + np.diag(np.square(std))

    def project(self):
        h = self.mean[3]
        noise = np.diag(np.square([h / 20, h / 20, 1e-1, h / 20]))
        return self.observe @ self.mean, self.observe @ self.cov @ self.observe.T + noise

    def update(self, box):
        mean, cov = self.project()
        gain = self.cov @ self.observe.T @ np.linalg.inv(cov)
        self.mean = self.mean + gain @ (box - mean)
        self.cov = self.cov - gain @ cov @ gain.T

    def distance(self, box):
        mean, cov = self.project()
        return (box - mean) @ np.linalg.inv(cov) @ (box - mean)


def test_agrees_with_the_literal_filter_over_many_steps():
    rng = np.random.default_rng(0)
    boxes = np.c_[rng.uniform(0, 400, (5, 2)), rng.uniform(0.3, 0.6, 5), rng.uniform(40, 200, 5)]
    literal = [LiteralFilter(box) for box in boxes]
    state = KalmanState.initiate(boxes)
    for step in range(12):
        state = state.predict()
        for one in literal:
            one.predict()
        seen = boxes + rng.normal(0, [3, 3, 0.02, 3], (5, 4))
        expected = [[one.distance(box) for box in seen] for one in literal]
        np.testing.assert_allclose(state.gating_distance(seen), expected, rtol=1e-9)
        rows = np.array([0, 2, 4] if step % 3 else [1, 3])
        state.update(rows, seen[rows])
        for row in rows:
            literal[row].update(seen[row])
    for row, one in enumerate(literal):
        np.testing.assert_allclose(np.r_[state.mean[row], state.velocity[row]], one.mean, rtol=1e-9)
        np.testing.assert_allclose(state.moments[VAR_PP, row], np.diag(one.cov)[:4], rtol=1e-9)
        np.testing.assert_allclose(state.moments[VAR_VV, row], np.diag(one.cov)[4:], rtol=1e-9)
        np.testing.assert_allclose(state.moments[VAR_PV, row], np.diag(one.cov[:4, 4:]), rtol=1e-9)


def test_a_box_that_moves_steadily_is_predicted_ahead():
    state = KalmanState.initiate(np.array([[0.0, 0, 0.5, 100]]))
    for step in range(1, 40):
        state = state.predict()
        state.update(np.array([0]), np.array([[5.0 * step, 0, 0.5, 100]]))
    assert state.predict().mean[0, 0] == pytest.approx(5 * 40, abs=0.5)


def test_no_tracks_is_no_special_case():
    state = KalmanState.initiate(np.zeros((0, 4))).predict()
    assert len(state) == 0
    assert state.gating_distance(np.ones((3, 4))).shape == (0, 3)
