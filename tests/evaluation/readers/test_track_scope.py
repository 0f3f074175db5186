from argparse import Namespace

import numpy as np
import pytest

from mmtube.errors import InputError
from mmtube.evaluation.readers.track_scope import only_videos, scoped, split_at_shots, videos_with_returns
from mmtube.evaluation.readers.tracks import track_table
from mmtube.structures import Tube
from mmtube.structures.seal import BoxTable, SEALAnnotations, TubeletRecord, VideoRecord, write_seal_json


def tube(track_id, frames):
    frames = np.asarray(frames)
    return Tube(track_id, frames, frames / 10, np.tile([0, 0, 9, 9], (len(frames), 1)))


def table(**films):
    return track_table([(name, tubes, None) for name, tubes in films.items()], 'gt')


def test_an_id_ends_at_a_cut_and_only_there():
    found = split_at_shots(table(a=[tube(3, [0, 4, 5, 9])], b=[tube(3, [0, 9])]), {'a': np.array([0, 5])})
    ids = found.ids.tolist()
    assert ids[0] == ids[1] != ids[2] == ids[3] and ids[4] == ids[5]


def test_two_people_in_two_shots_are_four_ids():
    found = split_at_shots(table(a=[tube(3, [0, 9]), tube(4, [0, 9])]), {'a': np.array([0, 5])})
    assert len(set(found.ids.tolist())) == 4


def test_films_are_kept_by_name_or_pattern():
    truth, found = table(a1=[tube(1, [0])], a2=[tube(1, [0])], b1=[tube(1, [0])]), table(a2=[tube(5, [0])], c=[])
    truth, found = only_videos(truth, found, ['a?'])
    assert truth.videos == ['a1', 'a2'] and found.videos == ['a2']
    assert len(truth) == 2 and found.video.tolist() == [0]
    with pytest.raises(InputError, match="has no video 'z'"):
        only_videos(truth, found, ['a1', 'z'])


def test_who_is_away_long_enough_and_comes_back_makes_a_film_with_returns():
    truth = table(short=[tube(1, [0, 1, 10])], long=[tube(1, [0, 1, 11])], other=[tube(1, [0]), tube(2, [90])])
    assert videos_with_returns(truth, 1.0) == ['long']
    assert videos_with_returns(truth, 0.9) == ['short', 'long']


@pytest.fixture
def gt(tmp_path):
    """A person through a cut at frame 5, and one who is away for a second within a shot."""
    tracks = {
        'a_1': ([0, 4, 5, 9], [[0, 0, 9, 9]] * 4, [1] * 4, [0] * 4),
        'b_1': ([0, 20], [[0, 0, 9, 9]] * 2, [1] * 2, [0] * 2),
    }
    videos = {
        'a': VideoRecord('x', 20, 20, 10.0, 30, 3.0, 'test', ((0, 5), (5, 30))),
        'b': VideoRecord('x', 20, 20, 10.0, 30, 3.0, 'test', ((0, 30),)),
    }
    tubelets = {
        'a_1': TubeletRecord('a', 1, (0, 10), 'a_1', across_shots=True),
        'b_1': TubeletRecord('b', 1, (0, 21), 'b_1'),
    }
    write_seal_json(SEALAnnotations(videos, tubelets, boxes=BoxTable.from_tracks(tracks)), tmp_path / 'gt.json')
    return tmp_path / 'gt.json'


def options(gt, **changes):
    return Namespace(**{'gt': str(gt), 'ids_per_shot': False, 'videos': None, 'with_returns': None, **changes})


def test_what_is_scored_is_told(gt):
    from mmtube.evaluation.readers.tracks import read_truth

    truth = read_truth(gt)
    whole, _, told = scoped(truth, truth, options(gt))
    assert len(whole) == 6 and told == []
    parts, _, told = scoped(truth, truth, options(gt, ids_per_shot=True, with_returns=1.0))
    assert parts.videos == ['b']
    assert told == [
        'IDs of the ground truth end at shot changes',
        'only videos in which somebody is away for 1 s and comes back: 1',
    ]
    with pytest.raises(InputError, match='nobody is away for 5 s'):
        scoped(truth, truth, options(gt, with_returns=5.0))
    with pytest.raises(InputError, match='must be positive'):
        scoped(truth, truth, options(gt, with_returns=0.0))


def test_mot_text_has_no_shots(tmp_path):
    truth = table(a=[tube(1, [0])])
    with pytest.raises(InputError, match='only SEAL annotations'):
        scoped(truth, truth, options(tmp_path / 'gt.txt', ids_per_shot=True))
