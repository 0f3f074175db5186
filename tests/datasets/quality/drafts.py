"""A small annotation set without a fault, as plain lists that a test may spoil."""

import numpy as np

from mmtube.structures.seal import (
    HEAD_VISIBLE,
    BoxTable,
    InstanceTable,
    LabelMap,
    SEALAnnotations,
    TubeletRecord,
    VideoRecord,
)

LABEL_MAPS = {
    'atomic': LabelMap('atomic', ('walk', 'hug', 'lift'), {'pose': (0, 1), 'pp': (1, 2), 'po': (2, 3)}),
    'complex': LabelMap('complex', ('party', 'move house')),
}
#        tid: film, person, frames, left edge of the box in frame 0
PEOPLE = {
    't1': ('v1', 0, range(100), 10),
    't2': ('v1', 1, range(50, 150), 110),
    't3': ('v1', 0, range(110, 140), 10),
    't4': ('v1', 2, range(150, 200), 210),
    't5': ('v2', 0, range(80), 10),
    't6': ('v2', 1, range(80), 110),
    't7': ('v2', 2, range(80), 210),
}


class Draft:
    """Two films of 10 s at 25 fps, 320x240 pixels; the first has a cut at frame 150. ``coarse`` is the step before."""

    def __init__(self, coarse=False):
        self.videos = {
            'v1': VideoRecord('web', 320, 240, 25.0, 250, 10.0, 'train', ((0, 150), (150, 250))),
            'v2': VideoRecord('web', 320, 240, 25.0, 250, 10.0, 'train'),
        }
        self.tubelets, self.tracks, self.aa, self.ca = {}, {}, [], []
        for tid, (vid, person, frames, left) in PEOPLE.items():
            name = tid.replace('t', 'c') if coarse else tid
            origin = () if coarse else (tid.replace('t', 'c'),)
            span = (frames[0], frames[-1] + 1)
            record = (vid, person + 10 * coarse, span, name, origin, 1 if coarse else 4)
            self.tubelets[name] = TubeletRecord(*record)
            x = left + 0.25 * np.arange(len(frames))
            boxes = np.stack([x, 0 * x + 20, x + 60, 0 * x + 200], axis=1) + coarse
            flags = HEAD_VISIBLE * (np.arange(len(frames)) % 2)
            self.tracks[name] = [list(frames), boxes.tolist(), [1.0] * len(frames), flags.tolist()]
        if not coarse:
            self.aa = [
                ['t1', 0, 'pose', 0.5, 2.0],
                ['t1', 2, 'po', 1.0, 3.0],
                ['t2', 1, 'pp', 2.5, 3.5],
                ['t2', 0, 'pose', 4.0, 5.0],
                ['t5', 0, 'pose', 0.5, 1.5],
                ['t5', 0, 'pose', 1.5, 2.5],
            ]
            self.ca = [['t1', 0, '', 0.2, 3.5], ['t2', 1, '', 2.1, 5.5], ['t5', 0, '', 0.0, 3.2]]

    def annotations(self, name='train.json'):
        tables = (InstanceTable.from_rows(map(tuple, rows)) for rows in (self.aa, self.ca))
        return SEALAnnotations(self.videos, self.tubelets, *tables, BoxTable.from_tracks(self.tracks), name)
