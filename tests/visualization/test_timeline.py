from __future__ import annotations

import subprocess
import sys
import warnings

import cv2
import numpy as np
import pytest

from mmtube.errors import InputError
from mmtube.structures import Segment, Tube, VideoInfo, VideoResult
from mmtube.visualization import draw_timeline
from mmtube.visualization.palette import person_rgb
from mmtube.visualization.timeline import clock


def film(num_people: int = 0, name: str = 'film.mp4', segments=(), shots=(), frames=range(50, 100)) -> VideoResult:
    frames = np.asarray(frames)
    boxes = np.tile([0.0, 0, 4, 8], (len(frames), 1))
    tubes = [Tube(ind, frames, frames / 10, boxes, segments=list(segments)) for ind in range(num_people)]
    video = VideoInfo(name, 640, 480, 10.0, 200, 20.0)
    return VideoResult(video, tubes, shots=list(shots), label_maps={'atomic': ['walk', 'a$b^$'], 'complex': ['dance']})


def drawn(tmp_path, result: VideoResult) -> np.ndarray:
    draw_timeline(result, tmp_path / 'timeline.png')
    return cv2.imread(str(tmp_path / 'timeline.png'))


def columns_of(image: np.ndarray, track_id: int) -> np.ndarray:
    """Columns to the right of the names in which a person's colour appears."""
    is_color = np.abs(image.astype(int) - person_rgb(track_id)[::-1]).max(axis=2) <= 2
    columns = np.flatnonzero(is_color.any(axis=0))
    return columns[columns > 265]


def test_a_bar_lies_where_the_person_is_seen(tmp_path):
    image = drawn(tmp_path, film(1))  # from 5 s to 10 s of 20 s; the axis begins at 260 px and is 1050 px long
    columns = columns_of(image, 0)
    assert columns.min() == pytest.approx(260 + 1050 / 4, abs=2)
    assert columns.max() == pytest.approx(260 + 1050 / 2, abs=2)


def test_a_gap_is_a_gap(tmp_path):
    columns = columns_of(drawn(tmp_path, film(1, frames=[*range(50, 60), *range(90, 100)])), 0)
    assert not np.isin(np.arange(260 + 1050 * 7 // 20, 260 + 1050 * 8 // 20), columns).any()


def test_the_picture_grows_with_people_and_labels(tmp_path):
    heights = [
        drawn(tmp_path, result).shape[0]
        for result in (
            film(1),
            film(3),
            film(3, segments=[Segment(5, 7, 0)]),
            film(3, segments=[Segment(5, 7, 0), Segment(5, 7, 1)]),
        )
    ]
    assert heights == sorted(set(heights))
    assert drawn(tmp_path, film(50)).shape[1] == drawn(tmp_path, film(1)).shape[1] == 1400


def test_each_shot_change_is_a_vertical_line(tmp_path):
    plain = drawn(tmp_path, film(1, shots=[(0, 200)]))
    cut = drawn(tmp_path, film(1, shots=[(0, 150), (150, 200)]))
    inside = slice(100, plain.shape[0] - 80)
    columns = np.flatnonzero((plain != cut)[inside].any(axis=(0, 2)))
    assert columns.mean() == pytest.approx(260 + 1050 * 0.75, abs=2)
    assert len(columns) <= 4


def test_a_film_without_people_says_so(tmp_path):
    image = drawn(tmp_path, film(0))
    middle = image[image.shape[0] // 2 - 20 : image.shape[0] // 2 + 40, 700:870]
    assert (middle < 150).any()


def test_the_same_result_gives_the_same_bytes(tmp_path):
    for name in ('a.png', 'b.png'):
        draw_timeline(film(2, segments=[Segment(5, 7, 0, 0.5)]), tmp_path / name)
    assert (tmp_path / 'a.png').read_bytes() == (tmp_path / 'b.png').read_bytes()
    assert b'Software' not in (tmp_path / 'a.png').read_bytes()  # another release of matplotlib may not change them


def test_names_with_signs_or_letters_of_any_kind_make_no_noise(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        drawn(tmp_path, film(1, name='$x_^$ 生日.mp4', segments=[Segment(5, 7, 1), Segment(5, 5, 0, 0.5, 'complex')]))


def test_hundreds_of_people_still_make_a_picture_that_opens(tmp_path):
    assert drawn(tmp_path, film(300, frames=[1, 2])).shape[0] < 6000


@pytest.mark.parametrize('frames', [[], [0]])
def test_tubes_of_no_or_one_frame_are_drawn(tmp_path, frames):
    drawn(tmp_path, film(1, frames=frames))


def test_a_film_of_no_length_is_drawn(tmp_path):
    drawn(tmp_path, VideoResult(VideoInfo('film.mp4', 64, 48, 0.0, 0, 0.0)))


def test_a_place_that_cannot_be_written_is_an_input_error(tmp_path):
    (tmp_path / 'file').touch()
    with pytest.raises(InputError, match='cannot be written'):
        draw_timeline(film(0), tmp_path / 'file' / 'timeline.png')


@pytest.mark.parametrize(
    ('time_s', 'decimals', 'text'),
    [(0, False, '0:00'), (59.6, False, '1:00'), (75, False, '1:15'), (3600, False, '1:00:00'), (2.56, True, '0:02.6')],
)
def test_times_are_minutes_and_seconds(time_s, decimals, text):
    assert clock(time_s, decimals) == text


def test_importing_the_package_does_not_import_matplotlib():
    code = "import sys, mmtube.visualization; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, '-c', code], check=False).returncode == 0
