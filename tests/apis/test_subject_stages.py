"""ID switches and subjects as stages of the pipeline."""

import numpy as np

from mmtube.apis import StageClock, load_pipeline, refine_tubes
from mmtube.models.trackers import IDSwitchCorrector, SubjectChooser
from mmtube.structures import Tube


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


def test_without_the_stages_nothing_changes():
    tubes, timed = refined()
    assert [tube.boxes_px.tolist() for tube in tubes] == [tube.boxes_px.tolist() for tube in people()]
    assert timed == set()


def test_they_are_off_by_default_and_on_for_annotation():
    for config, on in (('seal/tube_pipeline', False), ('seal/annotation', True)):
        cfg = load_pipeline(config)
        assert [cfg.get(key) is not None for key in ('switch_corrector', 'subject_chooser')] == [on, on]
