from __future__ import annotations

import av
import numpy as np
import pytest

from mmtube.errors import InputError
from mmtube.structures.io import FilmWriter


def write(path, images, times_s, size=None, **kwargs):
    size = size or images[0].shape[1::-1]
    with FilmWriter(path, size, **kwargs) as film:
        for image, time_s in zip(images, times_s, strict=True):
            film.write(image, time_s)


def ramps(num_frames: int, width: int, height: int) -> list[np.ndarray]:
    """Smooth pictures that differ from frame to frame."""
    across = np.linspace(20, 200, width).astype(np.uint8)
    return [np.stack([np.roll(across, 3 * i)] * height)[..., None].repeat(3, 2) for i in range(num_frames)]


def read(path):
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = [(float(f.pts * stream.time_base), f.to_ndarray(format='bgr24')) for f in container.decode(stream)]
        return frames, float(stream.duration * stream.time_base)


def test_times_and_pictures_come_back(tmp_path):
    times_s = [0.0, 0.01, 0.0433, 0.5, 0.54, 2.0, 2.1]
    images = ramps(7, 64, 48)
    write(tmp_path / 'film.mp4', images, times_s)
    frames, _ = read(tmp_path / 'film.mp4')
    assert [time_s for time_s, _ in frames] == pytest.approx(times_s, abs=1e-4)
    for (_, image), wanted in zip(frames, images, strict=True):
        assert np.abs(image.astype(int) - wanted).mean() < 4


@pytest.mark.parametrize(('times_s', 'length_s'), [([0.0, 0.1, 0.5], 0.9), ([0.0], 0.04)])
def test_the_last_frame_lasts_as_long_as_the_one_before(tmp_path, times_s, length_s):
    write(tmp_path / 'film.mp4', ramps(len(times_s), 64, 48), times_s)
    assert read(tmp_path / 'film.mp4')[1] == pytest.approx(length_s, abs=1e-3)


@pytest.mark.parametrize('size', [(63, 47), (64, 47), (63, 48), (1, 1)])
def test_odd_sizes_are_padded_by_repeating_the_last_column_and_row(tmp_path, size):
    image = np.full((size[1], size[0], 3), 180, np.uint8)
    write(tmp_path / 'film.mp4', [image], [0.0])
    ((_, shown),), _ = read(tmp_path / 'film.mp4')
    assert shown.shape == (size[1] + size[1] % 2, size[0] + size[0] % 2, 3)
    assert np.abs(shown.astype(int) - 180).max() <= 4


@pytest.mark.parametrize('bgr', [(0, 0, 255), (0, 255, 0), (255, 0, 0), (128, 128, 128), (20, 120, 200)])
def test_colours_stay(tmp_path, bgr):
    write(tmp_path / 'film.mp4', [np.full((48, 64, 3), bgr, np.uint8)], [0.0])
    ((_, shown),), _ = read(tmp_path / 'film.mp4')
    assert np.abs(shown[24, 32].astype(int) - bgr).max() <= 4


@pytest.mark.parametrize('bgr', [(0, 0, 255), (0, 255, 0), (255, 0, 0), (128, 128, 128), (20, 120, 200)])
@pytest.mark.parametrize('size', [(64, 48), (63, 47)])
def test_colours_of_the_integer_conversion_stay_and_are_tagged(tmp_path, bgr, size):
    write(tmp_path / 'film.mp4', [np.full((*size[::-1], 3), bgr, np.uint8)], [0.0], matrix='bt601')
    ((_, shown),), _ = read(tmp_path / 'film.mp4')
    assert np.abs(shown[24, 32].astype(int) - bgr).max() <= 6
    with av.open(str(tmp_path / 'film.mp4')) as container:
        context = container.streams.video[0].codec_context
        assert (context.colorspace, context.color_primaries, context.color_trc) == (6, 6, 6)


@pytest.mark.parametrize(('key_every', 'keys'), [(5, [0, 5, 10]), (250, [0])])
def test_key_frames_come_as_often_as_asked_for(tmp_path, key_every, keys):
    still = [np.full((48, 64, 3), 90, np.uint8)] * 12  # a picture that changes gets key frames of its own
    write(tmp_path / 'film.mp4', still, [i / 25 for i in range(12)], key_every=key_every)
    with av.open(str(tmp_path / 'film.mp4')) as container:
        frames = list(container.decode(video=0))
    assert [index for index, frame in enumerate(frames) if frame.key_frame] == keys


@pytest.mark.parametrize('option', [{'matrix': 'rgb'}, {'key_every': 0}])
def test_options_out_of_range_are_refused(tmp_path, option):
    with pytest.raises(ValueError, match=next(iter(option))):
        FilmWriter(tmp_path / 'film.mp4', (64, 48), **option)


def test_a_browser_can_play_it_while_it_loads(tmp_path):
    write(tmp_path / 'film.mp4', ramps(3, 64, 48), [0.0, 0.04, 0.08])
    data = (tmp_path / 'film.mp4').read_bytes()
    assert data.index(b'moov') < data.index(b'mdat')
    with av.open(str(tmp_path / 'film.mp4')) as container:
        context = container.streams.video[0].codec_context
        assert (context.name, context.pix_fmt) == ('h264', 'yuv420p')
        assert (context.colorspace, context.color_primaries, context.color_trc) == (1, 1, 1)


def test_the_same_frames_give_the_same_bytes(tmp_path):
    for name in ('a.mp4', 'b.mp4'):
        write(tmp_path / name, ramps(10, 64, 48), [i / 25 for i in range(10)])
    assert (tmp_path / 'a.mp4').read_bytes() == (tmp_path / 'b.mp4').read_bytes()


def test_an_image_may_be_changed_after_it_was_written(tmp_path):
    image = np.full((48, 64, 3), 180, np.uint8)
    with FilmWriter(tmp_path / 'film.mp4', (64, 48)) as film:
        film.write(image, 0.0)
        image[:] = 0
    ((_, shown),), _ = read(tmp_path / 'film.mp4')
    assert shown.min() > 170


@pytest.mark.parametrize('frames', [0, 3])
def test_nothing_stays_when_the_block_raises(tmp_path, frames):
    (tmp_path / 'film.mp4').write_text('the film before')
    with pytest.raises(KeyError, match='broken'), FilmWriter(tmp_path / 'film.mp4', (64, 48)) as film:
        for index, image in enumerate(ramps(frames, 64, 48)):
            film.write(image, index / 25)
        raise KeyError('broken')
    assert [path.name for path in tmp_path.iterdir()] == ['film.mp4']
    assert (tmp_path / 'film.mp4').read_text() == 'the film before'


def test_a_film_without_frames_is_an_error_and_leaves_nothing(tmp_path):
    with pytest.raises(ValueError, match='no frame was written'), FilmWriter(tmp_path / 'film.mp4', (64, 48)):
        pass
    assert list(tmp_path.iterdir()) == []


def test_times_must_increase(tmp_path):
    with pytest.raises(ValueError, match='does not come after'):
        write(tmp_path / 'film.mp4', ramps(2, 64, 48), [1.0, 1.0])


@pytest.mark.parametrize(
    'image', [np.zeros((48, 63, 3), np.uint8), np.zeros((48, 64, 3)), np.zeros((48, 64), np.uint8)]
)
def test_frames_of_another_shape_or_type_are_refused(tmp_path, image):
    with pytest.raises(ValueError, match=r'it must be \(48, 64, 3\) uint8'):
        write(tmp_path / 'film.mp4', [image], [0.0], size=(64, 48))


def test_a_build_without_x264_is_named_in_one_line(tmp_path, monkeypatch):
    def missing(name, mode):
        raise av.codec.codec.UnknownCodecError(name)

    monkeypatch.setattr(av, 'Codec', missing)
    with pytest.raises(InputError, match=r'film.mp4: .* without libx264'), FilmWriter(tmp_path / 'film.mp4', (64, 48)):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_is_an_input_error(tmp_path):
    (tmp_path / 'file').touch()
    with pytest.raises(InputError, match='cannot be written'), FilmWriter(tmp_path / 'file' / 'film.mp4', (64, 48)):
        pass
