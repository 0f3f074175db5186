"""A set of small films in the SEAL schema: frames tell their number and boxes their time."""

import numpy as np
import pytest

from mmtube.structures.seal import (
    BoxTable,
    InstanceTable,
    LabelMap,
    SEALAnnotations,
    TubeletRecord,
    VideoRecord,
    write_label_map,
    write_seal_json,
)
from mmtube.testing import make_film


def track(first, end, x=0.0):
    """Boxes of 20x40 at x + frame / 10."""
    frames = np.arange(first, end)
    left = x + frames / 10
    boxes = np.stack([left, 0 * left + 4, left + 20, 0 * left + 44], 1)
    return frames, boxes, np.ones(len(frames)), np.zeros(len(frames))


@pytest.fixture(scope='session')
def seal_set(tmp_path_factory):
    """Folder with videos/{a25,b30}.mp4 of 6 s and 64x48, train.json, coarse.json, map.json.

    In a25: ``a.0`` all the time, class 0 from 0 to 4 s, class 2 from 2 to 4 s; ``a.1`` from 3 to 5 s, class 1.
    In b30: ``b.0`` from 0 to 2 s, not labelled. Each film has the key times 1, 2, 3, 4 and 5.
    """
    root = tmp_path_factory.mktemp('seal')
    (root / 'videos').mkdir()
    make_film(root / 'videos' / 'a25.mp4', 150, (64, 48), 25)
    make_film(root / 'videos' / 'b30.mp4', 180, (64, 48), 30)
    videos = {
        'a25': VideoRecord('mini', 64, 48, 25.0, 150, 6.0, 'train'),
        'b30': VideoRecord('mini', 64, 48, 30.0, 180, 6.0, 'train'),
    }
    tubelets = {
        'a.0': TubeletRecord('a25', 3, (0, 150), 'a.0'),
        'a.1': TubeletRecord('a25', 5, (75, 125), 'a.1'),
        'b.0': TubeletRecord('b30', 0, (0, 60), 'b.0'),
    }
    tracks = {'a.0': track(0, 150), 'a.1': track(75, 125, 20), 'b.0': track(0, 60, 40)}
    rows = [('a.0', 0, 'pose', 0.0, 4.0), ('a.0', 2, 'po', 2.0, 4.0), ('a.1', 1, 'pp', 3.0, 5.0)]
    annotations = SEALAnnotations(videos, tubelets, InstanceTable.from_rows(rows), boxes=BoxTable.from_tracks(tracks))
    write_seal_json(annotations, root / 'train.json')
    coarse_tubelets = {'c.0': TubeletRecord('a25', 0, (0, 60), 'c.0'), 'c.1': TubeletRecord('b30', 1, (90, 180), 'c.1')}
    coarse_tracks = {'c.0': track(0, 60, 1), 'c.1': track(90, 180, 2)}
    videos = {vid: videos[vid] for vid in ('b30', 'a25')}  # in another order
    write_seal_json(
        SEALAnnotations(videos, coarse_tubelets, boxes=BoxTable.from_tracks(coarse_tracks)), root / 'coarse.json'
    )
    groups = {'pose': (0, 1), 'pp': (1, 2), 'po': (2, 3)}
    write_label_map(LabelMap('atomic', ('stand up', 'hug', 'lift'), groups), root / 'map.json')
    return root
