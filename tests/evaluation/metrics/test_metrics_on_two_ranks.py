"""Each metric gives on two ranks what it gives on one, with an odd number of samples and an uneven last batch."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmaction.structures import ActionDataSample
from mmengine.evaluator import Evaluator
from mmengine.structures import InstanceData

from mmtube.evaluation import metrics as all_metrics
from mmtube.registry import METRICS
from mmtube.structures import Tube, VideoInfo, VideoResult
from mmtube.structures.seal import write_seal_json
from mmtube.structures.seal.convert.results import from_results

COUNT, BATCH = 11, 4


def recognition(rng):
    for _ in range(COUNT):
        yield ActionDataSample().set_pred_score(torch.as_tensor(rng.random(5))).set_gt_label(int(rng.integers(5)))


def reid(rng):
    people = rng.normal(size=(3, 4))
    for number in range(COUNT):
        role, pid = ('query', number % 3) if number < 3 else ('gallery', int(rng.integers(3)))
        one = ActionDataSample(metainfo=dict(role=role, tracklet=number, pid=pid + 1, camid=int(number >= 3)))
        one.pred_feature = torch.as_tensor(people[pid] + rng.normal(0, 2.0, 4), dtype=torch.float32)
        yield one


def frames(rng):
    for number in range(COUNT):
        one = ActionDataSample(metainfo=dict(video_id='ab'[number % 2], timestamp=number, img_shape=(100, 100)))
        corner = rng.random((2, 2)) * 50
        boxes = np.c_[corner, corner + 40]
        one.gt_instances = InstanceData(bboxes=torch.tensor(boxes), labels=torch.eye(3)[rng.integers(3, size=2)])
        moved = torch.tensor((boxes + rng.normal(0, 5, (2, 4))) / 100)
        one.pred_instances = InstanceData(bboxes=moved, scores=torch.tensor(rng.random((2, 3))))
        yield one


def segments(rng):
    """Whole seconds of films, which are tubelets too; the first film has two windows."""
    for number in range(COUNT):
        film = max(number - 1, 0)
        own = np.random.default_rng(film)
        starts = own.choice(20, 3, replace=False)
        meta = dict(gt_segments_s=np.c_[starts, starts + 5.0], gt_labels=own.integers(2, size=3), duration_s=60.0)
        one = ActionDataSample(metainfo=dict(video_id=f'v{film}', tid=f'v{film}.1', **meta))
        begins = starts + rng.normal(0, 1, 3)
        one.pred_segments = InstanceData(
            segments_s=torch.tensor(np.c_[begins, begins + 5]),
            labels=torch.tensor(rng.integers(2, size=3)),
            scores=torch.tensor(rng.random(3)),
        )
        yield one


def person(track_id, count, left):
    inds = np.arange(count)
    return Tube(track_id, inds, inds / 10, [[left, 0, left + 10, 10]] * count)


def tubes(rng):
    for number in range(COUNT):
        found = [person(1, 5 + number, float(rng.integers(0, 5))), person(2, 3, 40)]
        yield {'video_id': f'f{number}', 'pred_tubes': found[: int(rng.integers(0, 3))]}


def action_tubes(rng):
    for number in range(COUNT):
        left = float(rng.integers(0, 9))
        boxes = [[left, 0, left + 10, 10]] * 5
        tube = dict(video_id=f'f{number}', label=0, score=float(rng.random()), frames=np.arange(1, 6), boxes=boxes)
        yield {'pred_tubes': [tube][: int(rng.integers(0, 4))]}


CASES = {
    'FrameMAP': (frames, {}),
    'LinkingMetric': (tubes, {'ann_file': 'gt.json'}),
    'ProposalRecall': (segments, {}),
    'ReIDMetric': (reid, {}),
    'RecognitionMetric': (recognition, {}),
    'TemporalMAP': (segments, {}),
    'TrackingMetric': (tubes, {'ann_file': 'gt.json'}),
    'TubeletMAP': (segments, {}),
    'VideoMAP': (action_tubes, {'ann_file': 'gt.pkl', 'convention': 'plain'}),
}


def numbers(folder, rank, ranks):
    """What each metric gives to this rank, in which a sampler deals the samples in turn and repeats the first ones."""
    os.chdir(folder)
    given = {}
    for name, (make, options) in CASES.items():
        samples = list(make(np.random.default_rng(3)))
        dealt = [samples[number % COUNT] for number in range(rank, -(-COUNT // ranks) * ranks, ranks)]
        evaluator = Evaluator([METRICS.build(dict(type=name, **options))])
        for first in range(0, len(dealt), BATCH):
            evaluator.process(dealt[first : first + BATCH])
        given[name] = evaluator.evaluate(COUNT)
    return given


WORKER = """
import json, sys
import torch.distributed as dist
folder, rank = sys.argv[1], int(sys.argv[2])
sys.path.insert(0, {here!r})
from test_metrics_on_two_ranks import numbers
dist.init_process_group('gloo', init_method=f'file://{{folder}}/meet', rank=rank, world_size=2)
given = numbers(folder, rank, 2)
open(f'{{folder}}/rank{{rank}}.json', 'w').write(json.dumps(given))
dist.barrier()  # a rank that leaves while the other still talks to it would take that one down
dist.destroy_process_group()
"""


@pytest.fixture
def folder(tmp_path):
    import pickle

    people = [[person(1, 5 + number, 0), person(2, 3, 40)] for number in range(COUNT)]
    films = [VideoResult(VideoInfo(f'f{n}.mp4', 64, 48, 10.0, 60, 6.0), some) for n, some in enumerate(people)]
    write_seal_json(from_results(films), tmp_path / 'gt.json')
    names = [f'f{number}' for number in range(COUNT)]
    tube = np.array([[frame, 0, 0, 10, 10] for frame in range(1, 6)], float)
    document = {
        'labels': ['run'],
        'gttubes': {name: {0: [tube]} for name in names},
        'nframes': dict.fromkeys(names, 10),
        'resolution': dict.fromkeys(names, (48, 64)),
        'train_videos': [[]],
        'test_videos': [names],
    }
    (tmp_path / 'gt.pkl').write_bytes(pickle.dumps(document))
    return tmp_path


def test_every_metric_has_a_case():
    assert {*CASES, 'EvaluationMetric'} == set(all_metrics.__all__)


@pytest.mark.skipif(not hasattr(os, 'fork'), reason='needs a POSIX system')
def test_two_ranks_give_what_one_gives(folder, monkeypatch):
    monkeypatch.chdir(folder)
    code = WORKER.format(here=str(Path(__file__).parent))
    env = {**os.environ, 'OMP_NUM_THREADS': '1', 'PYTHONPATH': os.pathsep.join(filter(None, sys.path))}
    ranks = [
        subprocess.Popen([sys.executable, '-W', 'ignore', '-c', code, str(folder), str(rank)], env=env)
        for rank in range(2)
    ]
    alone = numbers(folder, 0, 1)
    try:
        assert [rank.wait(timeout=120) for rank in ranks] == [0, 0]
    finally:
        for rank in ranks:
            rank.kill()
    for rank in range(2):
        assert json.loads((folder / f'rank{rank}.json').read_text()) == alone
    for name, given in alone.items():  # numbers that a sample more or less would change
        assert any(0 < value < 1 for value in given.values()), name
