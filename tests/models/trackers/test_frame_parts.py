"""Selection, appearance, shot changes and gap filling."""

import numpy as np
import pytest

from mmtube.models.trackers.appearance import ColorHistogram
from mmtube.models.trackers.gap_filler import GapFiller
from mmtube.models.trackers.shot_detector import ShotDetector
from mmtube.models.trackers.subject_selector import SubjectSelector
from mmtube.structures import Tube

RED, GREEN, GREY = (0, 0, 220), (0, 200, 0), (128, 128, 128)


def painted(upper, lower, size=(100, 60)):
    image = np.zeros((*size, 3), np.uint8)
    image[: size[0] // 2], image[size[0] // 2 :] = upper, lower
    return image


def test_selector_prefers_the_centre_over_confidence():
    boxes = np.array([[0, 0, 10, 10], [150, 110, 170, 130]], np.float32)  # corner, middle
    kept = SubjectSelector(top_k=1)(boxes, np.array([0.99, 0.5], np.float32), frame_size=(320, 240))
    assert kept.tolist() == [1]


def test_selector_keeps_the_most_confident_in_order_and_ties_in_place():
    boxes = np.tile(np.array([[150, 110, 170, 130]], np.float32), (4, 1))
    kept = SubjectSelector(top_k=3)(boxes, np.array([0.5, 0.9, 0.5, 0.7], np.float32), (320, 240))
    assert kept.tolist() == [1, 3, 0]


def test_selector_takes_no_boxes_for_an_answer():
    assert SubjectSelector()(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), (320, 240)).shape == (0,)


@pytest.mark.parametrize('bad', [{'top_k': 0}, {'central': (0, 1)}, {'central': (0.5, 1.1)}])
def test_selector_refuses_senseless_settings(bad):
    with pytest.raises(ValueError):
        SubjectSelector(**bad)


def test_descriptors_have_unit_length_and_equal_boxes_equal_ones():
    features = ColorHistogram()(painted(RED, GREY), np.array([[0, 0, 60, 100], [0, 0, 60, 100]], np.float32))
    np.testing.assert_allclose(np.linalg.norm(features, axis=1), 1, rtol=1e-6)
    np.testing.assert_array_equal(features[0], features[1])


def test_shirt_and_trousers_swapped_is_another_look():
    describe, box = ColorHistogram(), np.array([[0, 0, 60, 100]], np.float32)
    one, other = describe(painted(RED, GREEN), box)[0], describe(painted(GREEN, RED), box)[0]
    assert one @ other == pytest.approx(0, abs=1e-6)


def test_the_look_does_not_depend_on_the_size_of_the_person():
    describe = ColorHistogram()
    small = describe(painted(RED, GREY, (50, 30)), np.array([[0, 0, 30, 50]], np.float32))[0]
    large = describe(painted(RED, GREY, (400, 240)), np.array([[0, 0, 240, 400]], np.float32))[0]
    assert small @ large == pytest.approx(1, abs=1e-6)


def test_a_box_outside_the_image_gets_the_uniform_descriptor():
    features = ColorHistogram()(painted(RED, GREY), np.array([[-50, -50, -10, -10]], np.float32))
    assert features.std() == pytest.approx(0, abs=1e-7)
    assert np.linalg.norm(features) == pytest.approx(1, rel=1e-5)


def noisy(color, rng, size=(48, 64)):
    return np.clip(np.array(color) + rng.normal(0, 6, (*size, 3)), 0, 255).astype(np.uint8)


def test_a_hard_cut_is_found_at_its_frame():
    rng, detector = np.random.default_rng(0), ShotDetector()
    cuts = [detector.update(noisy(RED if f < 20 else GREEN, rng), f) for f in range(40)]
    assert np.flatnonzero(cuts).tolist() == [0, 20]
    assert detector.shots() == [(0, 20), (20, 40)]


def test_a_cut_between_mirrored_scenes_of_the_same_colours_is_found():
    detector, scene = ShotDetector(), np.concatenate([painted(RED, RED), painted(GREEN, GREEN)], axis=1)
    for frame in range(30):
        detector.update(scene if frame < 15 else scene[:, ::-1].copy(), frame)
    assert detector.shots() == [(0, 15), (15, 30)]


def test_a_fast_pan_is_not_cut_to_pieces():
    rng = np.random.default_rng(1)
    world = np.kron(rng.integers(0, 256, (6, 160, 3)), np.ones((16, 16, 1))).astype(np.uint8)  # 96 x 2560 of tiles
    detector = ShotDetector()
    for frame in range(60):
        detector.update(world[:, 40 * frame : 40 * frame + 128].copy(), frame)
    assert detector.shots() == [(0, 60)]


def test_a_still_film_is_one_shot():
    detector = ShotDetector()
    for frame in range(30):
        detector.update(painted(RED, GREY), frame)
    assert detector.shots() == [(0, 30)]


def test_holes_up_to_the_limit_are_filled_linearly_and_marked():
    tube = Tube(4, [0, 3, 9], [0.0, 0.12, 0.36], [[0, 0, 10, 10], [30, 0, 40, 10], [90, 0, 100, 10]])
    times = np.arange(10) * 0.04
    times[1] = 0.05  # a film of variable frame rate: the true time is taken
    (filled,) = GapFiller(max_gap=2)([tube], times)
    assert filled.frame_inds.tolist() == [0, 1, 2, 3, 9]
    assert filled.observed.tolist() == [True, False, False, True, True]
    assert filled.boxes_px[:, 0].tolist() == [0, 10, 20, 30, 90]
    assert filled.times_s[1] == 0.05
    assert filled.tubelet_ids.tolist() == [4] * 5


def test_the_central_part_is_width_then_height():
    boxes = np.array([[280, 110, 300, 130], [150, 210, 170, 230]], np.float32)  # at the right, at the bottom
    assert SubjectSelector(central=(0.5, 1.0))(boxes, np.ones(2, np.float32), (320, 240)).tolist() == [1]


def test_black_has_no_hue():
    describe, box = ColorHistogram(), np.array([[0, 0, 60, 100]], np.float32)
    dark_red, dark_blue = np.full((100, 60, 3), (0, 0, 30), np.uint8), np.full((100, 60, 3), (30, 0, 0), np.uint8)
    assert describe(dark_red, box)[0] @ describe(dark_blue, box)[0] == pytest.approx(1, abs=1e-6)


def test_the_middle_of_the_box_weighs_more_than_its_border():
    image = np.full((100, 60, 3), (0, 200, 0), np.uint8)
    image[:, 15:45] = (0, 0, 220)  # half of the pixels
    feature = ColorHistogram()(image, np.array([[0, 0, 60, 100]], np.float32))[0]
    assert np.sort(feature[feature > 0] ** 2)[::-1][:2] == pytest.approx([0.38, 0.38], abs=0.03)


def test_a_box_is_cut_out_at_the_nearest_pixel():
    image = np.full((100, 60, 3), (0, 200, 0), np.uint8)
    image[:, 10:] = (0, 0, 220)
    describe = ColorHistogram()
    near, exact = (describe(image, np.array([[x, 0, 50, 100]], np.float32))[0] for x in (9.6, 10))
    np.testing.assert_array_equal(near, exact)


def test_differences_of_the_shot_before_do_not_hide_a_cut():
    # A restless shot (about 0.3 from frame to frame), a cut, 4 still frames, a cut that changes half of the picture.
    scenes = [np.full((48, 64, 3), (0, 0, 220), np.uint8) for _ in range(28)]
    for frame in range(20):
        scenes[frame] = np.full((48, 64, 3), (0, 200, 0), np.uint8)
        scenes[frame][: 15 * (frame % 2)] = 128
    for frame in range(24, 28):
        scenes[frame][:, :32] = 255
    detector = ShotDetector(min_shot_frames=3)
    for frame, image in enumerate(scenes):
        detector.update(image, frame)
    assert detector.starts == [0, 20, 24]


def test_filling_twice_is_filling_once():
    tube = Tube(4, [0, 3], [0.0, 0.12], [[0, 0, 10, 10], [30, 0, 40, 10]])
    times = np.arange(4) * 0.04
    once = GapFiller()([tube], times)
    (twice,) = GapFiller()(once, times)
    assert twice.observed.tolist() == [True, False, False, True]


def test_one_grey_bin_would_hide_every_colour_and_is_refused():
    with pytest.raises(ValueError):
        ColorHistogram(grey_bins=1)
