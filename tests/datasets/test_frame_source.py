from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import av
import numpy as np
import pytest

from mmtube.datasets import FrameSource
from mmtube.errors import InputError
from mmtube.registry import DATASETS
from mmtube.testing import make_film, numbered_frames


def times_of(path: Path, **kwargs) -> list[float]:
    with FrameSource(path, **kwargs) as source:
        return [frame.time_s for frame in source]


def refusal(path: Path, **kwargs) -> str:
    with pytest.raises(InputError) as caught:
        times_of(path, **kwargs)
    message = str(caught.value)
    assert '\n' not in message
    assert path.name in message
    return message


def look_ahead_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == 'mmtube-look-ahead']


def cut(path: Path, share: float) -> Path:
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    return path


def noisy_frames(num_frames: int, size: tuple[int, int] = (64, 48)) -> list[np.ndarray]:
    """Frames that compress badly, so that each has many bytes."""
    return list(np.random.default_rng(0).integers(0, 255, (num_frames, size[1], size[0], 3), np.uint8))


def test_frames_come_in_order_with_index_time_and_picture(tmp_path):
    with FrameSource(make_film(tmp_path / 'film.mp4', num_frames=5)) as source:
        frames = list(source)
    assert [frame.index for frame in frames] == [0, 1, 2, 3, 4]
    assert [frame.time_s for frame in frames] == [0.0, 0.04, 0.08, 0.12, 0.16]
    for frame, image in zip(frames, numbered_frames(5)):
        assert frame.image.dtype == np.uint8
        assert frame.image.flags.c_contiguous and frame.image.flags.writeable
        assert np.abs(frame.image.astype(int) - image).max() <= 4


def test_a_config_builds_the_source(tmp_path):
    config = {'type': 'FrameSource', 'look_ahead': 4}
    source = DATASETS.build(config | {'path': make_film(tmp_path / 'film.mp4', num_frames=2)})
    assert (type(source), source.look_ahead) == (FrameSource, 4)


def test_info_is_an_estimate_before_and_exact_after(tmp_path):
    source = FrameSource(make_film(tmp_path / 'film.mkv', num_frames=50))
    assert (source.info.name, source.info.width, source.info.height) == ('film.mkv', 64, 48)
    assert source.info.num_frames == 50  # by the declared length and rate, Matroska has no count
    raw = FrameSource(make_film(tmp_path / 'film.mjpeg', num_frames=50, codec='mjpeg'))
    assert raw.info.num_frames == 0  # nothing declared
    assert sum(1 for _ in raw) == 50
    assert raw.info.num_frames == 50
    assert raw.info.duration_s == pytest.approx(2.0)
    assert raw.info.fps == pytest.approx(25.0)


def test_a_variable_frame_rate_keeps_its_times(tmp_path):
    times_s = [0.0, 0.01, 0.5, 0.54, 3.0]
    film = make_film(tmp_path / 'film.mp4', num_frames=5, times_s=times_s)
    assert times_of(film) == pytest.approx(times_s, abs=1e-4)


def test_time_starts_at_the_first_frame(tmp_path):
    film = make_film(tmp_path / 'film.mp4', num_frames=3, times_s=[2.0, 2.1, 2.2])
    assert times_of(film) == pytest.approx([0.0, 0.1, 0.2], abs=1e-4)


@pytest.mark.filterwarnings('ignore:.*no usable time')
@pytest.mark.parametrize('name', ['film.mkv', 'film.ts', 'film.h264', 'film.webm', 'film.avi'])
def test_containers_with_and_without_times_give_the_same_frames(tmp_path, name):
    codec = 'libvpx' if name.endswith('webm') else 'libx264'
    with FrameSource(make_film(tmp_path / name, num_frames=30, codec=codec), on_truncated='error') as source:
        frames = [(frame.time_s, frame.image.mean()) for frame in source]
    assert [time_s for time_s, _ in frames] == pytest.approx([index / 25 for index in range(30)], abs=1e-3)
    assert [level for _, level in frames] == pytest.approx([20 + 8 * (i % 25) for i in range(30)], abs=3)


def test_a_pass_says_when_times_were_made_up(tmp_path):
    source = FrameSource(make_film(tmp_path / 'film.h264', num_frames=3))
    with pytest.warns(UserWarning, match='3 of 3 frames have no usable time'):
        list(source)
    assert len(source.problems) == 1


@pytest.mark.parametrize('size', [(63, 47), (65, 48), (64, 47), (426, 240), (1, 1)])
def test_any_size_is_right_to_the_last_column(tmp_path, size):
    ramp = np.zeros((size[1], size[0], 3), np.uint8)
    ramp[..., 1] = np.linspace(40, 200, size[0]).astype(np.uint8)  # a shifted row would break the ramp
    with FrameSource(make_film(tmp_path / 'film.mp4', frames=[ramp])) as source:
        (frame,) = source
    assert frame.image.shape == ramp.shape
    assert np.abs(frame.image.astype(int) - ramp).mean() < 6


def test_colours_are_right_and_in_blue_green_red_order(tmp_path):
    image = np.zeros((48, 64, 3), np.uint8)
    image[:] = (20, 120, 200)
    with FrameSource(make_film(tmp_path / 'film.mp4', frames=[image])) as source:
        (frame,) = source
    assert np.abs(frame.image.astype(int) - image).max() <= 4


@pytest.mark.parametrize(('rotation', 'corner'), [(0, (0, 0)), (90, (-1, 0)), (180, (-1, -1)), (-90, (0, -1))])
def test_the_rotation_flag_is_obeyed(tmp_path, rotation, corner):
    image = np.full((48, 64, 3), 60, np.uint8)
    image[:16, :16] = 220  # upper left as stored; a turn to the left brings it to the lower left
    with FrameSource(make_film(tmp_path / 'film.mp4', frames=[image] * 2, rotation=rotation)) as source:
        size = (source.info.width, source.info.height)
        frame = next(iter(source))
    assert size == ((48, 64) if rotation % 180 else (64, 48))
    assert frame.image.shape[:2] == size[::-1]
    assert frame.image.flags.c_contiguous
    corners = {(y, x): frame.image[y, x].mean() for y in (0, -1) for x in (0, -1)}
    assert max(corners, key=corners.get) == corner


def test_an_edit_list_cuts_the_start(tmp_path):
    whole, trimmed = make_film(tmp_path / 'whole.mp4', num_frames=50), tmp_path / 'trimmed.mp4'
    with av.open(str(whole)) as source, av.open(str(trimmed), 'w', options={'avoid_negative_ts': '0'}) as target:
        stream = source.streams.video[0]
        copy = target.add_stream_from_template(stream)
        shift = int(0.48 / stream.time_base)
        for packet in source.demux(stream):
            if packet.dts is not None:
                packet.pts, packet.dts, packet.stream = packet.pts - shift, packet.dts - shift, copy
                target.mux(packet)
    with FrameSource(trimmed) as source:
        frames = list(source)
    assert len(frames) == 38
    assert frames[0].time_s == 0
    assert frames[0].image.mean() == pytest.approx(20 + 8 * 12, abs=3)


def test_one_frame_is_a_film(tmp_path):
    source = FrameSource(make_film(tmp_path / 'film.mp4', num_frames=1))
    assert [frame.time_s for frame in source] == [0.0]
    assert (source.info.num_frames, source.info.duration_s) == (1, pytest.approx(0.04))


def test_sound_beside_the_video_does_no_harm(tmp_path):
    assert len(times_of(make_film(tmp_path / 'film.mp4', num_frames=5, audio=True))) == 5


def test_two_passes_are_equal_for_any_look_ahead_and_thread_count(tmp_path):
    film = make_film(tmp_path / 'film.mp4', frames=noisy_frames(20))
    source = FrameSource(film, look_ahead=1, threads=1)
    first, again = list(source), list(source)
    other = list(FrameSource(film, look_ahead=16, threads=4))
    for frame, same, third in zip(first, again, other, strict=True):
        assert frame.time_s == same.time_s == third.time_s
        np.testing.assert_array_equal(frame.image, same.image)
        np.testing.assert_array_equal(frame.image, third.image)


def test_a_loop_that_is_left_early_ends_its_thread(tmp_path):
    source = FrameSource(make_film(tmp_path / 'film.mp4', num_frames=100), look_ahead=2)
    for _ in source:
        break
    assert look_ahead_threads() == []


def test_closing_ends_a_pass_that_is_still_open(tmp_path):
    with FrameSource(make_film(tmp_path / 'film.mp4', num_frames=100), look_ahead=2) as source:
        frames = iter(source)
        next(frames)
        assert len(look_ahead_threads()) == 1
    assert look_ahead_threads() == []
    with pytest.raises(ValueError, match='closed'):
        next(frames)


@pytest.mark.parametrize('prepare', [lambda p: None, lambda p: p.touch(), lambda p: p.mkdir()])
def test_what_is_no_file_is_refused_in_its_own_words(tmp_path, prepare):
    path = tmp_path / 'film.mp4'
    prepare(path)
    words = 'folder' if path.is_dir() else 'empty' if path.exists() else 'no such file'
    assert words in refusal(path)


def test_text_with_the_name_of_a_film_is_refused(tmp_path):
    (tmp_path / 'film.mp4').write_text('dear diary\n' * 100)
    assert 'no film' in refusal(tmp_path / 'film.mp4')


def test_sound_alone_is_refused(tmp_path):
    assert 'has no video, only sound' in refusal(make_film(tmp_path / 'film.mp4', num_frames=0, audio=True))


def test_a_film_without_frames_is_refused(tmp_path):
    with av.open(str(tmp_path / 'film.avi'), 'w') as container:
        stream = container.add_stream('libx264', rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, 'yuv420p'
        container.start_encoding()
    assert 'has no frame' in refusal(tmp_path / 'film.avi')


def test_a_cut_film_whose_index_is_lost_is_refused(tmp_path):
    assert 'cut off' in refusal(cut(make_film(tmp_path / 'film.mp4'), 0.6))


def test_a_cut_film_whose_index_is_there_is_refused_at_once(tmp_path):
    film = cut(make_film(tmp_path / 'film.mp4', frames=noisy_frames(50), faststart=True), 0.5)
    with pytest.raises(InputError, match=r'ends after (0\.9|1\.0)\d s of 2\.00 s: the file is truncated'):
        FrameSource(film)


@pytest.mark.filterwarnings('ignore:.*damaged packets')
def test_a_cut_film_gives_what_there_is_where_that_is_wanted(tmp_path):
    film = cut(make_film(tmp_path / 'film.mp4', frames=noisy_frames(50), faststart=True), 0.5)
    source = FrameSource(film, on_truncated='warn', on_corrupt='warn')
    with pytest.warns(UserWarning, match='the file is truncated'):
        count = len(list(source))
    assert 20 <= count <= 26
    assert source.info.num_frames == count


def test_a_cut_film_without_an_index_is_refused_at_its_end(tmp_path):
    film = cut(make_film(tmp_path / 'film.mkv', frames=noisy_frames(50)), 0.5)
    source, frames = FrameSource(film), []
    with pytest.raises(InputError, match=r'truncated|cut off'):
        frames.extend(source)
    assert len(look_ahead_threads()) == 0


@pytest.fixture
def damaged(tmp_path) -> Path:
    film = make_film(tmp_path / 'film.mp4', frames=noisy_frames(50), faststart=True)
    with av.open(str(film)) as container:
        entry = container.streams.video[0].index_entries[25]
        first, count = entry.pos, entry.size  # an entry is libav's memory and ends with the container
    data = bytearray(film.read_bytes())
    data[first : first + count] = bytes(count)
    film.write_bytes(data)
    return film


def test_a_damaged_packet_is_refused_when_it_is_met(damaged):
    source, frames = FrameSource(damaged), []
    with pytest.raises(InputError, match=r'frame \d+ .* corrupt'):
        frames.extend(source)
    assert 10 <= len(frames) <= 30  # the frames before it arrived


def test_a_damaged_packet_is_skipped_where_that_is_wanted(damaged):
    source = FrameSource(damaged, on_corrupt='warn')
    with pytest.warns(UserWarning, match='damaged packets or frames: 1'):
        times_s = [frame.time_s for frame in source]
    assert len(times_s) == 49
    assert times_s[-1] == pytest.approx(1.96)  # the frames after it keep their times


def test_a_change_of_size_is_refused_with_both_sizes(tmp_path):
    small = make_film(tmp_path / 'small.h264', num_frames=25, size=(64, 48)).read_bytes()
    large = make_film(tmp_path / 'large.h264', num_frames=5, size=(128, 96)).read_bytes()
    (tmp_path / 'film.h264').write_bytes(small + large)
    assert 'frame 25 is 128x96, the film began with 64x48' in refusal(tmp_path / 'film.h264')


def test_libav_writes_nothing_to_the_terminal(damaged):
    code = f"""
import av, warnings
av.logging.set_level(av.logging.ERROR)  # as other libraries do
warnings.simplefilter('ignore')
from mmtube.datasets import FrameSource
print(sum(1 for _ in FrameSource({str(damaged)!r}, on_corrupt='warn')))
"""
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == '49'
    assert done.stderr == ''


@pytest.mark.parametrize('kwargs', [{'look_ahead': 0}, {'threads': -1}, {'threads': 'many'}, {'on_corrupt': 'skip'}])
def test_arguments_out_of_range_are_refused(kwargs):
    with pytest.raises(ValueError, match=next(iter(kwargs))):
        FrameSource('film.mp4', **kwargs)


FILMS = Path(__file__).parents[2].parent / 'shared' / 'data' / 'videos'


@pytest.mark.skipif(not FILMS.is_dir(), reason='needs the real films')
@pytest.mark.parametrize(
    ('name', 'num_frames', 'size'),
    [('basketball_two_people.mp4', 300, (426, 240)), ('hug_two_people_1080p.mp4', 72, (1920, 1080))],
)
def test_real_films_have_the_frames_that_their_index_says(name, num_frames, size):
    source = FrameSource(FILMS / name)
    assert source.info.num_frames == num_frames
    last = None
    for last in source:
        assert last.image.shape == (size[1], size[0], 3)
    assert last.index == num_frames - 1
    assert source.problems == []
