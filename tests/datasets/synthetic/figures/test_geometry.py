import numpy as np

from mmtube.datasets.synthetic.figures.geometry import Camera, Lens, bend, length, rotate


def test_projection_by_hand():
    camera = Camera(focal_px=300.0, height_m=1.4, horizon_px=100.0, width_px=320)
    # 4 m away a metre is 75 pixels: 1 m to the right is 75 px right of the middle, the ground 105 px below the horizon.
    assert camera.project([1.0, 0.0, 4.0]).tolist() == [235.0, 205.0]
    # What is as high as the camera is on the horizon, at any distance.
    assert camera.project([[0.0, 1.4, 2.0], [0.0, 1.4, 9.0]]).tolist() == [[160.0, 100.0], [160.0, 100.0]]


def test_the_lens_is_the_camera_and_the_shift(film_of):
    lens = Lens(film_of('squat', shift_px=(7, -3)))
    points_m = np.tile(np.array([[[0.4, 1.0, 3.0]]]), (75, 1, 1))
    assert lens.project(points_m)[10, 0].tolist() == [160 + 0.4 * 100 + 7, 90 + 0.3 * 100 - 3]
    assert lens.part(slice(5, 9)).project(points_m[5:9]).shape == (4, 1, 2)


def test_a_quarter_turn_takes_one_axis_to_the_other():
    a, b = rotate(np.array([[1.0, 0.0, 0.0]]), np.array([[0.0, 1.0, 0.0]]), np.array([0.25]))
    np.testing.assert_allclose(a, [[0, 1, 0]], atol=1e-7)
    np.testing.assert_allclose(b, [[-1, 0, 0]], atol=1e-7)


def test_two_bones_reach_a_target_on_the_side_of_the_pole():
    # 3-4-5: bones of 3 and 4 reach a target at 5 with a right angle between them.
    root, target = np.zeros((1, 3)), np.array([[5.0, 0.0, 0.0]])
    middle, end = bend(root, target, 3.0, 4.0, np.array([[0.0, 1.0, 0.0]]))
    np.testing.assert_allclose(end, target, atol=1e-12)
    np.testing.assert_allclose(middle, [[1.8, 2.4, 0.0]], atol=1e-12)


def test_two_bones_stretch_towards_what_is_too_far():
    middle, end = bend(np.zeros((1, 3)), np.array([[0.0, 0.0, 9.0]]), 1.0, 1.0, np.array([[0.0, 1.0, 0.0]]))
    assert 1.99 < end[0, 2] < 2.0
    np.testing.assert_allclose(length(middle), 1.0)
