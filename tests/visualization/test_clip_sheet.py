import numpy as np

from mmtube.visualization.clip_sheet import clip_sheet
from mmtube.visualization.palette import person_rgb

BLACK = np.zeros((160, 200, 3), np.uint8)


def colours(image):
    return {tuple(pixel[::-1]) for pixel in image.reshape(-1, 3).tolist()}


def sheet(valid):
    boxes = np.array([[[10, 10, 30, 30], [20, 10, 50, 30]]], np.float32)
    return clip_sheet([BLACK, BLACK], boxes, np.array([valid]), [3], ['walk'], 'a clip')


def test_each_frame_has_the_box_of_its_time():
    drawn = sheet([True, True])
    top = (drawn == 0).all(axis=2).any(axis=1).argmax()
    while not (drawn[top] == 0).all(axis=1).sum() >= 390:  # the first row of frames, below the title
        top += 1
    first, second = drawn[top : top + 160, :200], drawn[top : top + 160, 204:404]
    rgb = person_rgb(3)
    assert tuple(first[20, 10][::-1].tolist()) == rgb and tuple(second[20, 20][::-1].tolist()) == rgb
    assert tuple(second[20, 50][::-1].tolist()) == rgb and first[20, 50].tolist() == [0, 0, 0]


def test_a_box_that_is_not_valid_is_not_drawn():
    def count(drawn):
        return int((drawn[:180] == np.array(person_rgb(3)[::-1])).all(axis=2).sum())

    assert count(sheet([True, True])) > count(sheet([True, False])) > count(sheet([False, False])) == 0


def test_the_sheet_has_a_line_for_each_person_and_leaves_the_frames_alone():
    one = sheet([True, True])
    boxes = np.zeros((0, 2, 4), np.float32)
    none = clip_sheet([BLACK, BLACK], boxes, np.zeros((0, 2), bool), [], [], 'a clip')
    assert one.shape[1] == none.shape[1] == 404 and one.shape[0] > none.shape[0]
    assert not BLACK.any() and person_rgb(3) in colours(one)


def test_small_frames_are_enlarged_with_their_boxes():
    boxes = np.array([[[10, 10, 30, 30]]], np.float32)
    drawn = clip_sheet([np.zeros((80, 100, 3), np.uint8)], boxes, np.ones((1, 1), bool), [3], ['walk'], '')
    assert drawn.shape[1] == 200
    assert (drawn[:, 20] == np.array(person_rgb(3)[::-1])).all(axis=1).sum() >= 38  # from 20 to 60 of the frame
