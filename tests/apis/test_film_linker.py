"""Linking of tubelets that are on disk: what the stages tell one another."""

import numpy as np
import pytest
from mmengine.config import Config

from mmtube.apis.link_calibration import DescribedFilm, calibrate
from mmtube.apis.linking import FilmLinker
from mmtube.evaluation.readers.tracks import track_table
from mmtube.models.trackers import TubeLinker
from mmtube.structures import Tube, TubeletLook, VideoInfo, VideoResult


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
