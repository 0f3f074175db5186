"""Frame mAP of the samples of a Runner."""

import argparse
import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from mmaction.structures import ActionDataSample
from mmengine.structures import InstanceData

from mmtube.errors import InputError
from mmtube.evaluation.metrics.frame_map import FrameMAP
from mmtube.evaluation.protocols import ava
from mmtube.structures.seal import ClassRank, write_class_rank

SIZE = (50, 100)  # height, width of the network's input


def sample(video, timestamp, people, found=None, **meta):
    """A sample of people [(box in fractions, labels)] and found [(box in fractions, scores)], as a head returns it."""
    packed = ActionDataSample(metainfo=dict(video_id=video, timestamp=timestamp, img_shape=SIZE, **meta))
    scale = torch.tensor([SIZE[1], SIZE[0]] * 2)
    boxes = torch.tensor([box for box, _ in people]).reshape(-1, 4) * scale
    packed.gt_instances = InstanceData(bboxes=boxes, labels=torch.tensor([labels for _, labels in people]).float())
    found = people if found is None else found
    packed.pred_instances = InstanceData(
        bboxes=torch.tensor([box for box, _ in found]).reshape(-1, 4),
        scores=torch.tensor([scores for _, scores in found]).float(),
    )
    return packed.to_dict()


LEFT, RIGHT = [0.1, 0.2, 0.4, 0.9], [0.5, 0.2, 0.8, 0.9]
SAMPLES = [
    sample('a', 2, [(LEFT, [1, 0, 0]), (RIGHT, [0, 1, 1])], [(LEFT, [0.9, 0.2, 0.1]), (RIGHT, [0.3, 0.8, 0.7])]),
    sample('a', 2.5, [(LEFT, [1, 0, 0])], [(LEFT, [0.6, 0.5, 0.4])]),
    sample('b', 7, [], []),
]


def score(metric, samples=SAMPLES):
    metric.process(None, samples)
    return metric.evaluate(len(samples))


def test_every_box_and_class_is_a_detection():
    metric = FrameMAP()
    # Class 0: .9 and .6 right, .3 wrong. Class 1: .8 right before .5 and .2. Class 2 likewise.
    assert score(metric) == {'frame_map/mAP@0.5': 1.0}
    assert metric.result.counts['predictions'] == 9 and metric.result.counts['ground_truths'] == 4
    assert metric.result.tables['classes']['class'] == ['class 0', 'class 1', 'class 2']
    moved = [sample('a', 2, [(LEFT, [1, 0])], [(RIGHT, [0.9, 0.1]), (LEFT, [0.8, 0.1])])]
    assert score(FrameMAP(prefix='val'), moved) == {'val/mAP@0.5': 0.5}


def test_names_are_those_of_the_data_set():
    metric = FrameMAP()
    metric.dataset_meta = {'classes': ('stand', 'sit', 'walk')}
    score(metric)
    assert metric.result.tables['classes']['class'] == ['stand', 'sit', 'walk']


def test_a_background_column_is_no_class():
    with_column = [
        sample('a', 2, [(LEFT, [0, 1, 0]), (RIGHT, [0, 0, 1])], [(LEFT, [0.99, 0.9, 0.2]), (RIGHT, [0.99, 0.3, 0.8])])
    ]
    metric = FrameMAP(background_class=True)
    assert score(metric, with_column) == {'frame_map/mAP@0.5': 1.0}
    assert len(metric.result.tables['classes']['class']) == 2 and metric.result.counts['predictions'] == 4


def test_low_scores_are_dropped_where_it_is_asked_for():
    metric = FrameMAP(min_score=0.4)
    score(metric)
    assert metric.result.counts['predictions'] == 6


def test_boxes_of_a_mirrored_and_cropped_input_are_brought_back():
    mirrored = sample('a', 2, [(RIGHT, [1.0])], [([0.2, 0.2, 0.5, 0.9], [0.9])], flip=True)
    metric = FrameMAP(thresholds=[0.999])
    assert score(metric, [mirrored]) == {'frame_map/mAP@0.999': 1.0}
    # The input is the right half of the frame.
    cropped = sample('a', 2, [([0.0, 0, 1.0, 1], [1.0])], [([0.5, 0, 1.0, 1], [0.9])], crop_quadruple=(0.5, 0, 0.5, 1))
    assert score(FrameMAP(), [cropped]) == {'frame_map/mAP@0.5': 1.0}


def write_csv(folder, samples=SAMPLES, ids=(1, 2, 4)):
    truth, found = [], []
    for one in samples:
        scale = np.array([SIZE[1], SIZE[0]] * 2)
        for box, labels in zip(one['gt_instances']['bboxes'].numpy() / scale, one['gt_instances']['labels']):
            truth += [
                f'{one["video_id"]},{one["timestamp"]},{",".join(map(repr, box.tolist()))},{ids[c]}'
                for c in np.flatnonzero(labels)
            ]
        for box, scores in zip(one['pred_instances']['bboxes'].tolist(), one['pred_instances']['scores'].tolist()):
            for label, value in zip(ids, scores):
                found.append(f'{one["video_id"]},{one["timestamp"]},{",".join(map(repr, box))},{label},{value!r}')
    (folder / 'gt.csv').write_text('\n'.join(truth) + '\n')
    (folder / 'pred.csv').write_text('\n'.join(found) + '\n')
    (folder / 'labels.txt').write_text('1: stand\n2: sit\n4: walk\n')


def rough(rng, count=20):
    """Samples with mistakes."""
    samples = []
    for number in range(count):
        people = []
        for _ in range(int(rng.integers(0, 4))):
            corner = rng.random(2) * 0.5
            people.append(
                ([*corner.tolist(), *(corner + 0.2 + rng.random(2) * 0.2).tolist()], rng.integers(0, 2, 3).tolist())
            )
        found = [((np.array(box) + rng.normal(0, 0.04, 4)).tolist(), rng.random(3).tolist()) for box, _ in people]
        found += [([0.1, 0.1, 0.3, 0.3], rng.random(3).tolist())]
        samples.append(sample('ab'[number % 2], number + 0.25, people, found))
    return samples


def test_it_is_the_number_of_the_protocol(tmp_path):
    samples = rough(np.random.default_rng(0))
    write_csv(tmp_path, samples)
    parser = argparse.ArgumentParser()
    ava.add_arguments(parser)
    args = parser.parse_args(['--labels', str(tmp_path / 'labels.txt')])
    args.gt, args.pred = str(tmp_path / 'gt.csv'), str(tmp_path / 'pred.csv')
    told = ava.evaluate(args)
    metric = FrameMAP()
    assert score(metric, samples)['frame_map/mAP@0.5'] == pytest.approx(told.metrics['mAP@0.5'], abs=1e-12)
    assert 0.1 < told.metrics['mAP@0.5'] < 0.9
    official = FrameMAP(ann_file=args.gt, label_file=args.labels)
    assert score(official, samples)['frame_map/mAP@0.5'] == told.metrics['mAP@0.5']
    assert official.result.counts == told.counts


def test_the_ground_truth_of_a_file_has_key_times_that_no_sample_has(tmp_path):
    write_csv(tmp_path)
    metric = FrameMAP(ann_file=str(tmp_path / 'gt.csv'), label_file=str(tmp_path / 'labels.txt'))
    assert score(metric) == {'frame_map/mAP@0.5': 1.0}
    assert score(metric, SAMPLES[:1])['frame_map/mAP@0.5'] == pytest.approx((0.5 + 1 + 1) / 3)
    (tmp_path / 'out.csv').write_text('a,2.5\n')
    excluding = FrameMAP(
        ann_file=str(tmp_path / 'gt.csv'),
        label_file=str(tmp_path / 'labels.txt'),
        exclude_file=str(tmp_path / 'out.csv'),
    )
    assert score(excluding, SAMPLES[:1]) == {'frame_map/mAP@0.5': 1.0}


def test_columns_may_be_action_ids(tmp_path):
    write_csv(tmp_path)
    spread = []
    for one in SAMPLES:
        scores = one['pred_instances']['scores']
        wide = torch.ones(len(scores), 4)  # action 3 is not scored, whatever it says
        if len(scores):
            wide[:, [0, 1, 3]] = scores
        spread.append({**one, 'pred_instances': {**one['pred_instances'], 'scores': wide}})
    metric = FrameMAP(ann_file=str(tmp_path / 'gt.csv'), label_file=str(tmp_path / 'labels.txt'))
    assert score(metric, spread) == {'frame_map/mAP@0.5': 1.0}
    narrow = [
        {**one, 'pred_instances': {**one['pred_instances'], 'scores': one['pred_instances']['scores'][:, :2]}}
        for one in SAMPLES[:2]
    ]
    with pytest.raises(InputError, match='has 3 classes up to 4, scores have 2'):
        score(metric, narrow)


def test_subsets_and_several_thresholds(tmp_path):
    write_class_rank(ClassRank('atomic', 'x', (2, 0, 1), (9, 8, 7)), tmp_path / 'rank.json')
    metric = FrameMAP(thresholds=(0.5, 0.75), class_rank=str(tmp_path / 'rank.json'), subset=['top1', 'top1-3'])
    assert set(score(metric)) == {f'frame_map/mAP{name}' for name in ('', '@0.5', '@0.75', '_top1', '_top1-3')}
    metric = FrameMAP(class_rank=str(tmp_path / 'rank.json'), subset=['top1', 'top4'])
    assert set(score(metric)) == {'frame_map/mAP@0.5', 'frame_map/mAP_top1'}
    assert metric.result.notes == ['no top4: the class rank has 3 classes']
    with pytest.raises(InputError, match=r"^subset 'best4' is neither"):
        FrameMAP(class_rank=str(tmp_path / 'rank.json'), subset=['best4'])
    with pytest.raises(InputError, match='class_rank has 3 classes, there are 1'):
        score(FrameMAP(class_rank=str(tmp_path / 'rank.json')), [sample('a', 2, [(LEFT, [1])])])


@pytest.mark.filterwarnings('ignore:Mean of empty slice')
def test_compat_is_the_number_of_mmaction2s_metric(tmp_path, monkeypatch):
    utils = pytest.importorskip('mmaction.evaluation.functional.ava_utils')
    from mmaction.evaluation import AVAMetric

    class Pool:
        def __init__(self, size):
            self.map = lambda function, items: list(map(function, items))

    monkeypatch.setattr(utils.multiprocessing, 'Pool', Pool)
    monkeypatch.chdir(tmp_path)
    samples = rough(np.random.default_rng(1), 30)
    for number, one in enumerate(samples):
        one['timestamp'] = number  # it knows whole seconds only
    write_csv(tmp_path, samples, ids=(1, 2, 3))
    (tmp_path / 'labels.txt').write_text(''.join(f'item {{\n  name: "c{n}"\n  id: {n}\n}}\n' for n in (1, 2, 3)))
    wide = []
    for one in samples:
        scores = torch.nn.functional.pad(one['pred_instances']['scores'], (1, 0))
        scores[:, 2] *= 0.004  # on both sides of its threshold
        wide.append({**one, 'pred_instances': {**one['pred_instances'], 'scores': scores}})
    files = dict(ann_file=str(tmp_path / 'gt.csv'), label_file=str(tmp_path / 'labels.txt'))
    ours = FrameMAP(background_class=True, compat='mmaction2', **files)
    theirs = AVAMetric(exclude_file=None, num_classes=4, **files)
    theirs.process(None, wide)
    wanted = theirs.compute_metrics(theirs.results)['overall']
    assert score(ours, wide)['frame_map/mAP@0.5'] == pytest.approx(wanted, abs=1e-9)
    assert score(FrameMAP(background_class=True, **files), wide)['frame_map/mAP@0.5'] != pytest.approx(wanted, abs=1e-4)


@pytest.mark.parametrize(
    ('samples', 'cause'),
    [
        ([SAMPLES[0], SAMPLES[0]], 'a at 2 s: came more than once'),
        ([SAMPLES[2]], 'has no ground truth'),
        ([sample('a', 2, [(LEFT, [1.0])], [(LEFT, [float('nan')])])], 'a at 2 s: a score is not a finite number'),
        ([sample('a', 2, [(LEFT, [1.0])], [([10.0, 10, 20, 20], [0.5])])], 'a at 2 s: a predicted box is not in frac'),
        ([sample('a', 2, [(LEFT, [1.0, 0])], [(LEFT, [0.5])])], 'a at 2 s: labels have 2 classes, scores 1'),
        ([{'video_id': 'a', 'timestamp': 2, 'pred_instances': SAMPLES[0]['pred_instances']}], 'has no gt_instances'),
        ([SAMPLES[0], sample('a', 9, [(LEFT, [1, 0])])], r'different numbers of classes: \[2, 3\]'),
    ],
)
def test_what_cannot_be_scored_is_named(samples, cause):
    with pytest.raises(InputError, match=cause):
        score(FrameMAP(), samples)


@pytest.mark.parametrize(
    'wrong', [dict(compat='other'), dict(subset=['top5']), dict(ann_file='gt.csv'), dict(exclude_file='none.csv')]
)
def test_arguments_that_do_not_go_together_are_refused(wrong):
    with pytest.raises(ValueError, match=r'compat|class_rank|label_file|is not there'):
        FrameMAP(**wrong)


def test_a_film_without_any_prediction_is_missed():
    assert score(FrameMAP(), [sample('a', 2, [(LEFT, [1, 0])], [])]) == {'frame_map/mAP@0.5': 0.0}


WORKER = """
import json, sys
import torch.distributed as dist
sys.path.insert(0, {folder!r})
from test_frame_map_metric import FrameMAP, SAMPLES
rank = int(sys.argv[1])
dist.init_process_group('gloo', init_method='file://' + sys.argv[2], rank=rank, world_size=2)
metric = FrameMAP()
metric.process(None, SAMPLES if rank else [])
print(json.dumps(metric.evaluate(3)))
"""


@pytest.mark.skipif(not hasattr(os, 'fork'), reason='needs a POSIX system')
def test_a_rank_may_have_no_samples(tmp_path):
    code = WORKER.format(folder=os.path.dirname(__file__))
    ranks = [
        subprocess.Popen(
            [sys.executable, '-W', 'ignore', '-c', code, str(rank), str(tmp_path / 'meet')], stdout=subprocess.PIPE
        )
        for rank in range(2)
    ]
    printed = [rank.communicate(timeout=120)[0].decode().strip().splitlines()[-1] for rank in ranks]
    assert [json.loads(line) for line in printed] == [{'frame_map/mAP@0.5': 1.0}] * 2
