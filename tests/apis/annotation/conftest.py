"""A film with people in lanes, at every step of the annotation."""

import numpy as np
import pytest

from mmtube.structures.seal import BoxTable, SEALAnnotations, TubeletRecord, VideoRecord


def lanes_to_annotations(films, *, stage=1, score=0.9, shots=()):
    """Tubelets from letters: ``{'film': ['AAAABBAA', 'BBBBAABB']}``; each lane is a person who stands 60 pixels on.

    The tubelet of A is ``film.A``, person 0; '-' is a frame without a box. Films are 300 x 100 pixels at 10 fps.
    """
    videos, tubelets, tracks = {}, {}, {}
    for vid, lanes in films.items():
        frames = max(map(len, lanes), default=10)
        videos[vid] = VideoRecord('web', 300, 100, 10.0, frames, frames / 10, 'train', tuple(shots) or ((0, frames),))
        rows = {}
        for lane, letters in enumerate(lanes):
            for frame, letter in enumerate(letters):
                if letter != '-':
                    rows.setdefault(letter, []).append((frame, [60 * lane + 5, 10, 60 * lane + 30, 80]))
        for letter, found in sorted(rows.items()):
            numbers, boxes = zip(*sorted(found))
            tid, person = f'{vid}.{letter}', ord(letter) - ord('A')
            origin = (tid,) if stage > 1 else ()
            tubelets[tid] = TubeletRecord(vid, person, (numbers[0], numbers[-1] + 1), tid, origin, stage)
            tracks[tid] = (numbers, boxes, [score] * len(numbers), [0] * len(numbers))
    return SEALAnnotations(videos, tubelets, boxes=BoxTable.from_tracks(tracks), name='in.json')


def lanes_of(annotations, vid='v'):
    """The people of each lane again, by the letters of their person IDs."""
    text = {}
    for tid, record in annotations.tubelets.items():
        if record.vid == vid:
            track = annotations.track(tid)
            for frame, box in zip(track.frame_inds.tolist(), np.asarray(track.boxes_px)):
                lane = text.setdefault(int((box[0] + 15) // 60), {})
                assert frame not in lane
                lane[frame] = chr(ord('A') + record.person_id)
    length = annotations.videos[vid].num_frames
    return [''.join(lane.get(frame, '-') for frame in range(length)) for _, lane in sorted(text.items())]


@pytest.fixture
def make():
    return lanes_to_annotations


@pytest.fixture
def lanes():
    return lanes_of
