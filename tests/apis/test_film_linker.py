"""Linking of tubelets that are on disk: what the stages tell one another."""

import numpy as np
import pytest
from mmengine.config import Config

from mmtube.apis.link_calibration import DescribedFilm, calibrate, described_film
from mmtube.apis.linking import FilmLinker
from mmtube.evaluation.readers.tracks import track_table
from mmtube.models.trackers import TubeLinker
from mmtube.structures import Tube, TubeletLook, VideoInfo, VideoResult
from mmtube.testing import make_film


def three_people_in_one():
    """A tubelet that is another person every 30 frames; the later change is greater and found first."""
    frames = np.arange(90)
    tube = Tube(1, frames, frames / 25, [[10, 10, 50, 110]] * 90)
    colours = np.array([[1, 0, 0], [0.45, 0.893, 0], [0, 0, 1]])
    look = TubeletLook(frames, colours[frames // 30], np.ones(90, bool))
    return VideoResult(VideoInfo('f.mp4', 100, 120, 25.0, 90, 3.6), [tube], [(0, 90)]), {1: look}


@pytest.fixture
def told(monkeypatch):
    """The pairs that the linker was told to have been one tubelet, by when they begin."""
    found = []
    propose = TubeLinker.propose

    def watched(self, tubelets, shots, looks=None, parted=()):
        begin = {tube.track_id: int(tube.frame_inds[0]) for tube in tubelets}
        found.append(sorted((begin[earlier], begin[later]) for earlier, later in parted))
        return propose(self, tubelets, shots, looks, parted)

    monkeypatch.setattr(TubeLinker, 'propose', watched)
    return found


CFG = Config(dict(linker=dict(type='TubeLinker'), splitter=dict(type='TubeletSplitter')))


def test_the_linker_knows_which_parts_follow_each_other(told):
    result, looks = three_people_in_one()
    linked = FilmLinker(CFG).link(result, looks)
    assert len(linked.splits) == 2
    assert told == [[(0, 30), (30, 60)]]


def test_the_linker_that_is_calibrated_knows_it_too(told):
    result, looks = three_people_in_one()
    truth = track_table([('f', result.tubes, None)], 'truth')
    calibrate(CFG, [DescribedFilm('f', result, looks)], truth, 0.95)
    assert told == [[(0, 30), (30, 60)]]


def test_what_is_kept_of_a_film_changes_nothing(tmp_path):
    film = make_film(tmp_path / 'f.mkv', num_frames=20, size=(100, 120), fps=10)
    tube = Tube(1, range(20), np.arange(20) / 25, [[10, 10, 50, 110]] * 20)  # 25 frames per second, says the file
    result = VideoResult(VideoInfo('f.mp4', 100, 120, 25.0, 20, 0.8), [tube], [(0, 20)])
    stages = dict(frame_source=dict(type='FrameSource'), appearance=dict(type='ColorHistogram'))
    linker = FilmLinker(Config({**stages, **CFG.to_dict()}))
    kept = [described_film(linker, 'f', result, film, cache) for cache in (None, tmp_path / 'c', tmp_path / 'c')]
    assert (tmp_path / 'c' / 'f.npz').is_file()
    for one in kept:
        assert np.array_equal(one.result.tubes[0].times_s, tube.times_s)
        assert np.array_equal(one.looks[1].rows, kept[0].looks[1].rows)
    result.shots = []
    assert described_film(linker, 'f', result, film, tmp_path / 'c').result.tubes[0].end_s == pytest.approx(1.9)
