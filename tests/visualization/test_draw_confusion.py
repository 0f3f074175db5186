"""The picture of what is taken for what."""

import cv2
import numpy as np

from mmtube.visualization.confusion import draw_confusion
from mmtube.visualization.figure import BLUE, ORANGE


def pixels_of(path, color):
    rgb = [int(color[place : place + 2], 16) for place in (1, 3, 5)]
    return int((cv2.imread(str(path))[..., ::-1] == rgb).all(axis=-1).sum())


def test_a_pair_that_may_be_one_class_has_another_colour(tmp_path):
    rates = np.array([[0, 0.6, 0], [0.4, 0, 0.1], [0, 0, 0]])
    draw_confusion(tmp_path / 'a.png', rates, [(0, 1, 0.5), (1, 2, 0.05)], list('abc'))
    assert pixels_of(tmp_path / 'a.png', ORANGE) > 5 * pixels_of(tmp_path / 'a.png', BLUE) > 0
    draw_confusion(tmp_path / 'b.png', rates, [(0, 1, 0.5), (1, 2, 0.05)], list('abc'), merge_above=0.5)
    assert pixels_of(tmp_path / 'b.png', ORANGE) == 0


def test_only_the_most_confused_classes_are_shown(tmp_path):
    rates = np.zeros((40, 40))
    rates[5, 7] = 1.0
    draw_confusion(tmp_path / 'few.png', rates, [], [f'class {label}' for label in range(40)], max_classes=2)
    image = cv2.imread(str(tmp_path / 'few.png'))
    dark = (image.astype(int) - [107, 48, 8] == 0).all(axis=-1)  # the end of the colour scale, in BGR
    assert dark.mean() > 0.05, 'one of four cells'


def test_no_classes_are_no_fault(tmp_path):
    draw_confusion(tmp_path / 'none.png', np.zeros((0, 0)), [], [])
    assert cv2.imread(str(tmp_path / 'none.png')) is not None
