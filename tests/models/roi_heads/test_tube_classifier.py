"""The clip classifier with our own detector: boxes over time, memory in two passes, and odd tubes."""

import urllib.error
import urllib.request

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData
from tiny_clip_detector import CLASSES, PASSES, SIZE, network, noise_film, save_weights
from tiny_clip_detector import config as tiny_config
from tiny_clip_detector import tube as tiny_tube

from mmtube.datasets import FrameSource, SEALClips
from mmtube.errors import InputError
from mmtube.models.detectors import ObjectDetector
from mmtube.models.roi_heads import ClipClassifier
from mmtube.structures import Tube
from mmtube.structures.seal import BoxTable, SEALAnnotations, TubeletRecord, VideoRecord, write_seal_json
from mmtube.testing import make_film

FPS = 25
FRAMES = np.arange(24, 127)  # 0.96 to 5.04 s: in the clips of 1, 2, 3, 4 and 5 s


def config(blocks='PM', boxes_per_s=4, span='centred'):
    """Clips of every fourth of 32 frames."""
    return tiny_config(dict(clip_len=8, frame_interval=4, span=span), blocks, boxes_per_s)


def classifier(cfg, tmp_path, **options):
    return ClipClassifier(cfg, save_weights(cfg, tmp_path / 'model.pth'), **options)


@pytest.fixture(scope='module')
def film(tmp_path_factory):
    return noise_film(tmp_path_factory.mktemp('clips') / 'v.mp4', FPS)


def tube(track_id, frames=FRAMES, box=(4.0, 4, 30, 40)):
    return tiny_tube(track_id, frames, FPS, box)


PEOPLE = [tube(1), tube(2, FRAMES[:60], (20.0, 2, 60, 46)), tube(3, FRAMES[40:], (40.0, 10, 62, 30))]


def expected(cfg, film, folder, span, object_detector=None):
    """Scores by the data set, the two passes of the test loop and the people's names.

    ``object_detector`` looks at the fifth of the eight frames, which is that of the key time.
    """
    tubelets, tracks = {}, {}
    for person in PEOPLE:
        name = str(person.track_id)
        tubelets[name] = TubeletRecord('v', person.track_id, (0, 150), name)
        ones = np.ones(len(person))
        tracks[name] = (person.frame_inds, person.boxes_px, ones, 0 * ones)
    videos = {'v': VideoRecord('mini', *SIZE, float(FPS), 150, 6.0, 'test')}
    write_seal_json(SEALAnnotations(videos, tubelets, boxes=BoxTable.from_tracks(tracks)), folder / 'a.json')
    options = dict(cfg['test_dataloader']['dataset'])
    options.pop('type')
    dataset = SEALClips(str(folder / 'a.json'), data_prefix=dict(video=str(film.parent)), test_mode=True, **options)
    model, clips = network(cfg), []
    with torch.inference_mode():
        for index in range(len(dataset)):
            item = dataset[index]
            if object_detector is not None:
                key_frame = item['inputs'][[2, 1, 0], 4].permute(1, 2, 0).contiguous().numpy()
                [(boxes_px, object_scores)] = object_detector([key_frame])
                found = InstanceData(bboxes=torch.tensor(boxes_px), scores=torch.tensor(object_scores))
                item['data_samples'].objects = found
            data = {'inputs': [item['inputs']], 'data_samples': [item['data_samples']]}
            clips += zip(*model.extract_clips(data))
        memory = model.roi_head.memory
        if memory is not None:
            memory = memory.filled(model.roi_head.entries(features) for features, _ in clips)
        found = {}
        for features, sample in clips:
            scores = model.predict_clips(features, sample, memory).pred_instances.scores.numpy()
            found.update({(int(tid), sample.key_s): row for tid, row in zip(sample.tids, scores)})
    return found


@pytest.mark.parametrize(
    ('blocks', 'boxes_per_s', 'span'),
    [('', 1, 'centred'), ('', 4, 'window'), ('P', 4, 'centred'), ('PM', 4, 'centred'), ('PMPM', 1, 'centred')],
)
@pytest.mark.parametrize('batch_size', [1, 3])
def test_scores_are_those_of_the_data_set_and_the_two_passes(film, tmp_path, blocks, boxes_per_s, span, batch_size):
    cfg = config(blocks, boxes_per_s, span)
    wanted = expected(cfg, film, tmp_path, span)
    stage = classifier(cfg, tmp_path, batch_size=batch_size)
    PASSES.clear()
    with FrameSource(str(film)) as frames:
        found = stage.classify(frames, PEOPLE, SIZE)
    assert sum(PASSES) == 5  # each clip once, for all people
    assert sorted(wanted) == [(one.track_id, key) for one in found for key in one.clip_times_s.tolist()]
    assert len(wanted) == 5 + 3 + 3
    scores = np.concatenate([one.clip_scores for one in found])
    reference_scores = np.stack([wanted[key] for key in sorted(wanted)])
    assert np.ptp(reference_scores, axis=0).max() > 1e-2  # they tell people and times apart
    np.testing.assert_allclose(scores, reference_scores, atol=2e-5)


def test_the_memory_of_one_film_is_not_that_of_the_next(film, tmp_path):
    stage = classifier(config('PM'), tmp_path)
    runs = []
    for _ in range(2):
        with FrameSource(str(film)) as frames:
            runs.append(stage.classify(frames, PEOPLE, SIZE))
    for first, second in zip(*runs):
        np.testing.assert_array_equal(first.clip_scores, second.clip_scores)


def test_a_neighbour_in_time_changes_the_scores_of_a_memory_and_of_no_other(film, tmp_path):
    alone, other = tube(1, FRAMES[:30]), tube(2, FRAMES[70:], (20.0, 2, 60, 46))
    for blocks, changes in (('M', True), ('P', False)):
        stage = classifier(config(blocks), tmp_path)
        found = []
        for people in ([alone], [alone, other]):
            with FrameSource(str(film)) as frames:
                found.append(stage.classify(frames, people, SIZE)[0])
        assert found[0].clip_times_s.tolist() == [1, 2]
        # At 2 s a memory of one second ahead does not reach 4 s, where the other begins.
        assert np.array_equal(found[0].clip_scores, found[1].clip_scores)
        near = tube(3, FRAMES[45:60], (20.0, 2, 60, 46))  # 2.76 to 3.32 s
        with FrameSource(str(film)) as frames:
            third = stage.classify(frames, [alone, near], SIZE)[0]
        assert (not np.allclose(third.clip_scores[1], found[0].clip_scores[1], atol=1e-6)) == changes


def test_odd_tubes_are_classified_or_left_out(film, tmp_path):
    stage = classifier(config('PM'), tmp_path)
    nobody = Tube(1, [], [], np.zeros((0, 4)))
    short = tube(2, np.arange(24, 27))  # 0.1 s around 1 s
    between = tube(3, np.arange(35, 38))
    outside = tube(4, FRAMES, (70.0, 0, 90, 20))
    partly = tube(5, FRAMES, (50.0, -10, 90, 20))
    late = tube(6, np.arange(400, 430))  # the film has ended: the last frame stands for it
    with FrameSource(str(film)) as frames:
        found = stage.classify(frames, [nobody, short, between, outside, partly, late], SIZE)
    assert [one.clip_times_s.tolist() for one in found] == [[], [1.0], [], [], [1, 2, 3, 4, 5], [16, 17]]
    assert all(np.isfinite(one.clip_scores).all() for one in found)
    with FrameSource(str(film)) as frames:
        assert stage.classify(frames, [], SIZE) == []
    assert stage.classify(iter(()), [short], SIZE)[0].clip_scores.shape == (0, CLASSES)


def test_a_film_shorter_than_a_window_is_classified(tmp_path):
    short = make_film(tmp_path / 'short.mp4', 3)
    with FrameSource(str(short)) as frames:
        found = classifier(config('PM'), tmp_path).classify(frames, [tube(1, np.arange(3))], SIZE)[0]
    assert found.clip_times_s.tolist() == [0.0] and np.isfinite(found.clip_scores).all()


def test_a_thousand_tubes_share_the_passes_of_the_backbone(film, tmp_path):
    rng = np.random.default_rng(0)
    corners = rng.uniform(0, 30, (1000, 2))
    people = [tube(number, FRAMES[::5], (*corner, *(corner + 15))) for number, corner in enumerate(corners)]
    stage = classifier(config('PM'), tmp_path)
    PASSES.clear()
    with FrameSource(str(film)) as frames:
        found = stage.classify(frames, people, SIZE)
    assert sum(PASSES) == 5
    assert all(one.clip_scores.shape == (5, CLASSES) for one in found)


def test_blocks_of_objects_run_without_objects_and_it_is_said(film, tmp_path):
    stage = classifier(config('PO', boxes_per_s=1), tmp_path)
    assert 'without objects' in stage.note
    with FrameSource(str(film)) as frames:
        found = stage.classify(frames, PEOPLE[:1], SIZE)[0]
    assert found.clip_scores.shape == (5, CLASSES) and np.isfinite(found.clip_scores).all()
    assert classifier(config('PM'), tmp_path).note == ''


def scores_of(stage, film, people=PEOPLE):
    with FrameSource(str(film)) as frames:
        return np.concatenate([one.clip_scores for one in stage.classify(frames, people, SIZE)])


@pytest.fixture(scope='session')
def things(small_detector):
    """A detector that finds some things in everything."""
    return dict(type='ObjectDetector', score_thr=0.0, max_objects=3, **small_detector)


@pytest.mark.parametrize(('blocks', 'boxes_per_s', 'batch_size'), [('O', 1, 1), ('POM', 4, 3)])
def test_scores_with_objects_are_those_of_samples_with_the_same(
    film, tmp_path, things, blocks, boxes_per_s, batch_size
):
    cfg = config(blocks, boxes_per_s)
    detector = ObjectDetector(**{key: value for key, value in things.items() if key != 'type'})
    wanted = expected(cfg, film, tmp_path, 'centred', detector)
    stage = classifier(cfg, tmp_path, batch_size=batch_size, object_detector=things)
    assert stage.note == ''
    scores = scores_of(stage, film)
    np.testing.assert_allclose(scores, np.stack([wanted[key] for key in sorted(wanted)]), atol=2e-5)
    without = scores_of(classifier(cfg, tmp_path), film)
    assert np.abs(scores - without).max() > 1e-3  # objects count


def test_objects_are_looked_for_once_a_clip_in_the_frame_of_the_key_time(film, tmp_path, things, monkeypatch):
    seen = []

    def find(self, images):
        seen.extend(images)
        return [(np.float32([[0, 0, 9, 9]]), np.float32([0.5]))] * len(images)

    monkeypatch.setattr(ObjectDetector, '__call__', find)
    cfg = config('O', boxes_per_s=1)
    scores_of(classifier(cfg, tmp_path, batch_size=2, object_detector=things), film)
    with FrameSource(str(film)) as frames:
        wanted = [frame.image for frame in frames if frame.index in (25, 50, 75, 100, 125)]
    assert len(seen) == 5
    for image, frame in zip(seen, wanted):
        np.testing.assert_array_equal(image, frame)
    cfg['test_dataloader']['dataset']['pipeline'][1]['short_side'] = 24
    seen.clear()
    scores_of(classifier(cfg, tmp_path, object_detector=things), film)
    assert [image.shape for image in seen] == [(24, 32, 3)] * 5  # as the boxes of the clip


def test_a_clip_without_objects_is_scored_as_without_a_detector(film, tmp_path, things):
    cfg = config('PO', boxes_per_s=1)
    blind = classifier(cfg, tmp_path, object_detector={**things, 'score_thr': 0.99})
    np.testing.assert_array_equal(scores_of(blind, film), scores_of(classifier(cfg, tmp_path), film))
    assert blind.note == ''


def test_a_network_that_does_not_look_at_objects_needs_no_detector_of_them(tmp_path):
    stage = classifier(config('PM'), tmp_path, object_detector=dict(type='NoSuchDetector'))
    assert stage.note == ''
    with pytest.raises(KeyError, match='NoSuchDetector'):
        classifier(config('PO'), tmp_path, object_detector=dict(type='NoSuchDetector'))


def test_without_the_weights_of_the_detector_it_runs_without_objects_and_says_why(film, tmp_path, things, monkeypatch):
    def offline(*args, **kwargs):
        raise urllib.error.URLError('no route to host')

    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path / 'hub'))
    monkeypatch.setattr(urllib.request, 'urlopen', offline)
    cfg = config('PO', boxes_per_s=1)
    stage = classifier(cfg, tmp_path, object_detector={**things, 'checkpoint': 'https://example.org/things.pth'})
    assert stage.note.startswith('ran without objects: the checkpoint of the object detector is not on this machine')
    assert 'no route to host' in stage.note and '\n' not in stage.note
    np.testing.assert_array_equal(scores_of(stage, film), scores_of(classifier(cfg, tmp_path), film))
    nameless = {key: value for key, value in things.items() if key != 'checkpoint'}
    assert 'no checkpoint was given' in classifier(cfg, tmp_path, object_detector=nameless).note


def test_a_detector_of_people_alone_is_no_detector_of_objects(tmp_path, save_detector):
    people = dict(type='ObjectDetector', **save_detector(('person',)))
    with pytest.raises(InputError, match=r'detector\.pth: knows nothing but people') as raised:
        classifier(config('PO'), tmp_path, object_detector=people)
    assert '\n' not in str(raised.value)


def test_other_configs_are_refused_in_one_line(tmp_path):
    cfg = config()
    cfg['test_dataloader']['dataset']['pipeline'][1] = dict(type='LoadFilmFrame')
    with pytest.raises(InputError, match='the step LoadFilmFrame is not known'):
        classifier(cfg, tmp_path)
    cfg = config()
    cfg['test_dataloader']['dataset']['pipeline'][1]['order'] = 'bgr'
    with pytest.raises(InputError, match='must be RGB'):
        classifier(cfg, tmp_path)
