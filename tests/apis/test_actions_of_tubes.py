"""Actions of tubes on disk."""

from dataclasses import replace

import numpy as np
import pytest

from mmtube.apis.actions import detect_actions, read_rows
from mmtube.errors import InputError
from mmtube.models.interfaces import BaseTubeletDetector
from mmtube.structures import Segment, Tube, VideoInfo, VideoResult
from mmtube.structures.io.features_npz import FeatureMeta, TubeletFeatures, write_features_npz


class FirstRows(BaseTubeletDetector):
    """An action from the first to the last valid row."""

    def __init__(self):
        self.label_maps = {'atomic': ['walk']}

    def detect(self, tubes, features):
        found = []
        for tube, rows in zip(tubes, features):
            times_s = rows.times_s[rows.valid]
            found.append(replace(tube, segments=[Segment(times_s[0], times_s[-1], 0)]))
        return found


def film():
    frames = np.arange(50)
    tubes = [Tube(i, frames, frames / 25, np.tile(np.float32([0, 0, 9, 9]), (50, 1))) for i in (2, 9)]
    return VideoResult(VideoInfo('film.mp4', 64, 48, 25.0, 50, 2.0), tubes, label_maps={'clip': ['run']})


def write(folder, stream='a', dim=2, offsets=(0.2, 0.6), rows=(4, 3)):
    meta = FeatureMeta(stream, 25.0, 8, 4, 4.0, dim)
    tubelets = {}
    for track_id, offset_s, count in zip((2, 9), offsets, rows):
        features = np.full((count, dim), track_id + (0.5 if stream == 'b' else 0), np.float16)
        tubelets[f'film.{track_id}'] = TubeletFeatures(features, np.arange(count) > 0, offset_s, 0.0, 2.0)
    folder.mkdir(exist_ok=True)
    write_features_npz(folder / 'film.npz', meta, tubelets)
    return folder


def test_rows_of_the_right_tube_at_the_right_time(tmp_path):
    found = detect_actions(film(), 'film', [write(tmp_path / 'a')], FirstRows())
    assert [tube.segments[0].start_s for tube in found.tubes] == [pytest.approx(0.2 + 0.16), pytest.approx(0.6 + 0.16)]
    assert found.label_maps == {'clip': ['run'], 'atomic': ['walk']}


def test_streams_stand_side_by_side_and_the_longer_one_is_cut(tmp_path):
    folders = [write(tmp_path / 'a'), write(tmp_path / 'b', 'b', 3, rows=(5, 3))]
    first, second = read_rows(film().tubes, 'film', folders)
    assert first.rows.tolist() == [[2, 2, 2.5, 2.5, 2.5]] * 4
    assert second.rows.shape == (3, 5)
    assert [meta['stream'] for meta in first.meta['streams']] == ['a', 'b']


def test_faults_name_the_film(tmp_path):
    with pytest.raises(InputError, match=r'film\.npz'):
        read_rows(film().tubes, 'film', [tmp_path])
    folders = [write(tmp_path / 'a'), write(tmp_path / 'b', 'b', 3, offsets=(0.36, 0.6))]
    with pytest.raises(InputError, match='film: tube 2: rows of two streams do not stand at the same times'):
        detect_actions(film(), 'film', folders, FirstRows())
    with pytest.raises(InputError, match=r'film\.5'):
        read_rows([replace(film().tubes[0], track_id=5)], 'film', folders)
