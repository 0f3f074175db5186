import numpy as np
import pytest
from scipy.linalg import solve

from mmtube.models.trackers import GapFiller, GaussianSmoother
from mmtube.structures import Tube


def tube_of(paths, frames=None, observed=None):
    """A tube from (T, 4) centre x, centre y, width, height."""
    frames = np.arange(len(paths)) if frames is None else np.asarray(frames)
    boxes = np.c_[paths[:, :2] - paths[:, 2:] / 2, paths[:, :2] + paths[:, 2:] / 2]
    return Tube(1, frames, frames / 25, boxes, observed=observed)


def paths_of(tube):
    boxes = tube.boxes_px.astype(float)
    return np.c_[(boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]]


def wave(frames):
    t = np.asarray(frames, float)
    return np.stack([100 + 2 * t + 15 * np.sin(t / 15), 80 + 8 * np.cos(t / 20), 40 + 0 * t, 90 + 0.1 * t], axis=1)


def literal(paths, length=10.0, share=0.05, spread=0.5):
    """The textbook formula for one window, written out."""
    t = np.arange(len(paths), dtype=float)
    noise = np.diag((share * paths[:, 3]) ** 2)
    line = np.stack([np.polyval(np.polyfit(t, column, 1), t) for column in paths.T], axis=1)
    rest = paths - line
    variance = (spread * np.median(paths[:, 3])) ** 2
    kernel = variance * np.exp(-((t[:, None] - t) ** 2) / (2 * length**2))
    return line + kernel @ solve(kernel + noise, rest)


def test_a_short_tube_gets_the_textbook_posterior():
    paths = wave(range(60)) + np.random.default_rng(0).normal(0, 2, (60, 4))
    found = paths_of(GaussianSmoother()([tube_of(paths)])[0])
    np.testing.assert_allclose(found, literal(paths), atol=1e-3)


def test_jitter_goes_and_the_motion_stays():
    true = wave(range(400))
    noisy = true + np.random.default_rng(1).normal(0, 4, true.shape)
    smooth = paths_of(GaussianSmoother()([tube_of(noisy)])[0])
    assert np.abs(smooth - true).mean() < 0.4 * np.abs(noisy - true).mean()


@pytest.mark.parametrize('end, share', [(42, 0.5), (50, 0.75)])
def test_a_hole_is_filled_along_the_curve_and_not_along_the_chord(end, share):
    frames = [*range(30), *range(end, 80)]
    known = tube_of(wave(frames), frames)
    line = GapFiller(30)([known], np.arange(80) / 25)[0]
    curve = GaussianSmoother(keep_observed=True)([line])[0]
    hole = slice(30, end)
    true = wave(range(80))[hole]
    assert np.abs(paths_of(curve)[hole] - true).mean() < share * np.abs(paths_of(line)[hole] - true).mean()
    np.testing.assert_array_equal(curve.boxes_px[curve.observed], known.boxes_px)
    assert curve.observed.tolist() == line.observed.tolist()


def test_filled_boxes_are_hardly_evidence_beside_detected_ones():
    frames = [*range(20), *range(26, 46)]
    line = GapFiller(30)([tube_of(wave(frames), frames)], np.arange(46) / 25)[0]
    moved = tube_of(paths_of(line) + 30 * ~line.observed[:, None], observed=line.observed)
    for a, b in zip(GaussianSmoother()([line]), GaussianSmoother()([moved])):
        np.testing.assert_allclose(a.boxes_px, b.boxes_px, atol=1.5)


@pytest.mark.parametrize('hole', [(60, 90), (135, 165), (120, 180), (100, 200), (20, 270)])
def test_a_long_hole_is_not_filled_worse_than_along_the_chord(hole):
    # Somebody who walks to and fro; the holes lie within a window of 150 frames and across its ends.
    t = np.arange(300.0)
    true = np.stack([100 + 50 * np.sin(t / 40), 0 * t + 80, 0 * t + 20, 0 * t + 60], axis=1)
    frames = np.setdiff1d(np.arange(300), np.arange(*hole))
    noisy = true + np.random.default_rng(3).normal(0, 2, true.shape)
    line = GapFiller(300)([tube_of(noisy[frames], frames)], t / 25)[0]
    smooth = GaussianSmoother()([line])[0]
    error, chord = (np.abs(paths_of(tube) - true)[slice(*hole)].max() for tube in (smooth, line))
    assert error < 2 * chord


@pytest.mark.parametrize('window', [40, 97, 1000])
def test_windows_do_not_show(window):
    noisy = wave(range(500)) + np.random.default_rng(2).normal(0, 2, (500, 4))
    whole = paths_of(GaussianSmoother(window_frames=150)([tube_of(noisy)])[0])
    parts = paths_of(GaussianSmoother(window_frames=window)([tube_of(noisy)])[0])
    np.testing.assert_allclose(parts, whole, atol=0.6)


def test_a_size_stays_positive_and_short_tubes_stay():
    paths = np.tile([[50.0, 50, 0.02, 0.05]], (9, 1))
    paths[4] = 50, 50, 60, 80
    smooth = GaussianSmoother()([tube_of(paths)])[0]
    assert (smooth.boxes_px[:, 2:] > smooth.boxes_px[:, :2]).all()
    one = tube_of(paths[:1])
    assert GaussianSmoother()([one])[0] is one


def test_a_hole_longer_than_a_window_is_no_error():
    frames = [*range(5), *range(900, 905)]
    smooth = GaussianSmoother(window_frames=50)([tube_of(wave(frames), frames)])[0]
    assert smooth.frame_inds.tolist() == frames
    assert np.abs(paths_of(smooth) - wave(frames)).max() < 3


def test_arguments_must_be_positive():
    with pytest.raises(ValueError, match='positive'):
        GaussianSmoother(noise=0)
