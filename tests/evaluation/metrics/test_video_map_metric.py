import argparse
import pickle

import numpy as np
import pytest
import torch

from mmtube.errors import InputError
from mmtube.evaluation.metrics.video_map import VideoMAP
from mmtube.evaluation.protocols import video_map
from mmtube.structures.io import load_pickle

SIZES = {'a': (240, 320), 'b': (100, 200)}
SAMPLE = 'eval/mmaction2_tests/eval_multisports'


def rows(first, last, x=0.0):
    frames = np.arange(first, last + 1)
    return np.column_stack([frames, np.tile([x, 5, x + 20, 35], (len(frames), 1))])


TUBES = {'a': {0: [rows(1, 20), rows(1, 20, 100)], 1: [rows(30, 59)]}, 'b': {1: [rows(5, 30, 50)]}}


@pytest.fixture
def truth(tmp_path):
    document = {
        'labels': ['run', 'jump'],
        'gttubes': TUBES,
        'nframes': {'a': 60, 'b': 40},
        'resolution': SIZES,
        'train_videos': [[]],
        'test_videos': [['a', 'b']],
    }
    (tmp_path / 'gt.pkl').write_bytes(pickle.dumps(document))
    return str(tmp_path / 'gt.pkl')


def sample(video, frame, boxes, scores):
    height, width = SIZES[video]
    boxes = np.asarray(boxes, float).reshape(-1, 4) / [width, height, width, height]
    scores = np.asarray(scores, float).reshape(len(boxes), -1 if len(boxes) else 2)
    instances = dict(bboxes=torch.tensor(boxes), scores=torch.tensor(scores))
    return dict(video_id=f'{video}.mp4', timestamp=frame, pred_instances=instances)


def samples(scores):
    """A sample for each frame of each video, with the boxes of the ground truth; ``scores`` by label."""
    for video, last in (('a', 60), ('b', 40)):
        for frame in range(1, last + 1):
            here = [
                (row[1:], label)
                for label, tubes in TUBES[video].items()
                for tube in tubes
                for row in tube[tube[:, 0] == frame]
            ]
            yield sample(video, frame, [box for box, _ in here], [scores[label] for _, label in here])


def run(metric, found, batch=7):
    found = list(found)
    for first in range(0, len(found), batch):
        metric.process(None, found[first : first + batch])
    return metric.evaluate(len(found))


@pytest.mark.parametrize('convention', ['multisports', 'plain'])
def test_boxes_are_joined_to_tubes_and_perfect_ones_give_one(truth, convention):
    metric = VideoMAP(truth, convention=convention)
    numbers = run(metric, samples([[0.9, 0.1], [0.2, 0.8]]))
    assert all(name.startswith('video_map/mAP@') for name in numbers)
    np.testing.assert_allclose([*numbers.values()], 1.0, atol=1e-6)  # fractions of the frame are rounded
    assert numbers['video_map/mAP@0.5'] == 1.0
    assert '96 boxes joined to 4 tubes' in metric.result.notes


def test_a_box_has_its_best_class_or_all_that_are_likely_enough(truth):
    scores = [[0.9, 0.3], [0.2, 0.8]]
    run(best := VideoMAP(truth), samples(scores))
    run(some := VideoMAP(truth, labels='all', score_thr=0.25), samples(scores))
    assert (best.result.counts['predictions'], some.result.counts['predictions']) == (4, 6)


def test_the_column_of_the_background_is_no_class(truth):
    with_background = samples([[9.0, 0.9, 0.1], [9.0, 0.2, 0.8]])
    assert run(VideoMAP(truth, background_class=True), with_background)['video_map/mAP@0.5'] == 1.0
    with pytest.raises(InputError, match='the label is none of 2 classes'):
        run(VideoMAP(truth), samples([[0.1, 0.2, 0.7], [0, 0, 1]]))


def given(**change):
    tubes = [
        dict(video_id=video, label=label, score=0.5, frames=tube[:, 0].astype(int), boxes=tube[:, 1:]) | change
        for video, labels in TUBES.items()
        for label, found in labels.items()
        for tube in found
    ]
    return [dict(pred_tubes=tubes[:1]), dict(pred_tubes=[]), dict(pred_tubes=tubes[1:])]


@pytest.mark.parametrize('convention', ['multisports', 'plain', 'act'])
def test_tubes_that_are_given_are_scored_as_they_are(truth, convention):
    numbers = run(VideoMAP(truth, convention=convention), given())
    # 'act' counts inclusive pixels: the half-open boxes given are 20 x 30 pixels, those of the pickle 21 x 31.
    assert (set(numbers.values()) == {1.0}) == (convention != 'act')


def test_half_open_tubes_are_counted_in_the_pixels_of_the_convention(truth):
    found = given()
    for one in found:
        for tube in one['pred_tubes']:
            tube['boxes'] = tube['boxes'] + [0, 0, 1, 1]
    assert set(run(VideoMAP(truth, convention='act'), found).values()) == {1.0}


def test_boxes_and_tubes_are_not_mixed_and_films_must_be_known(truth):
    with pytest.raises(InputError, match='1 of 2 samples have pred_tubes'):
        run(VideoMAP(truth), [given()[0], sample('a', 1, [], [])])
    stranger = sample('a', 1, [[0, 0, 9, 9]], [[1, 0]]) | dict(video_id='c')
    with pytest.raises(InputError, match=r"gt.pkl: has no resolution of the video 'c' of a sample"):
        run(VideoMAP(truth), [stranger])
    with pytest.raises(InputError, match='pred_tubes: tube 0: 3 frames'):
        run(VideoMAP(truth), given(frames=np.arange(3)))
    with pytest.raises(InputError, match='pred_tubes: tube 0: the label is none of 2 classes'):
        run(VideoMAP(truth), given(label=2))


def test_samples_without_boxes_are_all_missed(truth):
    assert set(run(VideoMAP(truth), [sample('a', 1, [], [])]).values()) == {0.0}


def test_wrong_options_are_refused_before_anything_runs(truth, tmp_path):
    with pytest.raises(ValueError, match='voc'):
        VideoMAP(truth, convention='voc')
    with pytest.raises(ValueError, match='worst'):
        VideoMAP(truth, labels='worst')
    with pytest.raises(TypeError, match='max_frames'):
        VideoMAP(truth, link=dict(max_frames=3))
    with pytest.raises(InputError, match='cannot be read'):
        VideoMAP(str(tmp_path / 'none.pkl'))


def noisy(seed):
    rng = np.random.default_rng(seed)
    for video, last in (('a', 60), ('b', 40)):
        for frame in range(1, last + 1):
            here = [
                (row[1:], label)
                for label, tubes in TUBES[video].items()
                for tube in tubes
                for row in tube[tube[:, 0] == frame]
                if rng.random() < 0.97
            ]
            boxes = np.array([box for box, _ in here]).reshape(-1, 4) + rng.normal(0, 1, (len(here), 4))
            scores = [rng.dirichlet([9, 1] if label == 0 else [1, 9]) for _, label in here]
            yield sample(video, frame, boxes, scores)


@pytest.mark.filterwarnings('ignore:Conversion of an array:DeprecationWarning')  # of mmaction
@pytest.mark.parametrize('seed', range(4))
def test_the_numbers_are_those_of_the_command_and_of_mmactions_metric_with_its_slip_repaired(
    truth, tmp_path, seed, monkeypatch
):
    found = list(noisy(seed))
    ours = run(VideoMAP(truth, link=dict(min_frames=3)), found)

    lines = []
    for one in found:
        height, width = SIZES[one['video_id'][0]]
        scores = one['pred_instances']['scores'].numpy()
        boxes = one['pred_instances']['bboxes'].numpy() * [width, height, width, height]
        for box, score in zip(boxes.tolist(), scores):
            values = [one['timestamp'], score.argmax(), repr(float(score.max())), *map(repr, box)]
            lines.append(','.join(map(str, [one['video_id'][0], *values])))
    (tmp_path / 'det.csv').write_text('\n'.join(lines) + '\n')
    parser = argparse.ArgumentParser()
    video_map.add_arguments(parser)
    args = parser.parse_args(['--convention', 'multisports', '--link', '--min-frames', '3'])
    args.gt, args.pred = truth, str(tmp_path / 'det.csv')
    command = video_map.evaluate(args).metrics
    assert {f'video_map/{name}': value for name, value in command.items()} == ours

    upstream = pytest.importorskip('mmaction.evaluation.metrics.multisports_metric')
    linking = pytest.importorskip('mmaction.evaluation.functional.multisports_utils')

    def each_with_its_own_score(self):
        frames = {
            name: {n: {c: np.empty((0, 5)) for c in range(2)} for n in range(1, self.nframes[name] + 1)}
            for name in 'ab'
        }
        for video, frame, label, score, *box in self.frm_alldets:
            here = frames['ab'[int(video)]][int(frame)]
            here[int(label)] = np.vstack([here[int(label)], [*box, score]])
        return frames

    monkeypatch.setattr(linking.Dataset, 'get_vid_dets', each_with_its_own_score)
    metric = upstream.MultiSportsMetric(
        truth, dict(F_mAP=dict(thr=0.5), V_mAP=dict(thr=(0.2, 0.5), all=True, tube_thr=3)), verbose=False
    )
    theirs = run(metric, found)
    assert 0 < theirs['mAP/v_map_0.10:0.90'] < 100
    for name, key in [
        ('v_map@0.2', 'mAP@0.2'),
        ('v_map@0.5', 'mAP@0.5'),
        ('v_map_0.05:0.45', 'mAP@0.05:0.45'),
        ('v_map_0.10:0.90', 'mAP@0.1:0.9'),
        ('v_map_0.50:0.95', 'mAP@0.5:0.95'),
    ]:
        assert 100 * ours[f'video_map/{key}'] == pytest.approx(theirs[f'mAP/{name}'], abs=1e-3)


def test_the_sample_of_mmaction_gives_its_figures(shared_data):
    ground = str(shared_data / SAMPLE / 'gt.pkl')
    resolution = load_pickle(ground)['resolution']
    video = next(iter(resolution))
    height, width = resolution[video]
    table = np.loadtxt(shared_data / SAMPLE / 'detections_flat.csv', delimiter=',')
    found = []
    for frame in np.unique(table[:, 1]):
        here = table[table[:, 1] == frame]
        scores = np.zeros((len(here), 66))
        scores[np.arange(len(here)), here[:, 2].astype(int)] = here[:, 3]
        instances = dict(bboxes=here[:, 4:] / [width, height, width, height], scores=scores)
        found.append(dict(video_id=video, timestamp=int(frame), pred_instances=instances))
    numbers = run(VideoMAP(ground, link=dict(compat='mmaction2')), found)
    assert round(100 * numbers['video_map/mAP@0.1:0.9'], 4) == 29.1667
    numbers = run(VideoMAP(ground), found)
    assert round(100 * numbers['video_map/mAP@0.1:0.9'], 4) == 40.2778
