from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from mmtube.datasets.film_container import FilmClock, Orientation, declared_s, open_film
from mmtube.testing import make_film


def film_times(ticks: list[int | None]) -> tuple[list[float], int]:
    clock = FilmClock(Fraction(1, 1000), fps=Fraction(25))  # 40 ms a frame, a quarter is 10 ms
    return [round(clock(pts) * 1000, 6) for pts in ticks], clock.num_repaired


def test_clock_keeps_good_times_from_the_first_on():
    assert film_times([500, 533, 700]) == ([0, 33, 200], 0)


def test_clock_fills_missing_times_with_the_average_rate():
    assert film_times([None, None, 80, None]) == ([0, 40, 80, 120], 3)


def test_clock_puts_repeated_times_a_quarter_apart_and_keeps_the_next():
    assert film_times([0, 40, 40, 40, 80]) == ([0, 40, 50, 60, 80], 2)


def test_clock_puts_a_time_that_goes_back_a_little_after_its_predecessor():
    assert film_times([0, 80, 40, 120]) == ([0, 80, 90, 120], 1)


def test_clock_goes_on_where_the_timestamps_start_again():
    assert film_times([0, 4000, 8000, 0, 40]) == ([0, 4000, 8000, 8040, 8080], 0)


def test_clock_takes_up_timestamps_that_begin_late():
    assert film_times([None, 1000, 1040]) == ([0, 40, 80], 1)


def test_clock_has_no_drift():
    clock = FilmClock(Fraction(1, 30000), Fraction(30000, 1001))
    for _ in range(30_001):
        last_s = clock(None)
    assert last_s == 1001.0


@pytest.mark.parametrize(
    ('degrees', 'mirror', 'turned'),
    [
        (0, False, lambda image: image),
        (90, False, np.rot90),
        (180, False, lambda image: np.rot90(image, 2)),
        (-90, False, lambda image: np.rot90(image, -1)),
        (0, True, lambda image: image[:, ::-1]),
        (180, True, lambda image: image[::-1]),
    ],
)
def test_orientation_turns_and_mirrors_as_the_display_matrix_says(tmp_path, degrees, mirror, turned):
    with av.open(str(tmp_path / 'film.mp4'), 'w') as container:
        stream = container.add_stream('libx264', rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, 'yuv420p'
        stream.set_display_rotation(degrees, hflip=mirror)
        container.mux(stream.encode(av.VideoFrame(64, 48, 'yuv420p')))
        container.mux(stream.encode(None))
    with av.open(str(tmp_path / 'film.mp4')) as container:
        orientation = Orientation(next(container.decode(video=0)))
    image = np.arange(48 * 64 * 3, dtype=np.uint8).reshape(48, 64, 3)
    np.testing.assert_array_equal(orientation(image), turned(image))
    assert orientation.size(64, 48) == turned(image).shape[1::-1]


def test_the_length_of_the_sound_does_not_pass_for_that_of_the_video(tmp_path):
    film = make_film(tmp_path / 'film.mp4', num_frames=5, audio=True)  # 0.2 s of pictures, 1 s of sound
    with open_film(film, threads=1) as (container, stream):
        assert declared_s(container, stream) == pytest.approx(0.2)


def test_matroska_declares_the_length_of_each_stream_in_a_tag(tmp_path):
    film = make_film(tmp_path / 'film.mkv', num_frames=5, audio=True)
    with open_film(film, threads=1) as (container, stream):
        assert declared_s(container, stream, reliable=True) == pytest.approx(0.2)


def test_a_guessed_length_is_not_reliable(tmp_path):
    film = make_film(tmp_path / 'film.ts', num_frames=50)
    with open_film(film, threads=1) as (container, stream):
        assert declared_s(container, stream) == pytest.approx(2.0)
        assert declared_s(container, stream, reliable=True) == 0
