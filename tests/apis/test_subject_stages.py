"""ID switches and subjects as stages of the pipeline."""

import numpy as np
import pytest

from mmtube.apis import StageClock, links_within, load_pipeline, refine_tubes
from mmtube.models.trackers import IDSwitchCorrector, SubjectChooser, TubeletSplitter, TubeLinker
from mmtube.structures import Link, Tube, TubeletLook, VideoInfo, VideoResult, apply_links, without_link


def people():
    """Four people for 30 frames; 0 and 1 have each other's ID in frames 10 to 12."""
    frames = np.arange(30)
    lanes = np.tile(np.arange(4), (30, 1))
    lanes[10:13, :2] = [1, 0]
    return [
        Tube(number, frames, frames / 25, [[60 * lane, 20, 60 * lane + 20, 80] for lane in lanes[:, number]])
        for number in range(4)
    ]


def refined(**stages):
    clock = StageClock()
    tubes, _, _ = refine_tubes(people(), [(0, 30)], np.arange(30) / 25, stages, clock)
    return tubes, set(clock.seconds)


def test_switches_are_put_right_and_subjects_chosen_where_the_config_says_so():
    tubes, timed = refined(switch_corrector=IDSwitchCorrector(), subject_chooser=SubjectChooser())
    assert [tube.track_id for tube in tubes] == [0, 1, 2]
    assert all(len(np.unique(tube.boxes_px[:, 0])) == 1 for tube in tubes)  # nobody jumps any more
    assert timed == {'switch_corrector', 'subject_chooser'}


COLOURS = np.eye(4, dtype=np.float32)


def exchanged_for_good(until=60):
    """Two people who exchange their IDs in frame 30, from there to the end or for a while; how their tubelets look."""
    frames = np.arange(60)
    lanes = np.tile(np.arange(2), (60, 1))
    lanes[30:until] = [1, 0]
    tubes = [
        Tube(number, frames, frames / 25, [[100 * lane, 20, 100 * lane + 40, 120] for lane in lanes[:, number]])
        for number in range(2)
    ]
    looks = {number: TubeletLook(frames, COLOURS[lanes[:, number]], np.ones(60, bool)) for number in range(2)}
    return tubes, looks


def linked(tubes, looks):
    stages = dict(switch_corrector=IDSwitchCorrector(), splitter=TubeletSplitter(), linker=TubeLinker())
    return refine_tubes(tubes, [(0, 60)], np.arange(60) / 25, stages, StageClock(), looks)


def test_pieces_of_a_switch_are_linked_by_how_they_look_themselves():
    tubes, links, _ = linked(*exchanged_for_good())
    assert [(tube.track_id, len(tube), len(np.unique(tube.boxes_px[:, 0]))) for tube in tubes] == [
        (0, 60, 1),
        (1, 60, 1),
    ]
    assert len(links) == 2
    assert np.allclose([tube.embedding for tube in tubes], COLOURS[:2])


def test_described_boxes_of_a_short_switch_go_where_their_boxes_go():
    tubes, links, _ = linked(*exchanged_for_good(until=36))
    assert [len(np.unique(tube.boxes_px[:, 0])) for tube in tubes] == [1, 1] and not links
    assert np.allclose([tube.embedding for tube in tubes], COLOURS[:2])


def test_a_new_piece_does_not_look_like_a_tubelet_that_the_tracker_dropped():
    tubes, looks = exchanged_for_good()
    looks[2] = looks[3] = TubeletLook(np.arange(5), COLOURS[[3] * 5], np.ones(5, bool))
    found, _, _ = linked(tubes, looks)
    assert np.allclose([tube.embedding for tube in found], COLOURS[:2])
    assert linked([], looks)[0] == []


@pytest.mark.parametrize(
    ('merged', 'kept', 'left'),
    [
        ([(1, 5), (5, 9)], (1, 5), [(1, 5)]),
        ([(1, 5), (5, 9)], (1, 9), [(1, 9)]),
        ([(5, 9), (1, 5)], (1, 9), [(1, 9)]),
        ([(1, 9), (1, 5)], (5, 9), [(5, 9)]),
        ([(1, 5), (5, 9)], (9,), []),
        ([(1, 5), (5, 9)], (), []),
    ],
)
def test_every_merge_of_what_is_left_of_a_subject_can_be_taken_back(merged, kept, left):
    frames = {1: np.arange(10), 5: np.arange(12, 22), 9: np.arange(24, 34)}
    tubelets = [Tube(number, rows, rows / 25, [[0, 0, 40, 80]] * 10) for number, rows in frames.items()]
    links = [Link(earlier, later, 0.1, 0.12, 'near') for earlier, later in merged]
    (tube,) = apply_links(tubelets, links)
    tubes = [tube.rows(np.isin(tube.tubelet_ids, kept))] if kept else []
    links = links_within(tubes, links)
    assert [(link.earlier_id, link.later_id) for link in links] == left
    film = VideoResult(VideoInfo('a.mp4', 100, 100, 25.0, 40, 1.6), tubes, [], links)
    for index, link in enumerate(links):
        apart = without_link(film, index).tubes
        assert [tube.track_id for tube in apart] == [link.earlier_id, link.later_id]
        assert link.gap_s == pytest.approx(apart[1].start_s - apart[0].end_s)


def test_without_the_stages_nothing_changes():
    tubes, timed = refined()
    assert [tube.boxes_px.tolist() for tube in tubes] == [tube.boxes_px.tolist() for tube in people()]
    assert timed == set()


def test_they_are_off_by_default_and_on_for_annotation():
    for config, on in (('seal/tube_pipeline', False), ('seal/annotation', True)):
        cfg = load_pipeline(config)
        assert [cfg.get(key) is not None for key in ('switch_corrector', 'subject_chooser')] == [on, on]
