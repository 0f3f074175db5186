"""A correct set is 100, exactly, in each format and with the metrics of both libraries."""

import json

import cv2
import numpy as np
import pytest
import scipy.io
from mmengine.config import Config
from mmengine.dataset import BaseDataset

from mmtube.config import load_config
from mmtube.errors import InputError
from mmtube.registry import DATASETS


@pytest.mark.parametrize('kind', ['clips', 'tubes', 'ava'])
def test_a_correct_set_scores_exactly_100(clean_set, config_of, check, kind):
    report = check(config_of(kind, clean_set))
    assert report.ok and not report.findings and not report.hints
    assert list(report.scores.values()) == [1.0]
    assert report.verdict().startswith('OK: ') and report.verdict().endswith('100.0000')


def test_both_tasks_are_checked_one_at_a_time(clean_set, config_of, check):
    cfg = config_of('tubes', clean_set)
    label_map = cfg.val_dataloader.dataset.label_map
    cfg.val_dataloader.dataset.update(task='joint', label_map=[label_map, label_map])
    with pytest.raises(InputError, match='one task at a time'):
        check(cfg)


def test_films_of_some_items_are_read(clean_set, config_of, check):
    report = check(config_of('clips', clean_set), decode=2)
    assert report.checks[-1].name == 'reading' and report.checks[-1].status == 'ok'
    assert report.checks[-1].text.startswith('2 of ')


def test_action_tubes_score_100(clean_set, act_config, check):
    report = check(act_config(clean_set), decode=1)
    assert report.ok and list(report.scores.values()) == [1.0]
    assert [item.name for item in report.checks][:4] == ['labels', 'boxes', 'frames', 'duplicates']


@pytest.mark.parametrize('convention, inclusive', [('multisports', False), ('act', True)])
def test_whole_tubes_score_100(clean_set, act_config, check, convention, inclusive):
    cfg = act_config(clean_set, inclusive=inclusive)
    metric = dict(type='VideoMAP', ann_file=str(clean_set / 'val.pkl'), convention=convention)
    cfg.val_evaluator = [metric, cfg.val_evaluator]
    report = check(cfg)
    assert report.ok and report.scores == {'0 VideoMAP': 1.0, '1 FrameMAP': 1.0}, report.text()


def test_boxes_that_a_metric_takes_for_a_pixel_larger_do_not_score_100(clean_set, act_config, check):
    cfg = act_config(clean_set, inclusive=False)
    cfg.val_evaluator = dict(type='VideoMAP', ann_file=str(clean_set / 'val.pkl'), convention='act')
    report = check(cfg)
    assert not report.ok and 0.5 < report.scores['0 VideoMAP'] < 1


@pytest.mark.parametrize('boxes_per_s', [1, 4])
def test_boxes_over_time_do_not_matter(clean_set, config_of, check, boxes_per_s):
    assert check(config_of('clips', clean_set, boxes_per_s=boxes_per_s)).ok


def test_training_sets_are_checked_as_they_are_packed(clean_set, config_of, check):
    cfg = config_of('clips', clean_set)
    cfg.train_dataloader.dataset.update(cfg.val_dataloader.dataset)
    cfg.train_dataloader.dataset.update(test_mode=False, max_persons=1)
    report = check(cfg, split='train')
    assert report.ok and list(report.scores.values()) == [1.0]


def test_the_ground_truth_of_a_metric_is_an_independent_path(clean_set, config_of, check):
    metric = dict(type='FrameMAP', ann_file=str(clean_set / 'val.csv'), label_file=str(clean_set / 'labels.txt'))
    report = check(config_of('ava', clean_set, metric))
    assert report.ok and list(report.scores.values()) == [1.0]


def test_mmaction2s_metric_of_ava_is_built_and_100(clean_set, config_of, check, tmp_path):
    names = (clean_set / 'labels.txt').read_text().split()
    pbtxt = tmp_path / 'labels.pbtxt'
    pbtxt.write_text(''.join(f'item {{\n  name: "{name}"\n  id: {n}\n}}\n' for n, name in enumerate(names, 1)))
    files = dict(ann_file=str(clean_set / 'val.csv'), label_file=str(pbtxt), exclude_file=None)
    metric = dict(type='mmaction.AVAMetric', num_classes=5, **files)
    report = check(config_of('ava', clean_set, metric, background_class=True))
    assert report.ok and report.scores == {'0 AVAMetric': pytest.approx(1)}
    report = check(config_of('ava', clean_set, metric))
    assert [finding.rule for finding in report.findings] == ['background-column']


def list_config(tmp_path, rows, num_classes=3, **metric):
    (tmp_path / 'list.txt').write_text(rows)
    dataset = dict(
        type='mmaction.VideoDataset', ann_file=str(tmp_path / 'list.txt'), num_classes=num_classes, pipeline=[]
    )
    metric = metric or dict(type='mmaction.AccMetric', metric_options=dict(top_k_accuracy=dict(topk=(1, 2))))
    return Config(dict(val_dataloader=dict(dataset=dataset), val_evaluator=metric))


@pytest.mark.parametrize('metric', ['mmaction.AccMetric', 'RecognitionMetric'])
def test_lists_of_labels_score_100(tmp_path, check, metric):
    options = dict(metric_options=dict(top_k_accuracy=dict(topk=(1, 2)))) if 'Acc' in metric else {}
    report = check(list_config(tmp_path, 'a.mp4 0\nb.mp4 2\nc.mp4 1\nd.mp4 0\n', type=metric, **options))
    assert report.ok and list(report.scores.values()) == [pytest.approx(1)], report.text()


def test_lists_that_count_from_1_are_told(tmp_path, check, rules_of):
    report = check(list_config(tmp_path, 'a.mp4 1\nb.mp4 3\nc.mp4 2\n'))
    finding = rules_of(report)['label-offset']
    assert finding.row == 'line 2' and 'count from 1 where 0 is expected' in finding.cause


def test_films_that_stand_twice_in_a_list_are_told(tmp_path, check, rules_of):
    report = check(list_config(tmp_path, 'a.mp4 1\nb.mp4 0\na.mp4 2\n'))
    assert rules_of(report)['duplicate-row'].row == 'line 3'


def coco_config(tmp_path, boxes, size=(100, 80)):
    annotations = [
        dict(id=n, image_id=1, category_id=1, bbox=box, area=box[2] * box[3], iscrowd=0)
        for n, box in enumerate(boxes, 1)
    ]
    (tmp_path / 'pictures').mkdir()
    cv2.imwrite(str(tmp_path / 'pictures' / 'p.jpg'), np.zeros((size[1], size[0], 3), np.uint8))
    images = [dict(id=1, file_name='p.jpg', width=size[0], height=size[1])]
    document = dict(images=images, annotations=annotations, categories=[dict(id=1, name='person')])
    (tmp_path / 'coco.json').write_text(json.dumps(document))
    dataset = dict(
        type='mmdet.CocoDataset',
        ann_file=str(tmp_path / 'coco.json'),
        data_prefix=dict(img=str(tmp_path / 'pictures')),
        metainfo=dict(classes=('person',)),
        test_mode=True,
        pipeline=[dict(type='LoadImageFromFile')],
    )
    metric = dict(type='mmdet.CocoMetric', ann_file=str(tmp_path / 'coco.json'), metric='bbox')
    return Config(dict(val_dataloader=dict(dataset=dataset), val_evaluator=metric))


def test_coco_scores_100(tmp_path, check):
    report = check(coco_config(tmp_path, [[10, 10, 20, 40], [60, 20, 30, 50]]), decode=1)
    assert report.ok and list(report.scores.values()) == [1.0], report.text()


def test_corners_in_coco_are_told(tmp_path, check, rules_of):
    report = check(coco_config(tmp_path, [[60, 30, 90, 70], [40, 35, 95, 75]]))
    finding = rules_of(report)['xyxy-for-xywh']
    assert finding.row == 'annotations[0]' and 'x1, y1, x2, y2' in finding.cause


def test_activitynet_lists_score_100(tmp_path, check):
    two = [dict(segment=[4, 29], label='y'), dict(segment=[1, 3], label='x')]  # AR@1 cannot be 1
    films = {
        'v_one': dict(duration_second=20, duration_frame=500, annotations=[dict(segment=[1, 5], label='x')]),
        'v_two': dict(duration_second=30, duration_frame=750, annotations=two),
    }
    (tmp_path / 'anet.json').write_text(json.dumps(films))
    dataset = dict(type='mmaction.ActivityNetDataset', ann_file=str(tmp_path / 'anet.json'), pipeline=[])
    for metric in (dict(type='mmaction.ANetMetric', metric_type='AR@AN'), dict(type='ProposalRecall')):
        report = check(Config(dict(val_dataloader=dict(dataset=dataset), val_evaluator=metric)))
        assert report.ok and list(report.scores.values()) == [pytest.approx(1)], report.text()


@pytest.mark.parametrize('kind', ['clips', 'tubes', 'ava'])
def test_without_an_evaluator_the_metric_to_use_is_told(clean_set, config_of, check, kind):
    cfg = config_of(kind, clean_set)
    for key in ('val_evaluator', 'test_evaluator'):
        cfg.pop(key, None)
    with pytest.raises(InputError, match=r'val_evaluator = .*(FrameMAP|TubeletMAP)'):
        check(cfg)


def test_a_set_that_nothing_knows_is_refused(check):
    @DATASETS.register_module(force=True)
    class Pictures(BaseDataset):
        pass

    dataset = dict(type='Pictures', ann_file='none.json')
    with pytest.raises(InputError, match='there is no check for Pictures, only for SEALClips'):
        check(Config(dict(val_dataloader=dict(dataset=dataset), val_evaluator=dict(type='FrameMAP'))))


def test_a_name_that_is_not_registered_is_refused(check):
    cfg = Config(dict(val_dataloader=dict(dataset=dict(type='SEALClip')), val_evaluator=dict(type='FrameMAP')))
    with pytest.raises(InputError, match=r'my.py: SEALClip is not in the registry'):
        check(cfg)


def test_a_missing_loader_is_refused(check):
    with pytest.raises(InputError, match='has no val_dataloader'):
        check(Config(dict(val_evaluator=dict(type='FrameMAP'))))


def test_training_takes_no_ground_truth_of_another_split(clean_set, config_of, check):
    metric = dict(type='FrameMAP', ann_file=str(clean_set / 'none.csv'), label_file=str(clean_set / 'labels.txt'))
    cfg = config_of('ava', clean_set, metric)
    cfg.train_dataloader.dataset.update(cfg.val_dataloader.dataset)
    report = check(cfg, split='train')
    assert report.ok and list(report.scores.values()) == [1.0]
    with pytest.raises(InputError, match=r'none.csv: is not there'):
        check(cfg)


def write_mars(root, part, tracks):
    """Tracks of (pid, camera, images), all images grey."""
    names, info = [], []
    for number, (pid, camera, count) in enumerate(tracks):
        (root / f'bbox_{part}' / f'{pid:04d}').mkdir(parents=True, exist_ok=True)
        info.append((len(names) + 1, len(names) + count, pid, camera))
        for image in range(count):
            names.append(f'{pid:04d}C{camera}T{number:04d}F{image + 1:03d}.jpg')
            cv2.imwrite(str(root / f'bbox_{part}' / f'{pid:04d}' / names[-1]), np.full((32, 16, 3), 90, np.uint8))
    (root / 'info').mkdir(exist_ok=True)
    (root / 'info' / f'{part}_name.txt').write_text('\n'.join(names) + '\n')
    scipy.io.savemat(root / 'info' / f'tracks_{part}_info.mat', {f'track_{part}_info': np.array(info, np.float64)})


def test_mars_scores_100(tmp_path, check):
    write_mars(tmp_path, 'test', [(2, 1, 4), (2, 2, 7), (0, 4, 2), (3, 6, 5), (3, 1, 3), (3, 6, 2)])
    scipy.io.savemat(tmp_path / 'info' / 'query_IDX.mat', {'query_IDX': np.array([[1, 4]])})
    cfg = load_config('_base_/datasets/mars', {'data_root': f'{tmp_path}/'})
    report = check(cfg, decode=2)
    assert report.ok and list(report.scores.values()) == [1.0], report.text()
