"""Clip scores out of the pass that makes the features of tubelets."""

from functools import partial

import numpy as np
import pytest
from mmengine.config import Config
from tiny_clip_detector import CLASSES, PASSES, SIZE, WIDTH, noise_film, save_weights
from tiny_clip_detector import config as tiny_config
from tiny_clip_detector import tube as tiny_tube

from mmtube.apis import TubeInferencer
from mmtube.datasets import FrameSource
from mmtube.errors import InputError
from mmtube.models.roi_heads import ClipClassifier, RowClipClassifier
from mmtube.models.tubelet_features import TubeletExtractor
from mmtube.registry import MODELS
from mmtube.structures import Tube, TubeletRows

pytestmark = pytest.mark.filterwarnings('ignore:.*tensors are not used')  # weights of a head with interaction

FPS = 30


@MODELS.register_module(force=True)
class StandingPeople:
    """Two people who stand where they stand in each frame."""

    def __call__(self, images):
        boxes = np.float32([[4, 4, 24, 44], [36, 4, 60, 44]])
        return [(boxes, np.float32([0.9, 0.8])) for _ in images]


def config(blocks='PM', **sample):
    """Clips of 32 frames, and people in the boxes that they have."""
    sample = {'clip_len': 32, 'frame_interval': 1, 'fps': 30, **sample}
    return tiny_config(sample, blocks, slow_stride=4, test_enlarge=(0, 0))


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory):
    return save_weights(config('PM'), tmp_path_factory.mktemp('rows') / 'model.pth')


@pytest.fixture(scope='module')
def film(tmp_path_factory):
    return noise_film(tmp_path_factory.mktemp('films') / 'v.mp4', FPS)


def features_of(checkpoint, **options):
    arguments = dict(stream='tiny', fps=30, window=32, stride=4, dim=WIDTH, short_side=None, roi=dict(output_size=2))
    return {'type': 'TubeletExtractor', 'network': config()['model'], 'checkpoint': checkpoint, **arguments, **options}


def extract(film, people, checkpoint, **options):
    arguments = features_of(checkpoint, **options)
    arguments.pop('type')
    with FrameSource(str(film)) as source:
        return TubeletExtractor(**arguments).extract(source, people, source.info)


tube = partial(tiny_tube, fps=FPS)
PEOPLE = [tube(1, np.arange(150)), tube(2, np.arange(50, 140), box=(30.0, 6, 62, 44))]


def test_scores_are_those_of_a_pass_of_its_own_where_a_window_is_centred_on_the_key_time(film, checkpoint):
    # Windows are centred on 8 / 15 + 2 i / 15 s: on 2 and 4 s exactly, and 1/15 s off 1 and 3 s.
    stage = RowClipClassifier(config(''), checkpoint)
    found = stage.classify_rows(PEOPLE, extract(film, PEOPLE, checkpoint), SIZE)
    with FrameSource(str(film)) as frames:
        wanted = ClipClassifier(config(''), checkpoint).classify(frames, PEOPLE, SIZE)
    assert [one.clip_times_s.tolist() for one in found] == [[1, 2, 3, 4], [2, 3, 4]]
    assert wanted[0].clip_times_s.tolist() == [0, 1, 2, 3, 4, 5]
    assert np.ptp(wanted[0].clip_scores, axis=0).max() > 1e-2
    # At 2 s the second person has just come, and the rules for boxes that are missing differ.
    for person, key_s in ((0, 2), (0, 4), (1, 4)):
        mine, theirs = (each[person].clip_scores[each[person].clip_times_s == key_s][0] for each in (found, wanted))
        np.testing.assert_allclose(mine, theirs, atol=5e-4)  # rows are float16


def test_no_frame_is_looked_at_again_and_all_people_share_a_pass(film, checkpoint):
    rows = extract(film, PEOPLE, checkpoint)
    PASSES.clear()
    RowClipClassifier(config('PM'), checkpoint).classify_rows(PEOPLE, rows, SIZE)
    assert PASSES == []


def pipeline(checkpoint, **stages):
    options = dict(
        default_scope='mmtube',
        frame_source=dict(type='FrameSource'),
        detector=dict(type='StandingPeople'),
        tracker=dict(type='DeepSORTTracker'),
        clip_classifier=dict(type='RowClipClassifier', model=config('PM'), checkpoint=checkpoint),
        tubelet_features=features_of(checkpoint),
    )
    return Config({**options, **stages})


def test_the_pipeline_makes_features_first_and_scores_clips_from_the_same_passes(film, checkpoint):
    inferencer = TubeInferencer(pipeline(checkpoint))
    PASSES.clear()
    result = inferencer(film)
    assert sum(PASSES) == (150 - 32) // 4 + 1  # one per window of the film, and not one more
    assert len(result.tubes) == 2
    for person in result.tubes:
        assert person.clip_times_s.tolist() == [1, 2, 3, 4] and person.clip_scores.shape == (4, CLASSES)
    states = {stage.name: (stage.state, stage.reason) for stage in result.stages}
    assert states['clip_classifier'] == states['tubelet_features'] == ('run', '')


def test_blocks_of_objects_are_told_of_in_the_report(film, checkpoint, tmp_path):
    weights = save_weights(config('PO'), tmp_path / 'o.pth')
    stage = dict(type='RowClipClassifier', model=config('PO'), checkpoint=weights)
    own = features_of(weights)
    result = TubeInferencer(pipeline(checkpoint, clip_classifier=stage, tubelet_features=own))(film)
    (report,) = (stage for stage in result.stages if stage.name == 'clip_classifier')
    assert report.state == 'run' and 'without objects' in report.reason and report.seconds > 0
    assert result.tubes[0].clip_scores.shape == (4, CLASSES)


def test_other_features_are_refused_before_a_film_is_read(checkpoint, tmp_path):
    with pytest.raises(InputError, match="'clip_classifier' needs the stage 'tubelet_features'"):
        TubeInferencer(pipeline(checkpoint, tubelet_features=None))
    other = save_weights(config('PM'), tmp_path / 'other.pth', seed=1)
    with pytest.raises(InputError, match=r'its backbone has other weights, hash .* give both the same checkpoint'):
        TubeInferencer(pipeline(checkpoint, tubelet_features=features_of(other)))
    slow = dict(type='RowClipClassifier', model=config('PM', frame_interval=2, fps=25), checkpoint=checkpoint)
    with pytest.raises(InputError, match=r'32 frames over 2\.560 s and 32 frames over 1\.067 s'):
        TubeInferencer(pipeline(checkpoint, clip_classifier=slow))
    wide = dict(type='RowClipClassifier', model=config('PM', frame_interval=2, fps=30), checkpoint=checkpoint)
    spread = features_of(checkpoint, layout='span64')
    assert TubeInferencer(pipeline(checkpoint, clip_classifier=wide, tubelet_features=spread))
    mean = features_of(checkpoint, roi=dict(output_size=2, spatial_pool='avg'))
    with pytest.raises(InputError, match=r"people of the features are 'align2-avg', those of the model 'align2-max'"):
        TubeInferencer(pipeline(checkpoint, tubelet_features=mean))
    with pytest.raises(InputError, match='do not say how they were made'):
        RowClipClassifier(config(), checkpoint).classify_rows(
            PEOPLE[:1], [TubeletRows(1, [0.5], np.zeros((1, WIDTH)))], SIZE
        )
    with pytest.raises(ValueError, match='must be positive'):
        RowClipClassifier(config(), checkpoint, stride_s=0)


def test_odd_tubes_have_scores_where_they_have_rows(film, checkpoint):
    nobody = Tube(1, [], [], np.zeros((0, 4)))
    short = tube(2, np.arange(29, 32))  # 0.1 s around 1 s
    outside = tube(3, np.arange(150), box=(70.0, 0, 90, 20))
    many = [tube(10 + number, np.arange(20, 100)) for number in range(200)]
    people = [nobody, short, outside, *many]
    stage = RowClipClassifier(config('PM'), checkpoint)
    found = stage.classify_rows(people, extract(film, people, checkpoint), SIZE)
    assert [one.clip_times_s.tolist() for one in found[:4]] == [[], [1.0], [], [1, 2, 3]]
    assert all(one.clip_scores.shape == (len(one.clip_times_s), CLASSES) for one in found)
    assert stage.classify_rows([], [], SIZE) == []


def test_people_without_a_box_in_the_window_have_no_score(checkpoint):
    stage = RowClipClassifier(config('PM'), checkpoint)
    meta = dict(fps=30.0, window=32, stride=4, frames='own-every-nearest')
    times_s = np.array([14, 29]) * 2 / 15 + 8 / 15 - 2 / 5  # 2 and 4 s
    rows = TubeletRows(1, times_s, np.ones((2, WIDTH)), meta, np.array([True, False]))
    (found,) = stage.classify_rows([tube(1, np.arange(150))], [rows], SIZE)
    assert found.clip_times_s.tolist() == [2.0]
