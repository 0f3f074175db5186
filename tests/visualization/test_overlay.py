from __future__ import annotations

import numpy as np
import pytest

from mmtube.structures import Segment, Tube, VideoInfo, VideoResult
from mmtube.visualization import Person, TubeOverlay, draw_people
from mmtube.visualization.actions import Action
from mmtube.visualization.palette import person_rgb

GREY = 90


def canvas(width: int = 320, height: int = 240) -> np.ndarray:
    return np.full((height, width, 3), GREY, np.uint8)


def changed(image: np.ndarray) -> np.ndarray:
    return (image != GREY).any(axis=2)


def bgr(track_id: int) -> list[int]:
    return list(person_rgb(track_id)[::-1])


def person(track_id: int, box, **kwargs) -> Person:
    return Person(track_id, np.array(box, np.float32), **kwargs)


def result(*tubes: Tube) -> VideoResult:
    video = VideoInfo('film.mp4', 320, 240, 25.0, 100, 4.0)
    return VideoResult(video, list(tubes), label_maps={'atomic': ['walk']})


def test_the_box_line_lies_on_the_box_in_the_persons_colour():
    image = draw_people(canvas(), [person(2, [100, 80, 180, 220])])
    for y, x in [(80, 140), (219, 140), (150, 100), (150, 179)]:
        assert image[y, x].tolist() == bgr(2)
    assert image[150, 140].tolist() == [GREY] * 3  # the person is not painted over
    assert image[150, 90].tolist() == [GREY] * 3


def test_filled_in_boxes_are_dashed():
    solid = draw_people(canvas(), [person(2, [100, 80, 180, 220])])[150:200, 100]
    dashed = draw_people(canvas(), [person(2, [100, 80, 180, 220], observed=False)])[150:200, 100]
    assert (solid == bgr(2)).all()
    share = (dashed == bgr(2)).all(axis=1).mean()
    assert 0.4 < share < 0.75


def test_the_tag_sits_on_the_upper_left_corner():
    image = draw_people(canvas(), [person(2, [100, 80, 180, 220])])
    tag = changed(image)[:78]
    rows, columns = np.nonzero(tag)
    assert columns.min() == 100
    assert columns.max() < 120
    assert 60 < rows.min() < 78


def test_people_of_other_ids_have_other_colours_and_tags():
    first = draw_people(canvas(), [person(1, [100, 80, 180, 220])])
    second = draw_people(canvas(), [person(8, [100, 80, 180, 220])])
    assert first[150, 100].tolist() == bgr(1)
    assert second[150, 100].tolist() == bgr(8)


@pytest.mark.parametrize('size', [(426, 240), (64, 48), (31, 17), (9, 7), (1, 1), (1920, 1080)])
def test_everything_fits_into_frames_of_any_size(size):
    width, height = size
    boxes = [[-5, -5, width + 5, height + 5], [0, 0, 3, 3], [width - 1, height - 1, width + 9, height + 9]]
    actions = [Action('talk to (e.g., self, a person, a group)', 0.7), Action('dance', 0.5, True)]
    people = [person(10 * ind, box, actions=actions) for ind, box in enumerate(boxes)]
    image = canvas(width, height)
    assert draw_people(image, people) is image
    assert changed(image).any()


def test_a_box_outside_the_frame_is_not_drawn():
    image = draw_people(canvas(), [person(1, [400, 10, 420, 50]), person(2, [10, -90, 20, -50])])
    assert not changed(image).any()


def test_more_labels_take_more_room_beside_the_person():
    areas = []
    for count in (0, 1, 3):
        actions = [Action(f'label {ind}', 0.5) for ind in range(count)]
        areas.append(changed(draw_people(canvas(), [person(1, [100, 120, 160, 230], actions=actions)])).sum())
    assert areas[0] + 500 < areas[1]
    assert areas[1] + 1000 < areas[2]


def test_sizes_follow_the_frame():
    small = changed(draw_people(canvas(320, 240), [person(1, [100, 80, 200, 220])]))
    large = changed(draw_people(canvas(1440, 1080), [person(1, [450, 360, 900, 990])]))
    assert large[630, 400:500].sum() >= 1.5 * small[140, 90:110].sum()  # the left line
    assert large[:350].sum() >= 4 * small[:75].sum()  # the tag


def test_the_tubes_of_a_frame_are_found_by_its_index():
    boxes = [[0, 0, 10, 20], [5, 0, 15, 20]]
    first = Tube(4, [3, 9], [0.12, 0.36], boxes, observed=[True, False], segments=[Segment(0.3, 0.4, 0, 0.9)])
    second = Tube(7, [9], [0.36], [[50, 50, 60, 70]])
    overlay = TubeOverlay(result(second, first))
    assert overlay.people(4, 0.16) == []
    (seen,) = overlay.people(3, 0.12)
    assert (seen.track_id, seen.box_px.tolist(), seen.observed, seen.actions) == (4, boxes[0], True, [])
    other, filled = overlay.people(9, 0.36)
    assert (filled.observed, [action.name for action in filled.actions]) == (False, ['walk'])
    assert (other.track_id, other.actions) == (7, [])


@pytest.mark.parametrize('tubes', [[], [Tube(1, [], [], [])]])
def test_a_film_without_people_stays_as_it_is(tubes):
    assert not changed(TubeOverlay(result(*tubes)).draw(canvas(), 0, 0.0)).any()


def test_the_same_film_is_drawn_the_same():
    boxes = [[100 + 5 * ind, 60, 160 + 5 * ind, 200] for ind in range(10)]
    tube = Tube(1, range(10), np.arange(10) / 25, boxes, segments=[Segment(0, 1, 0)])
    first, again = TubeOverlay(result(tube)), TubeOverlay(result(tube))
    for ind in range(10):
        np.testing.assert_array_equal(first.draw(canvas(), ind, ind / 25), again.draw(canvas(), ind, ind / 25))
