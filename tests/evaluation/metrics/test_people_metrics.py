"""Metrics of tracks and of re-identification give what the command line gives."""

import numpy as np
import pytest
import torch
from mmaction.structures import ActionDataSample

from mmtube.config import load_config
from mmtube.errors import InputError
from mmtube.evaluation.metrics.linking import LinkingMetric
from mmtube.evaluation.metrics.reid import ReIDMetric
from mmtube.evaluation.metrics.tracking import TrackingMetric
from mmtube.evaluation.protocols.reid import score_gallery
from mmtube.evaluation.readers.embeddings import Gallery
from mmtube.registry import METRICS
from mmtube.structures import Link, Tube, VideoInfo, VideoResult, apply_links
from mmtube.structures.io import write_mot_txt, write_result_json
from mmtube.structures.seal import write_seal_json
from mmtube.structures.seal.convert.results import from_results


def tube(track_id, first, end, left):
    frames = np.arange(first, end)
    return Tube(track_id, frames, frames / 10, [[left, 0, left + 10, 10]] * len(frames))


def film(name, *tubes):
    return VideoResult(VideoInfo(f'{name}.mp4', 64, 48, 10.0, 100, 10.0), list(tubes))


@pytest.fixture
def found(tmp_path):
    """Ground truth and results in files; the samples of a runner."""
    write_seal_json(
        from_results([film('one', tube(1, 0, 30, 0), tube(2, 0, 20, 40)), film('two', tube(1, 0, 9, 0))]),
        tmp_path / 'gt.json',
    )
    tubelets = [tube(11, 0, 10, 0), tube(12, 12, 30, 1), tube(13, 0, 18, 40)]
    tubes = apply_links(tubelets, [Link(11, 12, 0.1, 0.2, 'near')])
    write_result_json(film('one', *tubes), tmp_path / 'found' / 'one.json')
    return tmp_path, [{'video_id': 'one', 'pred_tubes': tubes}, {'video_id': 'two.mp4', 'pred_tubes': []}]


def from_tool(run_tool, tmp_path, protocol, metric, *options):
    out = tmp_path / f'{protocol}.json'
    done = run_tool(
        *('tools/evaluate.py', protocol, '--gt', tmp_path / 'gt.json', '--pred', tmp_path / 'found', '--json', out),
        *options,
    )
    assert done.returncode == 0, done.stderr
    assert metric.result.text() == done.stdout.strip()
    return done.stdout


def test_tracking_metric_is_the_protocol(found, run_tool):
    folder, samples = found
    metric = TrackingMetric(str(folder / 'gt.json'), out_file=str(folder / 'm.json'))
    metric.process(None, samples)
    values = metric.evaluate(2)
    assert values['mot/FN'] == 2 + 2 + 9 and values['mot/IDSW'] == 0
    printed = from_tool(run_tool, folder, 'mot', metric)
    assert 'MOTA' in printed and (folder / 'm.evidence.npz').is_file()


def test_linking_metric_is_the_protocol(found, run_tool):
    folder, samples = found
    metric = METRICS.build(dict(type='LinkingMetric', ann_file=str(folder / 'gt.json')))
    assert isinstance(metric, LinkingMetric)
    metric.process(None, samples)
    values = metric.evaluate(2)
    assert values['linking/right_merges'] == 1 and values['linking/merge_precision'] == 1
    assert values['linking/IDF1'] > values['linking/IDF1_before_linking']
    from_tool(run_tool, folder, 'linking', metric)


@pytest.mark.parametrize('name', ['TrackingMetric', 'LinkingMetric'])
def test_ids_end_at_shot_changes_where_they_are_asked_to(tmp_path, run_tool, name):
    truth = film('one', tube(1, 0, 30, 0))
    truth.shots = [(0, 15), (15, 100)]
    write_seal_json(from_results([truth]), tmp_path / 'gt.json')
    tubes = [tube(4, 0, 15, 0), tube(6, 15, 30, 0)]  # one at each side of the cut, as SEAL has it
    write_result_json(film('one', *tubes), tmp_path / 'found' / 'one.json')
    scores = {}
    for per_shot in (False, True):
        metric = METRICS.build(dict(type=name, ann_file=str(tmp_path / 'gt.json'), ids_per_shot=per_shot))
        metric.process(None, [{'video_id': 'one', 'pred_tubes': tubes}])
        scores[per_shot] = metric.evaluate(1)[f'{metric.prefix}/IDF1']
    assert scores == {False: 0.5, True: 1.0}
    protocol = 'mot' if name == 'TrackingMetric' else 'linking'
    assert 'end at shot changes' in from_tool(run_tool, tmp_path, protocol, metric, '--ids-per-shot')


def test_ids_cannot_end_at_shots_that_the_ground_truth_does_not_tell(tmp_path):
    write_mot_txt(film('one', tube(1, 0, 30, 0)), tmp_path / 'one.txt')
    metric = TrackingMetric(str(tmp_path), ids_per_shot=True)
    metric.process(None, [{'video_id': 'one', 'pred_tubes': []}])
    with pytest.raises(InputError, match='say where the shots are'):
        metric.evaluate(1)


def test_tracking_metric_takes_mot_text(tmp_path):
    write_mot_txt(film('one', tube(1, 0, 30, 0)), tmp_path / 'one.txt')
    metric = TrackingMetric(str(tmp_path))
    metric.process(None, [{'video_id': 'one', 'pred_tubes': [tube(4, 0, 30, 0)]}])
    assert metric.evaluate(1)['mot/HOTA'] == 1


def test_arguments_out_of_range_are_refused():
    for options in (dict(iou=0), dict(min_share=2)):
        with pytest.raises(ValueError, match='must lie in'):
            LinkingMetric('gt.json', **options)
    with pytest.raises(ValueError, match='distance'):
        ReIDMetric(distance='manhattan')


def sample(role, tracklet, pid, camid, feature):
    """What a runner hands to a metric: the data sample as a dict."""
    meta = dict(role=role, tracklet=tracklet, pid=pid, camid=camid)
    data = ActionDataSample(metainfo=meta)
    data.pred_feature = torch.as_tensor(np.array([feature]), dtype=torch.float32)
    return data.to_dict()


def reid_samples(rng):
    people = rng.normal(size=(6, 8))
    rows = [('query', n, n + 1, 0) for n in range(6)]
    rows += [('gallery', 100 + n, n % 7, n % 3) for n in range(21)]
    return [sample(*row, people[(row[2] - 1) % 6] + rng.normal(0, 0.8, 8)) for row in rows]


def test_reid_metric_is_the_protocol_whatever_the_order_of_samples():
    rng = np.random.default_rng(0)
    samples = reid_samples(rng)
    names = np.array([f'{s["role"]} {s["tracklet"]:08d}' for s in samples])
    columns = [np.array([s[key] for s in samples]) for key in ('pid', 'camid')]
    order = np.argsort(names)
    features = np.stack([s['pred_feature'].numpy().reshape(-1) for s in samples])
    gallery = Gallery(names, *columns, np.array([s['role'] == 'query' for s in samples]))
    known = score_gallery(gallery, names[order], features[order]).metrics
    assert 0 < known['mAP'] < 1
    for _ in range(3):
        metric = METRICS.build(load_config('_base_/datasets/mars.py').val_evaluator)
        for one in samples:
            metric.process(None, [one])
        assert metric.evaluate(len(samples)) == {f'reid/{name}': value for name, value in known.items()}
        rng.shuffle(samples)


def test_reid_metric_refuses_samples_without_a_role_and_features_that_are_not_finite():
    metric = ReIDMetric()
    with pytest.raises(InputError, match='role'):
        metric.process(None, [sample('train', 1, 1, 1, [0.0])])
    metric = ReIDMetric()
    metric.process(None, [sample('query', 1, 1, 1, [float('nan')]), sample('gallery', 2, 1, 2, [0.0])])
    with pytest.raises(InputError, match='query 00000001: the feature is not finite'):
        metric.evaluate(2)
