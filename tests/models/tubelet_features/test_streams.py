"""Several extractors on one film."""

import numpy as np
import pytest
from tiny_features import RAW, SIZE, extractor, noise

from mmtube.errors import InputError
from mmtube.models.tubelet_features import FeatureStreams
from mmtube.structures import Tube, VideoInfo

VIDEO = VideoInfo('film.mp4', *SIZE, 25.0, 100, 4.0)


def people():
    return [
        Tube(track_id, frames, frames / 25, np.tile(np.float32(box), (len(frames), 1)))
        for track_id, frames, box in (
            (1, np.arange(100), (0, 0, 20, 20)),
            (5, np.arange(40, 70), (30, 10, 60, 40)),
        )
    ]


def settings(folder, backbone, dim, **kwargs):
    made = extractor(folder, backbone, dim, **kwargs)  # writes the weights
    network = dict(backbone=dict(type=backbone), data_preprocessor=RAW)
    told = dict(stream=backbone, fps=15, window=16, stride=2, box_fps=4, dim=dim, short_side=None, **kwargs)
    return made, dict(type='TubeletExtractor', network=network, checkpoint=str(folder / f'{backbone}.pth'), **told)


def test_each_stream_gives_what_it_gives_alone_and_the_film_is_read_once(tmp_path):
    bright, first = settings(tmp_path, 'Brightness', 3)
    conv, second = settings(tmp_path, 'TinyConv', 6)
    read = []

    def frames():
        for frame in noise(100):
            read.append(frame.index)
            yield frame

    found = FeatureStreams([first, second]).extract(frames(), people(), VIDEO)
    alone = [one.extract(noise(100), people(), VIDEO) for one in (bright, conv)]
    assert read == sorted(set(read))
    for rows, *parts in zip(found, *alone):
        assert len(rows.rows) > 5
        assert np.array_equal(rows.rows, np.concatenate([part.rows for part in parts], 1))
        assert np.array_equal(rows.times_s, parts[0].times_s)
        assert [meta['dim'] for meta in rows.meta['streams']] == [3, 6]


def test_reading_ends_when_nobody_needs_more(tmp_path):
    _, first = settings(tmp_path, 'Brightness', 3)
    _, second = settings(tmp_path, 'TinyConv', 6)
    read = []

    def frames():
        for frame in noise(5000):
            read.append(frame.index)
            yield frame

    FeatureStreams([first, second]).extract(frames(), people()[1:], VIDEO)
    assert len(read) < 1000


def test_streams_on_other_times_are_refused(tmp_path):
    _, first = settings(tmp_path, 'Brightness', 3)
    _, second = settings(tmp_path, 'TinyConv', 6)
    with pytest.raises(InputError, match='tube 1: rows of two streams do not stand at the same times'):
        FeatureStreams([first, {**second, 'stride': 4}]).extract(noise(100), people(), VIDEO)


def test_an_error_in_one_stream_ends_all(tmp_path):
    _, first = settings(tmp_path, 'Brightness', 3)
    _, second = settings(tmp_path, 'TinyConv', 6)
    with pytest.raises(InputError, match='gives 6 numbers, dim says 5'):
        FeatureStreams([first, {**second, 'dim': 5}]).extract(noise(100), people(), VIDEO)
    with pytest.raises(RuntimeError, match='broken'):
        FeatureStreams([first, second]).extract(broken(), people(), VIDEO)
    with pytest.raises(ValueError, match='several'):
        FeatureStreams([first])


def broken():
    yield from noise(10)
    raise RuntimeError('broken film')
