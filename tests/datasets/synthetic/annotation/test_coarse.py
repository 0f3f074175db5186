"""Faults of coarse tubelets: they occur, and stay within bounds."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from mmtube.datasets.synthetic.annotation.coarse import CoarseTracks, coarse_tid, trace
from mmtube.datasets.synthetic.annotation.sight import Sight, paired_iou
from mmtube.datasets.synthetic.annotation.truth import IDS_PER_SHOT, subject_annotations
from mmtube.datasets.synthetic.direction.director import direct
from mmtube.datasets.synthetic.numerics import generator
from mmtube.datasets.synthetic.options import SetOptions
from mmtube.datasets.synthetic.script import Act, Activity
from mmtube.structures.seal import EDITED, table_findings

FRAMES = 1000


def standing(x, height=100.0, visible=1.0, frames=FRAMES):
    """Somebody who stands still."""
    boxes = np.tile(np.array([x, 200.0 - height, x + 0.4 * height, 200.0]), (frames, 1))
    seen = np.full(frames, visible)
    return Sight(boxes, seen, seen > 0.5, np.ones(frames, bool))


def film(sights, cuts=()):
    """A film of those people, who all warm up from second 1 to 30."""
    script = direct(SetOptions(), 'train', 0)
    edges = [0, *cuts, FRAMES]
    shots = [
        replace(script.shots[0], start=a, end=b, shift_px=np.zeros((b - a, 2), np.int32)) for a, b in pairwise(edges)
    ]
    acts = {'acts': [Act('stretch', 1.0, 30.0)], 'activities': [Activity('warm up', 1.0, 30.0)]}
    people = [replace(script.people[0], **acts) for _ in sights]
    return replace(script, num_frames=FRAMES, fps=25, shots=shots, people=people, props=[])


def coarse(sights, seed=0, cuts=()):
    return CoarseTracks(generator(seed), film(sights, cuts), sights)


def found(tracks, source=0):
    return np.flatnonzero(tracks.scores[source] > 0)


def test_boxes_are_jittered_by_a_few_percent():
    sight = standing(100)
    tracks = coarse([sight])
    rows = found(tracks)
    off = tracks.boxes_px[0][rows] - sight.boxes_px[rows]
    assert off[:, [1, 3]].std() == pytest.approx(2.2, rel=0.3)  # of a height of 100
    assert off[:, [0, 2]].std() == pytest.approx(0.88, rel=0.3)
    assert paired_iou(tracks.boxes_px[0][rows], sight.boxes_px[rows]).min() > 0.6
    assert abs(off.mean()) < 0.3


def test_a_person_in_full_view_is_hardly_missed_and_a_small_or_hidden_one_often():
    rates = [
        np.mean([len(found(coarse([sight], seed))) / FRAMES for seed in range(5)])
        for sight in (
            standing(100),
            standing(100, visible=0.4),
            standing(100, height=30.0),
            standing(100, visible=0.25),
        )
    ]
    assert rates[0] > 0.98
    assert all(0.05 < rate < 0.8 for rate in rates[1:])


def test_scores_tell_clear_from_doubtful_boxes():
    clear, hidden = (coarse([standing(100, visible=v)]) for v in (1.0, 0.4))
    assert clear.scores[0][found(clear)].mean() > 0.9 > 0.75 > hidden.scores[0][found(hidden)].mean() > 0.35
    assert hidden.scores[0][found(hidden)].min() >= 0.3 and clear.scores.max() < 1


def test_a_long_absence_and_a_cut_begin_a_new_id():
    sight = standing(100)
    sight.shown[300:320] = False
    sight.boxes_px[300:320] = np.nan
    tracks = coarse([sight], cuts=(600,))
    ids = tracks.ids[0]
    parts = [set(ids[a:b][ids[a:b] >= 0].tolist()) for a, b in ((0, 300), (320, 600), (600, FRAMES))]
    assert all(len(part) == 1 for part in parts) and len(set.union(*parts)) == 3


def test_an_occlusion_sometimes_breaks_an_id():
    broken = 0
    for seed in range(20):
        sight = standing(100)
        sight.visible[400:412] = 0.45
        ids = coarse([sight], seed).ids[0]
        broken += len(set(ids[ids >= 0].tolist())) > 1
    assert 4 <= broken <= 17


def test_ids_of_people_who_overlap_are_exchanged_for_six_frames_at_most():
    lengths = []
    for seed in range(40):
        pair = [standing(100), standing(110)]
        for sight in pair:
            sight.visible[:] = 0.9
        tracks = coarse(pair, seed)
        own = [np.bincount(tracks.ids[s][tracks.ids[s] >= 0]).argmax() for s in range(2)]
        foreign = np.flatnonzero(tracks.ids[0] == own[1])
        assert (tracks.ids[1][foreign] != own[1]).all()
        lengths += [len(foreign)] if len(foreign) else []
        assert not len(foreign) or foreign[-1] - foreign[0] == len(foreign) - 1
    assert 8 <= len(lengths) <= 35 and max(lengths) <= 6 and len(set(lengths)) > 2


def test_a_detector_gives_one_box_for_two_people_in_one_place():
    tracks = coarse([standing(100), standing(102)])
    both = (tracks.scores > 0).sum(axis=0)
    assert (both <= 1).mean() > 0.6  # where jitter does not set them apart
    iou = paired_iou(tracks.boxes_px[0], tracks.boxes_px[1])
    assert iou.max() <= 0.8


def test_people_apart_keep_their_ids():
    for seed in range(10):
        tracks = coarse([standing(20), standing(200)], seed)
        assert not set(tracks.ids[0].tolist()) & set(tracks.ids[1].tolist()) - {-1}


def test_false_alarms_are_few_short_and_doubtful():
    counts = []
    for seed in range(30):
        tracks = coarse([standing(100)], seed, cuts=(500,))
        alarms = [number for number, owner in tracks.owners.items() if owner < 0]
        counts.append(len(alarms))
        for number in alarms:
            rows = np.flatnonzero((tracks.ids == number).any(axis=0))
            assert 3 <= len(rows) <= 20 and (rows < 500).all() != (rows >= 500).all()
            assert tracks.scores[tracks.ids == number].max() < 0.6
    assert 1 < np.mean(counts) < 2 and max(counts) <= 3


def test_an_id_has_one_box_in_a_frame_and_ids_count_up_in_time():
    sights = [standing(100), standing(110), standing(118)]
    sights[1].shown[300:400] = False
    for seed in range(10):
        tracks = coarse(sights, seed)
        for frame in range(0, FRAMES, 7):
            ids = tracks.ids[:, frame][tracks.ids[:, frame] >= 0]
            assert len(set(ids.tolist())) == len(ids)
        starts = [np.flatnonzero((tracks.ids == number).any(axis=0))[0] for number in range(len(tracks.owners))]
        assert starts == sorted(starts)


def test_annotations_are_stage_one_in_the_frame_and_keep_the_rules():
    part = coarse([standing(0), standing(290)]).annotations()
    assert not table_findings(part) and not len(part.aa) and {r.stage for r in part.tubelets.values()} == {1}
    boxes = part.boxes.boxes_px
    assert (boxes >= 0).all() and (boxes <= [320, 240, 320, 240]).all() and (boxes[:, 2:] > boxes[:, :2]).all()


def traced(sights, seed=0, cuts=()):
    script = film(sights, cuts)
    tracks = CoarseTracks(generator(seed), script, sights)
    refined = subject_annotations(script, sights)
    return tracks, trace(refined, tracks, {t: r.person_id % IDS_PER_SHOT for t, r in refined.tubelets.items()})


def test_refined_tubelets_list_the_coarse_ones_and_share_none():
    sights = [standing(100), standing(110)]
    sights[0].shown[300:330] = False
    sights[0].boxes_px[300:330] = np.nan
    for seed in range(10):
        tracks, refined = traced(sights, seed, cuts=(500,))
        origins = [name for record in refined.tubelets.values() for name in record.origin]
        assert len(origins) == len(set(origins)) >= 5
        assert set(origins) <= {coarse_tid('train_0000', number) for number in tracks.owners}
        first = refined.tubelets['train_0000_p00']
        assert len(first.origin) == 2


def test_boxes_without_a_coarse_one_are_marked_as_edited():
    sights = [standing(100, visible=0.45), standing(200)]
    sights[0].head[:] = True
    tracks, refined = traced(sights)
    coarse_boxes = tracks.annotations().boxes
    for tid, record in refined.tubelets.items():
        track = refined.track(tid)
        for row in range(0, len(track.frame_inds), 11):
            here = coarse_boxes.boxes_px[coarse_boxes.frame_inds == track.frame_inds[row]].astype(np.float64)
            best = max((paired_iou(track.boxes_px[row].astype(float), box) for box in here), default=0.0)
            assert (best >= 0.5) == (track.flags[row] & EDITED == 0), (tid, record)
    edited = [np.mean(refined.track(tid).flags & EDITED > 0) for tid in refined.tubelets]
    assert edited[0] > 0.1 > 0.02 > edited[1]


def test_a_film_without_anybody_has_false_alarms_at_most():
    nobody = standing(100)
    nobody.shown[:] = False
    nobody.boxes_px[:] = np.nan
    for seed in range(5):
        part = coarse([nobody], seed).annotations()
        assert len(part.tubelets) <= 3 and not table_findings(part)


def test_boxes_of_hidden_people_are_jittered_more():
    spread = []
    for visible in (1.0, 0.5):
        sight = standing(100, visible=visible)
        tracks = coarse([sight])
        spread.append((tracks.boxes_px[0] - sight.boxes_px)[found(tracks)][:, [1, 3]].std())
    assert spread[1] == pytest.approx(1.75 * spread[0], rel=0.2)
