"""Windows out of films: the right frames, wherever the window is and whatever was read before."""

import multiprocessing
import pickle

import av
import numpy as np
import pytest

from mmtube.datasets import FrameSource
from mmtube.datasets.window_reader import WindowReader
from mmtube.errors import InputError
from mmtube.testing import make_film


def numbers(images):
    """Numbers, modulo 25, of frames that ``numbered_frames`` made."""
    return [round((float(image.mean()) - 20) / 8) for image in images]


def read(path, times_s, reader=None):
    return numbers((reader or WindowReader())(path).read(np.asarray(times_s, float), None, 'rgb')[0])


@pytest.fixture(scope='module')
def film(tmp_path_factory):
    return make_film(tmp_path_factory.mktemp('films') / 'film.mp4', 150)


@pytest.mark.parametrize(
    ('name', 'codec', 'fps'),
    [
        *(('film.mp4', 'libx264', fps) for fps in (25, 30)),
        ('film.mkv', 'libx264', 30),
        ('film.ts', 'libx264', 25),
        ('film.avi', 'libx264', 25),  # without presentation times: read from the beginning
        ('film.avi', 'mpeg4', 25),
        ('film.webm', 'libvpx', 30),
        ('film.h264', 'libx264', 25),  # a raw stream cannot be sought
        ('film.mjpeg', 'mjpeg', 25),
    ],
)
def test_frames_are_those_of_their_times_in_any_container_and_order(tmp_path, name, codec, fps):
    path, reader = make_film(tmp_path / name, 150, fps=fps, codec=codec), WindowReader()
    for start in (37, 0, 90, 10, 139, 13):  # forwards and back
        frames = np.arange(start, start + 11)
        assert read(path, frames / fps, reader) == (frames % 25).tolist(), start


def test_times_between_frames_take_the_nearest_and_of_two_as_near_the_earlier(film):
    # Frame 10 is at 0.4 s, frame 11 at 0.44 s.
    assert read(film, [0.4, 0.419, 0.42, 0.421, 0.44]) == [10, 10, 10, 11, 11]


def test_a_film_of_30_fps_is_resampled_to_25_by_the_nearest_frames(tmp_path):
    path = make_film(tmp_path / 'film.mp4', 90, fps=30)
    times = np.arange(25) / 25 + 1
    expected = [int(np.argmin(np.abs(np.arange(90) / 30 - time))) % 25 for time in times]
    assert read(path, times) == expected
    assert np.bincount(np.diff(expected) % 25).tolist() == [0, 19, 5]  # five of thirty are passed over


def test_times_beyond_the_ends_take_the_first_and_the_last_frame(film):
    assert read(film, [-1.0, -0.1, 0.0, 0.04]) == [0, 0, 0, 1]
    images, end_s = WindowReader()(film).read(np.array([5.92, 5.96, 6.2, 99.0]), None, 'rgb')
    assert numbers(images) == [148 % 25, 149 % 25, 149 % 25, 149 % 25]
    assert end_s == pytest.approx(6.0)


def test_frames_of_uneven_times_are_found_by_their_own_times(tmp_path):
    times = np.cumsum(np.tile([0.02, 0.2, 0.05], 20))
    path = make_film(tmp_path / 'film.mkv', 60, times_s=times)
    zero = times[0]  # film time begins at the first frame
    for begin in (0, 13, 40):
        assert read(path, times[begin : begin + 5] - zero) == [frame % 25 for frame in range(begin, begin + 5)]


def test_times_are_those_of_frame_source(tmp_path):
    path = make_film(tmp_path / 'film.ts', 60)  # this container begins at 1.4 s
    with FrameSource(path) as source:
        for index, time_s, _ in source:
            if index in (0, 20, 59):
                assert read(path, [time_s]) == [index % 25]


def test_a_film_that_is_open_gives_the_same_pixels_as_one_that_is_not(film):
    reader, times = WindowReader(), np.arange(40, 60) / 25
    reader(film).read(np.array([5.0]), None, 'rgb')
    warm = reader(film).read(times, None, 'rgb')[0]
    cold = WindowReader()(film).read(times, None, 'rgb')[0]
    assert all(np.array_equal(one, other) for one, other in zip(warm, cold))


@pytest.mark.parametrize(('name', 'more'), [('film.mp4', 2 * 12), ('film.mkv', 2 * 12), ('film.ts', 50 + 2 * 12)])
def test_only_the_frames_from_the_key_frame_on_are_decoded(tmp_path, monkeypatch, name, more):
    path = make_film(tmp_path / name, 600)  # a key frame every 12
    opened = WindowReader()(path)
    decoded = []
    frames = opened._frames
    monkeypatch.setattr(opened, '_frames', lambda: (decoded.append(1) or frame for frame in frames()))
    opened.read(np.arange(500, 510) / 25, None, 'rgb')
    assert 10 < len(decoded) < 10 + more + 3  # a TS is sought by guess, and then two seconds before


def test_repeated_frames_are_copies(film):
    images, _ = WindowReader()(film).read(np.array([-2.0, -1.0, 0.0]), None, 'rgb')
    images[0][:] = 255
    assert numbers(images[1:]) == [0, 0]


def test_frames_are_resized_and_turned_as_shown(tmp_path):
    left_right = np.zeros((48, 64, 3), np.uint8)
    left_right[:, :32] = 200
    path = make_film(tmp_path / 'film.mp4', frames=[left_right] * 5, rotation=90)
    opened = WindowReader()(path)
    assert opened.size == (48, 64)
    with FrameSource(path) as source:
        shown = next(iter(source)).image
    (image,), _ = opened.read(np.zeros(1), None, 'bgr')
    np.testing.assert_allclose(image.astype(int), shown, atol=2)
    (small,), _ = opened.read(np.zeros(1), (24, 32), 'bgr')
    assert small.shape == (32, 24, 3)
    np.testing.assert_allclose(small[4].astype(int), image[8, ::2], atol=3)


def test_channels_are_in_the_order_that_is_asked_for(tmp_path):
    red = np.zeros((48, 64, 3), np.uint8)
    red[..., 2] = 250  # BGR
    opened = WindowReader()(make_film(tmp_path / 'film.mp4', frames=[red] * 3))
    assert opened.read(np.zeros(1), None, 'rgb')[0][0].mean(axis=(0, 1)).argmax() == 0
    assert opened.read(np.zeros(1), None, 'bgr')[0][0].mean(axis=(0, 1)).argmax() == 2


def test_the_last_few_films_stay_open(tmp_path):
    paths = [make_film(tmp_path / f'{name}.mp4', 5) for name in 'abc']
    reader = WindowReader(max_open=2)
    first = reader(paths[0])
    assert reader(paths[0]) is first
    reader(paths[1])
    reader(paths[0])
    reader(paths[2])  # the second goes
    assert reader(paths[0]) is first
    assert sorted(path.stem for path in reader._open) == ['a', 'c']
    reader.close()
    assert not reader._open


def test_a_copy_in_another_process_begins_with_no_open_film(film):
    reader = WindowReader(3)
    reader(film)
    other = pickle.loads(pickle.dumps(reader))
    assert other.max_open == 3 and not other._open
    assert read(film, [0.4], other) == [10]


def test_a_forked_process_does_not_share_the_open_films_of_its_parent(film):
    reader = WindowReader()
    parents = reader(film)
    context = multiprocessing.get_context('fork')
    queue = context.Queue()
    child = context.Process(target=lambda: queue.put((reader(film) is parents, read(film, [0.4, 0.44], reader))))
    child.start()
    assert queue.get(timeout=60) == (False, [10, 11])
    child.join()
    assert reader(film) is parents and read(film, [5.0], reader) == [0]


def test_a_film_that_is_not_there_or_no_film_is_refused(tmp_path):
    with pytest.raises(InputError, match='there is no such file'):
        WindowReader()(tmp_path / 'none.mp4')
    (tmp_path / 'text.mp4').write_text('no film')
    with pytest.raises(InputError, match='no film that can be read'):
        WindowReader()(tmp_path / 'text.mp4')
    with av.open(str(tmp_path / 'sound.mp4'), 'w') as container:
        container.add_stream('aac', rate=16000, layout='mono')
    with pytest.raises(InputError, match=r'sound\.mp4'):
        WindowReader()(tmp_path / 'sound.mp4')


def test_a_number_of_open_films_below_1_is_refused():
    with pytest.raises(ValueError, match='max_open'):
        WindowReader(0)
