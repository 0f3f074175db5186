import argparse
import copy
import json

import numpy as np
import pytest
import torch
from mmaction.structures import ActionDataSample
from mmengine.evaluator import Evaluator
from mmengine.structures import InstanceData

from mmtube.config import load_config
from mmtube.errors import InputError
from mmtube.evaluation.metrics.proposal_recall import ProposalRecall
from mmtube.evaluation.metrics.temporal_map import TemporalMAP, TubeletMAP
from mmtube.evaluation.protocols import activitynet, proposals, thumos, tubelet
from mmtube.registry import METRICS
from mmtube.structures.seal import (
    BoxTable,
    ClassRank,
    InstanceTable,
    LabelMap,
    SEALAnnotations,
    TubeletRecord,
    VideoRecord,
    write_class_rank,
    write_label_map,
    write_seal_json,
)


def sample(found, gt=None, **meta):
    """A data sample as a detector returns it; rows are (start, end, label, score) and (start, end, label)."""
    rows = np.array(found, np.float32).reshape(-1, 4)
    if gt is not None:
        rows_gt = np.array(gt, float).reshape(-1, 3)
        meta = {'gt_segments_s': rows_gt[:, :2], 'gt_labels': rows_gt[:, 2].astype(np.int64), **meta}
    packed = ActionDataSample(metainfo=meta)
    packed.pred_segments = InstanceData(
        segments_s=torch.from_numpy(rows[:, :2].copy()),
        labels=torch.from_numpy(rows[:, 2].astype(np.int64)),
        scores=torch.from_numpy(rows[:, 3].copy()),
    )
    return packed


def run(metric, samples, data_batch=None, classes=None):
    """As a Runner does it."""
    evaluator = Evaluator([metric])
    evaluator.dataset_meta = {'classes': classes} if classes else {}
    evaluator.process(samples, data_batch)
    return evaluator.evaluate(len(samples))


def segments(rows, names):
    return [
        {
            'segment': [row[0], row[1]],
            'label': names[int(row[2])],
            **({'score': float(np.float32(row[3]))} if row[3:] else {}),
        }
        for row in rows
    ]


def parsed(module, tmp_path, truth, results, *options):
    (tmp_path / 'pred.json').write_text(json.dumps({'results': results}))
    if truth is not None:
        database = {
            name: {'subset': 'validation', 'duration': 60.0, 'annotations': rows} for name, rows in truth.items()
        }
        (tmp_path / 'val.json').write_text(json.dumps({'database': database}))
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)
    args = parser.parse_args(list(options))
    args.gt, args.pred = str(tmp_path / 'val.json'), str(tmp_path / 'pred.json')
    return module.evaluate(args)


NAMES = ['jump', 'run']


@pytest.fixture
def films():
    """Whole seconds, quarters as scores: the same numbers in float32 and in JSON."""
    rng = np.random.default_rng(0)

    def rows(count, scored):
        for _ in range(count):
            start = int(rng.integers(0, 20))
            row = (start, start + int(rng.integers(1, 20)), int(rng.integers(0, 2)))
            yield (*row, int(rng.integers(0, 8)) / 8) if scored else row

    return {f'v{n}': (list(dict.fromkeys(rows(5, False))), list(rows(12, True))) for n in range(6)}


@pytest.mark.parametrize('name, module', [('activitynet', activitynet), ('thumos', thumos)])
def test_temporal_map_gives_the_numbers_of_the_tool(tmp_path, films, name, module):
    truth = {video: segments(gt, NAMES) for video, (gt, _) in films.items()}
    tool = parsed(module, tmp_path, truth, {video: segments(found, NAMES) for video, (_, found) in films.items()})
    samples = [sample(found, gt, video_id=video) for video, (gt, found) in films.items()]
    numbers = run(TemporalMAP(protocol=name), samples, classes=NAMES)
    assert numbers == {f'temporal/{key}': value for key, value in tool.metrics.items()}
    assert 0 < numbers['temporal/mAP'] < 1
    blind = [sample(found, video_id=video) for video, (_, found) in films.items()]
    from_file = TemporalMAP(protocol=name, ann_file=str(tmp_path / 'val.json'), subset='validation')
    assert run(from_file, blind, classes=NAMES) == numbers


def test_thumos_ignores_ambiguous_segments_of_a_sample():
    notes = [{'segment': [0, 10], 'label': 'run'}, {'segment': [20, 30], 'label': 'Ambiguous'}]
    samples = [sample([(0, 10, 0, 0.5), (20, 30, 0, 0.9)], video_name='a', annotations=notes)]
    assert run(TemporalMAP(protocol='thumos'), samples)['temporal/mAP'] == 1.0
    assert run(TemporalMAP(protocol='thumos', ambiguous='drop'), samples)['temporal/mAP'] == 0.5


def test_windows_of_one_tubelet_are_put_together_and_its_ground_truth_counts_once():
    gt = [(0, 10, 0), (40, 50, 0)]
    windows = [
        sample([(0, 10, 0, 0.5)], gt, tid='t1', video_id='film'),
        sample([(40, 50, 0, 0.25)], gt, tid='t1', video_id='film'),
    ]
    metric = TubeletMAP()
    assert run(metric, windows)['tubelet/mAP'] == 1.0
    assert metric.result.counts['ground_truths'] == 2 and metric.result.counts['tubelets'] == 1


def test_a_range_of_labels_is_scored_as_if_it_stood_alone():
    gt, found = [(1.0, 3.0, 0), (4.0, 8.0, 2)], [(1.0, 3.0, 0, 0.9), (4.0, 8.0, 2, 0.8), (5.0, 6.0, 1, 0.7)]
    alone = run(TubeletMAP(task='complex'), [sample([(4.0, 8.0, 0, 0.8)], gt=[(4.0, 8.0, 0)], tid='a')], classes=['c'])
    joint = [sample(found, gt=gt, tid='a')]
    part = run(TubeletMAP(task='complex', label_range=(2, 3)), joint, classes=['a', 'b', 'c'])
    assert part == alone
    first = run(TubeletMAP(label_range=(0, 2)), joint, classes=['a', 'b', 'c'])
    assert first['tubelet/mAP'] == 1  # class b has no truth


def test_windows_that_differ_in_their_ground_truth_are_refused():
    windows = [sample([], gt, tid='t1') for gt in ([(0, 10, 0)], [(0, 11, 0)])]
    with pytest.raises(InputError, match='t1: its samples differ in their ground truth'):
        run(TubeletMAP(), windows)


def test_a_tubelet_without_predictions_is_missed():
    samples = [sample([(0, 10, 0, 0.5)], [(0, 10, 0)], tid='t1'), sample([], [(0, 10, 0)], tid='t2')]
    assert run(TubeletMAP(), samples)['tubelet/mAP'] == 0.5


def test_the_worst_rows_of_a_sample_say_its_film():
    metric = TubeletMAP()
    run(metric, [sample([], [(0, 10, 0)], tid='t1', video_id='film')])
    assert metric.result.tables['worst']['video'] == ['film']
    assert metric.result.tables['worst']['text'] == ['missed: class 0, 0.0 to 10.0 s in t1']


@pytest.fixture
def seal(tmp_path):
    """Two tubelets, three of four classes, files beside the annotations; predictions inside and outside activities."""
    tracks = {tid: (range(600), [[10, 5, 30, 45]] * 600, [1.0] * 600, [0] * 600) for tid in ('t1', 't2')}
    aa = [('t1', 0, 'pose', 0.0, 10.0), ('t1', 1, 'pose', 20.0, 30.0), ('t2', 2, 'pose', 5.0, 15.0)]
    ca = [('t1', 0, '', 0.0, 40.0), ('t2', 0, '', 0.0, 30.0)]
    write_seal_json(
        SEALAnnotations(
            {'film': VideoRecord('web', 64, 48, 10.0, 600, 60.0, 'val')},
            {tid: TubeletRecord('film', number, (0, 600), tid) for number, tid in enumerate(tracks)},
            InstanceTable.from_rows(aa),
            InstanceTable.from_rows(ca),
            BoxTable.from_tracks(tracks),
        ),
        tmp_path / 'val.json',
    )
    write_label_map(LabelMap('atomic', ('walk', 'run', 'wave', 'nod')), tmp_path / 'label_map_atomic.json')
    write_class_rank(ClassRank('atomic', 'a test', (2, 0, 1, 3), (4, 3, 2, 1)), tmp_path / 'class_rank_atomic.json')
    return {
        't1': [(0, 10, 0, 0.5), (20, 29, 1, 0.25), (42, 50, 1, 0.75), (1, 9, 2, 0.5)],
        't2': [(5, 15, 2, 0.125), (5, 15, 0, 0.875)],
    }


def test_tubelet_map_gives_the_numbers_of_the_tool(tmp_path, seal):
    names = ('walk', 'run', 'wave', 'nod')
    results = {tid: segments(rows, names) for tid, rows in seal.items()}
    options = ('--task', 'atomic', '--subset', 'top2')
    tool = parsed(tubelet, tmp_path, None, results, *options)
    samples = [sample(rows, tid=tid, video_id='film') for tid, rows in seal.items()]
    numbers = run(TubeletMAP(subset='top2', ann_file=str(tmp_path / 'val.json')), samples)
    assert numbers == {f'tubelet/{key}': value for key, value in tool.metrics.items()}
    assert 0 < numbers['tubelet/mAP_top2'] < 1
    loose = parsed(tubelet, tmp_path, None, results, *options, '--no-restrict')
    assert loose.metrics['mAP'] < tool.metrics['mAP']
    free = run(TubeletMAP(subset='top2', ann_file=str(tmp_path / 'val.json'), restrict=False), samples)
    assert free['tubelet/mAP'] == loose.metrics['mAP']


def test_proposal_recall_gives_the_numbers_of_the_tool(tmp_path, films):
    truth = {video: segments(gt, NAMES) for video, (gt, _) in films.items()}
    results = {video: segments(found, NAMES) for video, (_, found) in films.items()}
    for iou in ('iou', 'new'):
        tool = parsed(proposals, tmp_path, truth, results, '--iou', iou)
        samples = [sample(found, gt, video_id=video, duration_s=60.0) for video, (gt, found) in films.items()]
        numbers = run(ProposalRecall(iou=iou), samples, classes=NAMES)
        assert numbers == {f'proposals/{key}': value for key, value in tool.metrics.items()}
        assert 0 < numbers['proposals/AUC'] < 1


def test_outputs_of_bmn_take_their_ground_truth_from_the_batch():
    notes = [{'segment': [0.0, 10.0], 'label': 'run'}]
    batch = [
        ActionDataSample(metainfo={'video_name': name, 'annotations': notes, 'duration_second': 50.0}) for name in 'ab'
    ]
    outputs = [
        {'video_name': 'a', 'proposal_list': [{'score': 0.5, 'segment': [0.0, 10.0]}]},
        {'video_name': 'b', 'proposal_list': []},
    ]
    metric = ProposalRecall()
    assert run(metric, outputs, {'data_samples': batch})['proposals/AR@100'] == 0.5
    assert metric.result.counts['videos_without_predictions'] == 1
    assert metric.result.tables['classes']['class'] == ['run']


def test_records_hold_nothing_on_a_device_and_survive_the_way_between_ranks():
    metric = TubeletMAP()
    rows = sample([(0, 10, 0, 0.5)], [(0, 10, 0)], tid='t1', video_id='film')
    rows.pred_segments.scores = rows.pred_segments.scores.bfloat16()
    metric.process({}, [rows.to_dict()])
    (record,) = metric.results
    assert {type(value) for value in vars(record).values()} == {str, float, np.ndarray}
    copied = copy.deepcopy(record)
    assert copied.scores.tolist() == [0.5] and copied.segments_s.dtype == np.float64


def test_the_data_set_file_of_seal_tubes_builds_its_metric():
    cfg = load_config('configs/_base_/datasets/seal_tubes.py')
    metric = METRICS.build(cfg.val_evaluator)
    assert (metric.task, metric.ann_file) == ('atomic', 'data/seal/annotations/val.json')
    assert metric.label_map == 'data/seal/annotations/label_map_atomic.json' and cfg.test_evaluator == cfg.val_evaluator


def test_the_whole_result_is_written(tmp_path):
    metric = TubeletMAP(out_file=str(tmp_path / 'out.json'))
    run(metric, [sample([(0, 10, 0, 0.5)], [(0, 10, 0)], tid='t1')])
    assert json.loads((tmp_path / 'out.json').read_text())['metrics']['mAP'] == 1.0
    assert (tmp_path / 'out.evidence.npz').is_file()


@pytest.mark.parametrize(
    'make, cause',
    [
        (lambda: TemporalMAP(protocol='hacs'), 'protocol must be one of'),
        (lambda: TemporalMAP(ambiguous='keep'), 'ambiguous ignore or drop'),
        (lambda: TubeletMAP(task='pose'), 'task must be one of'),
        (lambda: TubeletMAP(subset='top60'), 'a subset needs class_rank'),
        (lambda: ProposalRecall(iou='giou'), 'iou must be one of'),
        (lambda: ProposalRecall(auc='mean'), 'auc one of'),
    ],
)
def test_options_are_checked_at_construction(make, cause):
    with pytest.raises(ValueError, match=cause):
        make()


def test_a_sample_without_name_predictions_or_with_a_nan_is_refused():
    metric = TubeletMAP()
    with pytest.raises(KeyError, match='none of tid'):
        metric.process({}, [sample([], [(0, 10, 0)], video_id='film').to_dict()])
    with pytest.raises(KeyError, match='has no pred_segments'):
        metric.process({}, [{'tid': 't1'}])
    uneven = sample([(0, 1, 0, 0.5)], tid='t1').to_dict()
    uneven['pred_segments'] = {**dict(uneven['pred_segments'].items()), 'scores': torch.zeros(2)}
    with pytest.raises(ValueError, match='1 segments, 2 scores'):
        metric.process({}, [uneven])
    nan = [sample([(0, 1, 0, 0.5), (0, 1, 0, float('nan'))], [(0, 10, 0)], tid='t1')]
    with pytest.raises(InputError, match='prediction 1 of "t1": the score is not a finite number'):
        run(TubeletMAP(), nan)
