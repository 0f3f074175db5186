"""Figures: they show the numbers that they are given, and nothing breaks where there are none."""

import cv2
import numpy as np
import pytest

from mmtube.errors import InputError
from mmtube.visualization.statistics import (
    GROUP_COLORS,
    draw_box_sizes,
    draw_class_lengths,
    draw_frequencies,
    draw_histograms,
    draw_offsets,
    draw_pairs,
)

NAN = float('nan')


def pixels_of(path, color):
    """How many pixels have exactly this colour."""
    rgb = [int(color[place : place + 2], 16) for place in (1, 3, 5)]
    return int((cv2.imread(str(path))[..., ::-1] == rgb).all(axis=-1).sum())


def test_bars_have_the_colour_of_their_group_and_the_height_of_their_length(tmp_path):
    lengths = np.array([4.0, NAN, 2.0, 1.0])
    path = tmp_path / 'lengths.png'
    draw_class_lengths(path, lengths, list('abcd'), ['pose', 'pp', 'pp', 'po'], title='Actions')
    blue, red, green = (pixels_of(path, GROUP_COLORS[group]) for group in ('pose', 'pp', 'po'))
    legend = 400  # pixels of a legend's sample, at most
    assert blue > red > green > legend
    assert blue / red == pytest.approx(2, rel=0.05) and red / green == pytest.approx(2, rel=0.05)


def test_only_as_many_classes_as_asked_for(tmp_path):
    path = tmp_path / 'lengths.png'
    draw_class_lengths(path, np.array([4.0, 3.0]), ['a', 'b'], ['pose', 'po'], title='Actions', max_classes=1)
    assert pixels_of(path, GROUP_COLORS['pose']) and not pixels_of(path, GROUP_COLORS['po'])


def test_empty_statistics_are_drawn_too(tmp_path):
    none = np.zeros(0)
    draw_class_lengths(tmp_path / '1.png', none, [], [], title='Actions')
    draw_frequencies(
        tmp_path / '2.png', none.astype(int), [], [], dict(slope=NAN, intercept=NAN, r2=NAN), title='Actions'
    )
    empty = {'atomic': none, 'complex': none}
    draw_histograms(tmp_path / '3.png', empty, {task: none.astype(int) for task in empty})
    draw_box_sizes(tmp_path / '4.png', np.zeros((5, 5), int), dict(mean_width=0, mean_height=0, full_height=0))
    draw_offsets(tmp_path / '5.png', none, none)
    draw_pairs(tmp_path / '6.png', [], [], [])
    assert all(cv2.imread(str(tmp_path / f'{number}.png')) is not None for number in range(1, 7))


def test_equal_statistics_make_equal_bytes(tmp_path):
    for name in ('a.png', 'b.png'):
        draw_pairs(tmp_path / name, [(0, 1, 9)], [(1, 0, 3)], ['walk', 'a name that is much too long for its place'])
    assert (tmp_path / 'a.png').read_bytes() == (tmp_path / 'b.png').read_bytes()


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(InputError, match='cannot be written'):
        draw_offsets(tmp_path / 'file' / 'x.png', np.zeros(1), np.zeros(1))
