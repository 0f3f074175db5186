"""Which frames make a window, and that no more are held."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_features import Frame, film

from mmtube.models.tubelet_features.film_windows import FilmWindows, frame_offsets, resample
from mmtube.structures.feature_grid import FeatureGrid

EVERYTHING = np.array([[0, 1 << 40]])


def numbers(num_frames, film_fps, fps, pick):
    return [frame.index for _, frame in resample(film(num_frames, film_fps, size=(2, 2)), fps, pick)]


def test_tsps_rule_picks_the_frame_that_is_shown():
    for film_fps in (24, 25, 30, 29.97, 50, 12):
        picked = numbers(90, film_fps, 15, 'before')
        assert picked == [int(np.floor(i * film_fps / 15 + 1e-6)) for i in range(len(picked))]
        assert len(picked) == int(90 / film_fps * 15 + 1e-3 * 15)


def test_the_nearest_frame_is_picked_and_at_30_of_30_each_once():
    assert numbers(10, 30, 30, 'nearest') == list(range(10))
    assert numbers(6, 25, 15, 'nearest') == [0, 2, 3]  # 0, 66.7 and 133.3 ms of 40 ms frames
    assert numbers(6, 25, 15, 'before') == [0, 1, 3]


def test_times_rounded_to_milliseconds_pick_the_same_frames():
    exact = list(film(60, 30, size=(2, 2)))
    rounded = [Frame(frame.index, round(frame.time_s, 3), frame.image) for frame in exact]
    for fps in (15, 30):
        for pick in ('before', 'nearest'):
            picked = [[frame.index for _, frame in resample(frames, fps, pick)] for frames in (exact, rounded)]
            assert picked[0] == picked[1] and len(picked[0]) == 2 * fps


def test_timestamps_count_and_not_numbers():
    times_s = [0, 0.1, 0.2, 1.0, 1.1]  # the film stands still from 0.2 to 1 s
    frames = [Frame(index, time_s, None) for index, time_s in enumerate(times_s)]
    assert [frame.index for _, frame in resample(frames, 5, 'before')] == [0, 2, 2, 2, 2, 3]


@given(st.integers(0, 400), st.sampled_from([8, 12.5, 24, 25, 30, 59.94]))
def test_both_streams_of_seal_have_as_many_windows(num_frames, film_fps):
    found = []
    for grid, pick in ((FeatureGrid(30, 32, 4), 'nearest'), (FeatureGrid(15, 16, 2), 'before')):
        count = sum(1 for _ in resample((Frame(i, i / film_fps, None) for i in range(num_frames)), grid.fps, pick))
        found.append(grid.num_windows(count))
    assert found[0] == found[1]


def test_layouts():
    assert frame_offsets('every', 4).tolist() == [0, 1, 2, 3]
    offsets = frame_offsets('span64', 32)
    assert (offsets[0], offsets[1], offsets[-1]) == (-16, -14, 46)
    for layout in ('span40', 'span16', 'all'):
        with pytest.raises(ValueError, match='layout'):
            frame_offsets(layout, 32)


def windows_of(num_frames, wanted, layout='every', kept=EVERYTHING):
    windows = FilmWindows(FeatureGrid(25, 8, 3), layout, 'nearest', lambda image: image)
    found = {}
    numbered = (Frame(i, i / 25, np.full((2, 2, 3), i, np.uint8)) for i in range(num_frames))
    for window, clip in windows(numbered, wanted, kept, 0.04):
        found[window] = [int(frame[0, 0, 0]) for frame in clip]
        assert len(windows._held) <= len(clip) * (1 if layout == 'every' else 2) + 2 * 3 + 8
    return found, windows


def test_windows_stand_on_the_grid_and_none_is_padded():
    found, windows = windows_of(20, range(100))
    assert found == {i: list(range(3 * i, 3 * i + 8)) for i in range(5)}
    assert (windows.num_frames, windows.num_windows) == (20, 5)
    assert [int(frame[0, 0, 0]) for frame in windows.last()] == list(range(12, 20))


def test_a_layout_that_reaches_beyond_the_film_repeats_its_ends():
    found, _ = windows_of(20, range(100), 'span16')
    assert found[0] == [0, 0, 0, 2, 4, 6, 8, 10]
    assert found[4] == [8, 10, 12, 14, 16, 18, 19, 19]


def test_only_what_is_wanted_is_cut_and_reading_ends_with_it():
    read = []

    def frames():
        for i in range(1000):
            read.append(i)
            yield Frame(i, i / 25, np.full((2, 2, 3), i % 256, np.uint8))

    windows = FilmWindows(FeatureGrid(25, 8, 3), 'every', 'nearest', lambda image: image)
    found = [window for window, _ in windows(frames(), [10, 12], np.array([[30, 44]]), 0.04)]
    assert found == [10, 12]
    assert len(read) < 60


def test_a_frame_is_prepared_once_and_not_in_holes():
    prepared = []
    windows = FilmWindows(FeatureGrid(50, 8, 2), 'every', 'nearest', lambda image: prepared.append(1) or image)
    frames = (Frame(i, i / 25, np.zeros((2, 2, 3), np.uint8)) for i in range(100))
    list(windows(frames, [0, 1, 40], np.array([[0, 10], [80, 88]]), 0.04))
    assert len(prepared) <= 6 + 5  # at 50 per second each frame of 25 comes twice


def test_frames_that_no_window_shows_are_not_prepared():
    prepared = []
    windows = FilmWindows(FeatureGrid(25, 8, 8), 'span64', 'nearest', lambda image: prepared.append(1) or image)
    frames = (Frame(i, i / 25, np.full((2, 2, 3), i, np.uint8)) for i in range(80))
    found = {
        window: [int(frame[0, 0, 0]) for frame in clip] for window, clip in windows(frames, range(99), EVERYTHING, 0.04)
    }
    assert found[5] == [12, 20, 28, 36, 44, 52, 60, 68]
    assert found[0] == [0, 0, 0, 0, 4, 12, 20, 28]
    assert found[9] == [44, 52, 60, 68, 76, 76, 76, 76]
    assert len(prepared) == 1 + 10  # the first frame stands in for those before the film


def test_a_film_without_frames_or_shorter_than_a_window_has_no_window():
    assert windows_of(0, range(9))[0] == windows_of(7, range(9))[0] == {}
    assert list(windows_of(8, range(9))[0]) == [0]
