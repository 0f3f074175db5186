"""The pipeline's wiring, with a detector that finds coloured rectangles instead of people."""

import time

import cv2
import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import DefaultScope

from mmtube.apis import StageClock, TubeInferencer, describe_tubelets, list_films, refine_tubes, track_people
from mmtube.apis.stages import batches
from mmtube.datasets import Frame, FrameSource
from mmtube.errors import InputError, MissingCheckpointError
from mmtube.models.interfaces import BaseTubeletDetector, BaseTubeletFeatures
from mmtube.models.trackers import (
    ColorHistogram,
    DeepSORTTracker,
    ShotDetector,
    TubeFilter,
    TubeletSplitter,
    TubeLinker,
)
from mmtube.registry import MODELS
from mmtube.structures import FrameDetections, Segment, Tube, TubeletRows
from mmtube.testing import make_film

SIZE = (160, 120)
RED, BLUE = (0, 0, 230), (230, 60, 0)


@MODELS.register_module()
class RectangleDetector:
    """Finds what is not grey."""

    def __init__(self, device='cpu'):
        self.device = device

    def __call__(self, images):
        found = []
        for image in images:
            saturation = cv2.cvtColor(image, cv2.COLOR_BGR2HSV)[..., 1]
            _, _, stats, _ = cv2.connectedComponentsWithStats((saturation > 120).astype(np.uint8))
            x, y, w, h = stats[1:, :4].T
            big = stats[1:, 4] > 100
            boxes = np.stack([x, y, x + w, y + h], axis=1)[big].astype(np.float32)
            found.append((boxes, np.full(len(boxes), 0.9, np.float32)))
        return found


@MODELS.register_module()
class MiddleRows(BaseTubeletFeatures):
    """One row per tube: the mean colour of the box in the middle frame."""

    def extract(self, frames, tubes, video):
        wanted = {int(tube.frame_inds[len(tube) // 2]) for tube in tubes}
        images = {frame.index: frame.image for frame in frames if frame.index in wanted}
        rows = []
        for tube in tubes:
            middle = len(tube) // 2
            x1, y1, x2, y2 = tube.boxes_px[middle].astype(int)
            color = images[int(tube.frame_inds[middle])][y1:y2, x1:x2].mean(axis=(0, 1))
            rows.append(TubeletRows(tube.track_id, tube.times_s[[middle]], color[None]))
        return rows


@MODELS.register_module()
class ColorSegments(BaseTubeletDetector):
    """Calls a red tube 'run' and a blue one 'walk', for all of its time."""

    label_maps = {'atomic': ['run', 'walk']}  # noqa: RUF012

    def detect(self, tubes, features):
        labels = [int(rows.rows[0, 0] > rows.rows[0, 2]) for rows in features]
        return [
            Tube(t.track_id, t.frame_inds, t.times_s, t.boxes_px, segments=[Segment(t.start_s, t.end_s, label)])
            for t, label in zip(tubes, labels)
        ]


@MODELS.register_module()
class BrokenClassifier:
    """Runs out of memory."""

    label_map = ('a',)

    def __init__(self, device='cpu'):
        self.device = device

    def classify(self, frames, tubes, frame_size):
        raise RuntimeError('out of memory:\n tried to allocate 900 GiB')


def pipeline(**stages):
    return Config(
        dict(
            default_scope='mmtube',
            frame_source=dict(type='FrameSource'),
            detector=dict(type='RectangleDetector'),
            shot_detector=dict(type='ShotDetector'),
            appearance=dict(type='ColorHistogram'),
            tracker=dict(type='DeepSORTTracker', max_age=5),
            gap_filler=dict(type='GapFiller', max_gap=5),
            linker=dict(type='TubeLinker'),
            tube_filter=dict(type='TubeFilter'),
            **stages,
        )
    )


def scene(people, background=90):
    """A grey frame with rectangles (x, colour) of 20 x 50 pixels."""
    image = np.full((SIZE[1], SIZE[0], 3), background, np.uint8)
    for x, color in people:
        image[40:90, x : x + 20] = color
    return image


def walk(frame):
    """Red walks through 40 frames; blue is there in frames 0-14 and, after a long gap, 28-39, elsewhere."""
    people = [(5 + frame, RED)]
    if frame < 15:
        people.append((120, BLUE))
    elif frame >= 28:
        people.append((100, BLUE))
    return scene(people)


@pytest.fixture(scope='module')
def film(tmp_path_factory):
    return make_film(tmp_path_factory.mktemp('film') / 'walk.mkv', frames=[walk(f) for f in range(40)])


def test_a_person_who_returns_keeps_the_id_and_the_merge_is_told(film):
    result = TubeInferencer(pipeline())(film)
    red, blue = sorted(result.tubes, key=lambda tube: tube.boxes_px[0, 0])
    assert len(red) == 40
    assert blue.frame_inds.tolist() == [*range(15), *range(28, 40)]
    assert len(result.links) == 1
    assert (result.links[0].earlier_id, result.links[0].later_id) == tuple(np.unique(blue.tubelet_ids))
    np.testing.assert_allclose(red.boxes_px[10], [15, 40, 35, 90], atol=2)
    assert red.times_s[10] == pytest.approx(0.4)


def test_stages_that_are_missing_are_said_to_be(film):
    states = {stage.name: (stage.state, stage.reason) for stage in TubeInferencer(pipeline())(film).stages}
    assert states['tracker'] == ('run', '')
    assert states['tubelet_detector'] == ('skipped', 'not in the config')
    assert states['selector'] == ('skipped', 'not in the config')


def test_what_was_dropped_is_told_with_the_reason(film):
    config = pipeline()
    config.tube_filter.min_boxes = 30
    result = TubeInferencer(config)(film)
    assert len(result.tubes) == 1 and result.links == []  # blue, 15 and 12 boxes, is gone and so is the merge
    (stage,) = (stage for stage in result.stages if stage.name == 'tube_filter')
    assert (stage.state, stage.reason) == ('run', 'dropped: fewer than 30 boxes (1)')


def test_only_detector_and_tracker_are_needed(film):
    bare = Config({key: pipeline()[key] for key in ('default_scope', 'frame_source', 'detector', 'tracker')})
    result = TubeInferencer(bare)(film)
    assert len(result.tubes) == 3  # red, blue, and blue again
    assert result.shots == [(0, 40)]


def test_batches_of_frames_give_the_same_tubes(film):
    one = TubeInferencer(pipeline())(film)
    seven = TubeInferencer(pipeline(batch_size=7))(film)
    assert [t.track_id for t in one.tubes] == [t.track_id for t in seven.tubes]
    for a, b in zip(one.tubes, seven.tubes):
        np.testing.assert_array_equal(a.boxes_px, b.boxes_px)


def test_two_runs_are_identical(film):
    inferencer = TubeInferencer(pipeline())
    first, second = inferencer(film), inferencer(film)
    assert first.links == second.links
    for a, b in zip(first.tubes, second.tubes):
        np.testing.assert_array_equal(a.boxes_px, b.boxes_px)
        np.testing.assert_array_equal(a.embedding, b.embedding)


def test_no_tube_crosses_a_cut(tmp_path):
    # The same person on both sides of a cut from a dark scene to a light one.
    frames = [scene([(60, RED)], background=40 if f < 20 else 210) for f in range(40)]
    result = TubeInferencer(pipeline())(make_film(tmp_path / 'cut.mkv', frames=frames))
    assert result.shots == [(0, 20), (20, 40)]
    assert [tube.frame_inds.tolist() for tube in result.tubes] == [list(range(20)), list(range(20, 40))]


def test_features_and_segments_reach_the_result(film):
    config = pipeline(tubelet_features=dict(type='MiddleRows'), tubelet_detector=dict(type='ColorSegments'))
    result = TubeInferencer(config)(film)
    red, blue = sorted(result.tubes, key=lambda tube: tube.boxes_px[0, 0])
    assert result.label_name('atomic', red.segments[0].label) == 'run'
    assert result.label_name('atomic', blue.segments[0].label) == 'walk'
    assert {s.name: s.state for s in result.stages}['tubelet_detector'] == 'run'


def test_a_detector_of_segments_needs_features():
    with pytest.raises(InputError, match='tubelet_features'):
        TubeInferencer(pipeline(tubelet_detector=dict(type='ColorSegments')))


def test_a_stage_that_breaks_down_costs_only_its_own_findings(film):
    result = TubeInferencer(pipeline(clip_classifier=dict(type='BrokenClassifier')))(film)
    (stage,) = (stage for stage in result.stages if stage.name == 'clip_classifier')
    assert (stage.state, stage.reason) == ('failed', 'out of memory: tried to allocate 900 GiB')
    assert len(result.tubes) == 2 and 'clip' not in result.label_maps


def test_without_people_the_action_stages_do_not_run(tmp_path):
    empty = make_film(tmp_path / 'empty.mkv', frames=[scene([])] * 5)
    result = TubeInferencer(pipeline(clip_classifier=dict(type='BrokenClassifier')))(empty)
    (stage,) = (stage for stage in result.stages if stage.name == 'clip_classifier')
    assert (stage.state, stage.reason) == ('skipped', 'no person found')


def test_progress_counts_every_frame_of_every_stage(film):
    seen = []
    TubeInferencer(pipeline(tubelet_features=dict(type='MiddleRows')))(film, lambda *args: seen.append(args))
    tracking = [args for args in seen if args[0] == 'detect and track']
    assert [args[1] for args in tracking] == list(range(1, 41))
    assert tracking[-1][2:] == (40, '2 people')
    assert [args[1] for args in seen if args[0] == 'tubelet_features'] == list(range(1, 41))


def test_the_runner_of_another_library_in_the_same_process_does_no_harm(film):
    with DefaultScope.overwrite_default_scope('mmaction'):
        assert len(TubeInferencer(pipeline())(film).tubes) == 2


def test_options_override_the_config():
    config = pipeline()
    inferencer = TubeInferencer(config, cfg_options={'tracker.max_age': 9})
    assert inferencer.stages['tracker'].max_age == 9
    assert config.tracker.max_age == 5  # the caller's config is left alone


@pytest.mark.parametrize(
    'change, message',
    [
        ({'detectorr': {'type': 'X'}}, "unknown key 'detectorr', did you mean 'detector'"),
        ({'detector': None}, "the stage 'detector' is missing"),
        ({'linker': {'type': 'TubeLinkr'}}, "stage 'linker': TubeLinkr is not in"),
        ({'tracker': {'type': 'DeepSORTTracker', 'max_age': 0}}, "stage 'tracker'.*must be positive"),
        ({'tracker': {'type': 'DeepSORTTracker', 'maxage': 3}}, "stage 'tracker'.*maxage"),
    ],
)
def test_a_config_that_cannot_work_is_refused_in_one_line(change, message):
    config = Config({**pipeline(), **change})
    with pytest.raises(InputError, match=message) as refusal:
        TubeInferencer(config)
    assert '\n' not in str(refusal.value)


def test_tubelets_from_elsewhere_are_described_from_the_film(film):
    result = TubeInferencer(pipeline())(film)
    bare = [Tube(t.track_id, t.frame_inds, t.frame_inds / 10, t.boxes_px) for t in result.tubes]  # MOT text: no times
    described, shots, looks = describe_tubelets(FrameSource(film), bare, ColorHistogram(), ShotDetector())
    assert shots == result.shots
    assert sorted(looks) == [tube.track_id for tube in bare]
    for tube, known in zip(described, result.tubes):
        assert tube.embedding @ known.embedding == pytest.approx(1, abs=1e-3)
        np.testing.assert_array_equal(tube.times_s, known.times_s)
    late = Tube(9, [40], [4.0], [[0, 0, 9, 9]])
    with pytest.raises(InputError, match='tubelet 9 has a box in frame 41, the film has 40 frames'):
        describe_tubelets(FrameSource(film), [late], ColorHistogram(), None)


def test_films_of_a_folder_come_in_order_and_other_files_do_not(tmp_path):
    for name in ('b.MP4', 'a.mkv', 'notes.txt'):
        (tmp_path / name).touch()
    assert [path.name for path in list_films(tmp_path)] == ['a.mkv', 'b.MP4']


def test_the_last_batch_is_shorter():
    assert list(batches(range(5), 2)) == [[0, 1], [2, 3], [4]]
    assert list(batches([], 2)) == []


def still(track_id, first, last, score, look, x):
    inds = np.arange(first, last + 1)
    box = [x, 50, x + 50, 150]
    return Tube(track_id, inds, inds / 25, np.tile(box, (len(inds), 1)), np.full(len(inds), score), embedding=look)


def test_merges_of_tubes_that_are_dropped_are_dropped_too():
    red, blue = np.eye(2)
    tubelets = [still(1, 0, 50, 0.9, red, 0), still(2, 60, 99, 0.9, red, 0)]
    tubelets += [still(3, 0, 50, 0.3, blue, 300), still(4, 60, 99, 0.3, blue, 300)]
    stages = {'linker': TubeLinker(), 'tube_filter': TubeFilter()}
    tubes, links, dropped = refine_tubes(tubelets, [], None, stages, StageClock())
    assert dropped == 'mean score below 0.55 (1)'
    assert [tube.track_id for tube in tubes] == [1]
    assert [(link.earlier_id, link.later_id) for link in links] == [(1, 2)]


def test_filled_in_boxes_do_not_describe_a_person(film):
    boxes = np.array([[15, 40, 35, 90], [100, 40, 120, 90]], np.float32)  # red; then, filled in, nobody
    tube = Tube(1, [10, 20], [0.4, 0.8], boxes, observed=[True, False])
    (described,), _, _ = describe_tubelets(FrameSource(film), [tube], ColorHistogram(), None)
    (alone,), _, _ = describe_tubelets(FrameSource(film), [Tube(1, [10], [0.4], boxes[:1])], ColorHistogram(), None)
    np.testing.assert_allclose(described.embedding, alone.embedding, atol=1e-6)


def test_a_film_that_broke_off_leaves_nothing_to_the_next(film):
    def film_of(frames, fail):
        for index in range(frames):
            yield None, FrameDetections(index, index / 25, [[0, 0, 20, 50]], [0.9])
        if fail:
            raise InputError('cut off')

    tracker = DeepSORTTracker()
    with pytest.raises(InputError):
        track_people(film_of(9, True), tracker, None, None, StageClock())
    tubelets, _, _ = track_people(film_of(5, False), tracker, None, None, StageClock())
    assert [(tube.track_id, len(tube)) for tube in tubelets] == [(1, 5)]


def test_shots_of_a_film_that_broke_off_are_forgotten():
    def film_of(frames):
        for index in range(frames):
            image = scene([], background=40 if index < 10 else 210)
            yield Frame(index, index / 25, image), FrameDetections(index, index / 25, [], [])
        if frames == 20:
            raise InputError('cut off')

    detector = ShotDetector()
    with pytest.raises(InputError):
        track_people(film_of(20), DeepSORTTracker(), detector, None, StageClock())
    _, shots, _ = track_people(film_of(5), DeepSORTTracker(), detector, None, StageClock())
    assert shots == [(0, 5)]


class Slow:
    label_map = ('a',)

    def __init__(self, error=None, device='cpu'):
        self.error = error

    def classify(self, frames, tubes, frame_size):
        time.sleep(0.05)
        if self.error:
            raise {'memory': MemoryError(), 'run': RuntimeError('x'), 'bug': IndexError('y')}[self.error]
        return tubes


MODELS.register_module(module=Slow)


@pytest.mark.parametrize('error, state', [(None, 'run'), ('run', 'failed'), ('memory', 'failed'), ('bug', 'failed')])
def test_a_report_tells_the_time_whether_the_stage_ran_or_failed(film, error, state):
    result = TubeInferencer(pipeline(clip_classifier=dict(type='Slow', error=error)))(film)
    stages = {stage.name: stage for stage in result.stages}
    assert stages['clip_classifier'].state == state
    assert stages['clip_classifier'].seconds >= 0.05
    assert stages['detector'].seconds > 0


@MODELS.register_module()
class BrokenRows(BaseTubeletFeatures):
    def extract(self, frames, tubes, video):
        raise RuntimeError('no memory')


def test_without_features_there_are_no_segments_and_the_report_says_why(film):
    config = pipeline(tubelet_features=dict(type='BrokenRows'), tubelet_detector=dict(type='ColorSegments'))
    stages = {stage.name: stage for stage in TubeInferencer(config)(film).stages}
    assert stages['tubelet_features'].state == 'failed'
    assert (stages['tubelet_detector'].state, stages['tubelet_detector'].reason) == (
        'skipped',
        'the stage tubelet_features did not run',
    )


@MODELS.register_module()
class Unavailable:
    def __init__(self, device='cpu'):
        raise MissingCheckpointError('x.pth: cannot be had')


def test_a_detector_without_checkpoint_is_refused_and_a_classifier_skipped(film):
    with pytest.raises(InputError, match=r'x\.pth'):
        TubeInferencer(Config({**pipeline(), 'detector': {'type': 'Unavailable'}}))
    result = TubeInferencer(pipeline(clip_classifier=dict(type='Unavailable')))(film)
    (stage,) = (stage for stage in result.stages if stage.name == 'clip_classifier')
    assert (stage.state, stage.reason) == ('skipped', 'x.pth: cannot be had')


@MODELS.register_module()
class UnavailableRows:
    def __init__(self):
        raise MissingCheckpointError('rows.pth: cannot be had')


def test_without_the_weights_of_the_features_neither_they_nor_the_segments_are_run(film):
    config = pipeline(tubelet_features=dict(type='UnavailableRows'), tubelet_detector=dict(type='ColorSegments'))
    stages = {stage.name: stage for stage in TubeInferencer(config)(film).stages}
    assert stages['tubelet_features'].reason == 'rows.pth: cannot be had'
    assert stages['tubelet_detector'].reason == 'needs the stage tubelet_features: rows.pth: cannot be had'


@pytest.mark.parametrize('batch_size', [0, -1, 2.5, None])
def test_a_batch_size_that_makes_no_sense_is_refused(batch_size):
    with pytest.raises(InputError, match='batch_size must be a whole number above 0'):
        TubeInferencer(pipeline(batch_size=batch_size))


def test_the_pipeline_links_by_looks_that_it_saw_on_the_way(film):
    parts = dict(describer=dict(type='TubeletDescriber', max_boxes=4), splitter=dict(type='TubeletSplitter'))
    result = TubeInferencer(pipeline(**parts))(film)
    plain = TubeInferencer(pipeline())(film)
    assert [tube.track_id for tube in result.tubes] == [tube.track_id for tube in plain.tubes]
    stages = {stage.name: stage for stage in result.stages}
    assert stages['describer'].state == stages['splitter'].state == 'run'
    assert {stage.name: stage.state for stage in plain.stages}['describer'] == 'skipped'


def test_stages_that_have_nothing_to_look_at_are_said_to_be_skipped(film):
    parts = dict(describer=dict(type='TubeletDescriber'), splitter=dict(type='TubeletSplitter'))
    blind = {s.name: s for s in TubeInferencer(pipeline(**parts), cfg_options={'appearance': None})(film).stages}
    assert blind['describer'].reason == 'needs the stage appearance: not in the config'
    assert blind['splitter'].reason == 'needs the stage describer: needs the stage appearance: not in the config'
    alone = {s.name: s for s in TubeInferencer(pipeline(splitter=dict(type='TubeletSplitter')))(film).stages}
    assert alone['splitter'].state == 'skipped' and alone['appearance'].state == 'run'


def test_a_tubelet_of_two_people_is_parted_before_linking(tmp_path):
    # The box goes over from red to blue at frame 20; blue was another tubelet until then.
    frames = [scene([(20, RED), (60, BLUE)]) for _ in range(40)]
    film = make_film(tmp_path / 'switch.mkv', frames=frames)
    boxes = {'red': [15, 40, 35, 90], 'blue': [55, 40, 75, 90]}
    switched = [boxes['red']] * 20 + [boxes['blue']] * 20
    tubelets = [
        Tube(1, range(40), np.arange(40) / 10, switched),
        Tube(2, range(18), np.arange(18) / 10, [boxes['blue']] * 18),
    ]
    described, shots, looks = describe_tubelets(FrameSource(film), tubelets, ColorHistogram(), None)
    stages = {'splitter': TubeletSplitter(), 'linker': TubeLinker()}
    tubes, links, _ = refine_tubes(described, shots, None, stages, StageClock(), looks)
    assert [(tube.track_id, set(tube.boxes_px[:, 0].tolist())) for tube in tubes] == [(1, {15.0}), (2, {55.0})]
    assert [(link.earlier_id, link.later_id) for link in links] == [(2, 3)]
    whole, _, _ = refine_tubes(described, shots, None, {'linker': TubeLinker()}, StageClock(), looks)
    assert len(whole) == 2 and len(set(whole[0].boxes_px[:, 0].tolist())) == 2
