"""Each fault is planted in a copy of a correct set; the faulty row and the right cause must be named."""

import json
import pickle

import numpy as np
import pytest

from mmtube.errors import InputError
from mmtube.structures.feature_grid import FeatureGrid
from mmtube.structures.io import FeatureMeta, TubeletFeatures, write_features_npz
from mmtube.structures.seal import BoxTable, ClassRank, read_box_table, write_box_table, write_class_rank


def spoil_boxes(root, change, rows=slice(None)):
    """Change boxes of the SEAL file: (N, 4) to (N, 4)."""
    table = read_box_table(root / 'val_boxes.npz')
    boxes = np.array(table.boxes_px)
    boxes[rows] = change(boxes[rows])
    columns = (table.keys, table.offsets, *(np.array(x) for x in (table.frame_inds, boxes, table.scores, table.flags)))
    write_box_table(BoxTable(*columns), root / 'val_boxes.npz')


def spoil_pickle(root, change):
    """Change each tube of the pickle: (n, 5) to (n, 5)."""
    document = pickle.loads((root / 'val.pkl').read_bytes())
    document['gttubes'] = {
        vid: {label: [change(tube) for tube in tubes] for label, tubes in classes.items()}
        for vid, classes in document['gttubes'].items()
    }
    (root / 'val.pkl').write_bytes(pickle.dumps(document, protocol=2))


def with_boxes(change):
    """Change columns 1 to 4 of a tube."""
    return lambda tube: np.column_stack([tube[:, 0], change(tube[:, 1:])])


def cells(change, first=2, end=6):
    """Change some cells of each row of a csv, as numbers."""
    return lambda row, n: [*row[:first], *(f'{v:.6g}' for v in change(np.float64(row[first:end]))), *row[end:]]


SIZE = np.array([128, 96, 128, 96], np.float64)


def swapped(boxes):
    return boxes[..., [1, 0, 3, 2]]


# SEAL json, as clips and as tubelets


def relabel(step):
    def change(document):
        for item in document['aa']:
            item['label'] += step

    return change


@pytest.mark.parametrize('kind', ['clips', 'tubes'])
def test_seal_labels_from_1(copy_of, config_of, check, rules_of, edit_json, kind):
    edit_json(copy_of / 'val.json', relabel(1))
    report = check(config_of(kind, copy_of))
    finding = rules_of(report)['label-offset']
    assert finding.row == 'aa[1]' and finding.file.endswith('val.json')
    assert 'label 4 is none of the 4 classes 0 to 3' in finding.cause and 'from 1 to 4, one too high' in finding.cause
    assert report.verdict().startswith('FOUND: ') and 'label-offset' in report.verdict()


def test_seal_boxes_with_swapped_axes(copy_of, config_of, check, rules_of):
    spoil_boxes(copy_of, swapped)
    finding = rules_of(check(config_of('clips', copy_of)))['swapped-axes']
    assert finding.row.startswith('boxes["a.1"] frame 0') and 'in a picture of 128x96' in finding.cause
    assert '360 of 560 boxes' in finding.cause  # those of a.1 and b.0 stand too far to the right to fit


def test_seal_boxes_in_fractions(copy_of, config_of, check, rules_of):
    spoil_boxes(copy_of, lambda boxes: boxes / SIZE)
    finding = rules_of(check(config_of('clips', copy_of)))['normalised-for-pixel']
    assert finding.row == 'boxes["a.0"] frame 0' and '100 %' in finding.cause


def test_seal_boxes_as_width_and_height(copy_of, config_of, check, rules_of):
    spoil_boxes(copy_of, lambda boxes: np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], 1))
    finding = rules_of(check(config_of('clips', copy_of)))['xywh-for-xyxy']
    assert finding.row.startswith('boxes["a.0"] frame ')  # once x is more than the width


def test_seal_boxes_of_a_larger_film(copy_of, config_of, check, rules_of):
    spoil_boxes(copy_of, lambda boxes: boxes * 4)
    finding = rules_of(check(config_of('clips', copy_of)))['box-of-larger-picture']
    assert 'was the film made smaller?' in finding.cause


def test_seal_box_without_area(copy_of, config_of, check, rules_of):
    spoil_boxes(copy_of, lambda boxes: boxes[:, [0, 1, 0, 3]], rows=slice(7, 8))
    finding = rules_of(check(config_of('clips', copy_of)))['box-without-area']
    assert finding.row == 'boxes["a.0"] frame 7'


def times(change):
    def edit(document):
        rates = {'a': 25, 'b': 20}
        for item in document['aa']:
            item['start'], item['end'] = (change(item[key], rates[item['tid'][0]]) for key in ('start', 'end'))

    return edit


@pytest.mark.parametrize(
    'rule, change, told',
    [
        ('frames-for-seconds', lambda time, fps: time * fps, '0 to 100 s in a film of 8 s'),
        ('milliseconds-for-seconds', lambda time, fps: time * 1000, '0 to 4000 s in a film of 8 s'),
        ('seconds-for-frames', lambda time, fps: time / fps, 'seconds were divided by the rate'),
    ],
)
@pytest.mark.parametrize('kind', ['clips', 'tubes'])
def test_seal_times_in_another_unit(copy_of, config_of, check, rules_of, edit_json, kind, rule, change, told):
    edit_json(copy_of / 'val.json', times(change))
    finding = rules_of(check(config_of(kind, copy_of)))[rule]
    assert finding.row == 'aa[0]' and told in finding.cause


def test_seal_one_wrong_row_is_no_unit(copy_of, config_of, check, rules_of, edit_json):
    def spoil(document):
        rows = [dict(item, start=item['start'] + step / 100) for step in range(3) for item in document['aa']]
        rows[2]['end'] = 9000.0
        document['aa'] = rows

    edit_json(copy_of / 'val.json', spoil)
    rules = rules_of(check(config_of('tubes', copy_of)))
    assert 'frames-for-seconds' not in rules
    assert rules['time-beyond-film'].row == 'aa[2]' and '9000 s in a film of 8 s' in rules['time-beyond-film'].cause


def test_seal_segment_without_length(copy_of, config_of, check, rules_of, edit_json):
    edit_json(copy_of / 'val.json', lambda document: document['aa'][2].update(end=document['aa'][2]['start']))
    assert rules_of(check(config_of('tubes', copy_of)))['segment-without-length'].row == 'aa[2]'


@pytest.mark.parametrize('kind', ['clips', 'tubes'])
def test_seal_instance_twice(copy_of, config_of, check, rules_of, edit_json, kind):
    edit_json(copy_of / 'val.json', lambda document: document['aa'].append(dict(document['aa'][1])))
    finding = rules_of(check(config_of(kind, copy_of)))['duplicate-row']
    assert finding.row == 'aa[5]' and 'same instance as aa[1]' in finding.cause


@pytest.mark.parametrize('kind', ['clips', 'tubes'])
def test_seal_without_instances(copy_of, config_of, check, edit_json, kind):
    edit_json(copy_of / 'val.json', lambda document: document.update(aa=[]))
    report = check(config_of(kind, copy_of))
    assert not report.ok and report.findings[0].rule == 'empty' and report.findings[0].cause == 'has no labels'


def test_seal_person_twice_makes_100_impossible(copy_of, config_of, check, rules_of, edit_json):
    table = read_box_table(copy_of / 'val_boxes.npz')
    spoil_boxes(copy_of, lambda boxes: np.array(table['a.0'].boxes_px), rows=table.rows('a.1'))
    edit_json(copy_of / 'val.json', lambda document: document['aa'].append({**document['aa'][0], 'tid': 'a.1'}))
    report = check(config_of('clips', copy_of))
    finding = rules_of(report)['duplicate-ground-truth']
    assert 'boxes of one class stand twice in a picture: that undone, a perfect model scores 100.0000' in finding.cause
    assert next(iter(report.scores.values())) < 1


# AVA's csv


def test_ava_labels_from_0(copy_of, config_of, check, rules_of, edit_csv):
    edit_csv(copy_of / 'val.csv', lambda row, n: [*row[:6], int(row[6]) - 1, *row[7:]])
    finding = rules_of(check(config_of('ava', copy_of)))['label-offset']
    assert 'label 0 is none of the 4 classes 1 to 4' in finding.cause and 'they count from 0' in finding.cause
    line = int(finding.row.removeprefix('line '))
    assert (copy_of / 'val.csv').read_text().splitlines()[line - 1].split(',')[6] == '0'


def test_ava_labels_one_too_high(copy_of, config_of, check, rules_of, edit_csv):
    edit_csv(copy_of / 'val.csv', lambda row, n: [*row[:6], int(row[6]) + 1, *row[7:]])
    assert 'they count from 2 where 1 is expected' in rules_of(check(config_of('ava', copy_of)))['label-offset'].cause


def test_ava_boxes_in_pixels(copy_of, config_of, check, rules_of, edit_csv):
    edit_csv(copy_of / 'val.csv', cells(lambda box: box * SIZE))
    finding = rules_of(check(config_of('ava', copy_of)))['pixel-for-normalised']
    assert finding.row == 'line 1' and 'divide by its width and height' in finding.cause


def test_ava_boxes_as_width_and_height(copy_of, config_of, check, rules_of, edit_csv):
    edit_csv(copy_of / 'val.csv', cells(lambda box: np.r_[box[:2], box[2:] - box[:2]]))
    assert 'xywh-for-xyxy' in rules_of(check(config_of('ava', copy_of)))


def test_ava_swapped_axes_are_a_hint(copy_of, config_of, check, edit_csv):
    edit_csv(copy_of / 'val.csv', cells(swapped))
    report = check(config_of('ava', copy_of))
    hint = next(hint for hint in report.hints if hint.rule == 'people-lying-down')
    assert 'are x and y swapped?' in hint.cause


@pytest.mark.parametrize(
    'rule, change',
    [
        ('frames-for-seconds', lambda time: time * 20),
        ('milliseconds-for-seconds', lambda time: time * 1000),
        ('time-offset', lambda time: time + 900),
        ('seconds-for-frames', lambda time: time / 25),
    ],
)
def test_ava_key_times_in_another_unit(copy_of, config_of, check, rules_of, edit_csv, rule, change):
    edit_csv(copy_of / 'val.csv', cells(change, 1, 2))
    film = dict(source='web', width=128, height=96, duration=8, split='val')
    films = {'a': dict(film, fps=25, num_frames=200), 'b': dict(film, fps=20, num_frames=160)}
    (copy_of / 'films.json').write_text(json.dumps(films))
    finding = rules_of(check(config_of('ava', copy_of, videos='films.json')))[rule]
    assert finding.row.startswith('line ') and 'in a film of 8 s' in finding.cause


def test_ava_key_times_are_compared_with_the_films_where_no_table_is(copy_of, config_of, check, rules_of, edit_csv):
    edit_csv(copy_of / 'val.csv', cells(lambda time: time * 20, 1, 2))
    assert 'frames-for-seconds' in rules_of(check(config_of('ava', copy_of)))


def test_ava_row_twice(copy_of, config_of, check, rules_of):
    text = (copy_of / 'val.csv').read_text()
    (copy_of / 'val.csv').write_text(text + text.splitlines()[2] + '\n')
    finding = rules_of(check(config_of('ava', copy_of)))['duplicate-row']
    assert 'is the same row as line 3' in finding.cause
    assert finding.row == f'line {len(text.splitlines()) + 1}'


def test_ava_person_twice_makes_100_impossible(copy_of, config_of, check, rules_of):
    text = (copy_of / 'val.csv').read_text()
    twice = [*text.splitlines()[0].split(',')[:-1], '77']
    (copy_of / 'val.csv').write_text(text + ','.join(twice) + '\n')
    rules = rules_of(check(config_of('ava', copy_of)))
    assert 'is the same row as line 1' in rules['duplicate-row'].cause
    assert 'a perfect model scores 100.0000' in rules['duplicate-ground-truth'].cause


def test_ava_empty(copy_of, config_of, check):
    (copy_of / 'val.csv').write_text('')
    report = check(config_of('ava', copy_of))
    assert {finding.rule for finding in report.findings} == {'empty'}


def test_ava_with_another_separator_cannot_be_used(copy_of, config_of, check):
    path = copy_of / 'val.csv'
    path.write_text(path.read_text().replace(',', ';'))
    with pytest.raises(InputError, match=r'val\.csv:1: needed are video,timestamp'):
        check(config_of('ava', copy_of))


def test_ava_key_times_without_people_are_legal(copy_of, config_of, check):
    path = copy_of / 'val.csv'
    path.write_text(path.read_text() + 'a,0007,,,,,,\nb,0007\n')
    assert check(config_of('ava', copy_of)).ok


def test_ava_that_is_no_table_cannot_be_used(copy_of, config_of, check):
    (copy_of / 'val.csv').write_text('a,1,0,0,1,1,x,1\n')
    with pytest.raises(InputError, match=r"val.csv:1: .*'x'"):
        check(config_of('ava', copy_of))


# A metric whose file is not that of the data set


def metric_of(root):
    return dict(type='FrameMAP', ann_file=str(root / 'metric.csv'), label_file=str(root / 'labels.txt'))


@pytest.mark.parametrize(
    'rule, change',
    [
        ('label-offset', lambda row, n: [*row[:6], int(row[6]) % 4 + 1, *row[7:]]),
        ('swapped-axes', cells(swapped)),
        ('time-offset', cells(lambda time: time + 900, 1, 2)),
        ('frames-for-seconds', lambda row, n: [row[0], float(row[1]) * {'a': 25, 'b': 20}[row[0]], *row[2:]]),
    ],
)
def test_a_metric_with_another_ground_truth_is_told(copy_of, config_of, check, rules_of, edit_csv, rule, change):
    (copy_of / 'metric.csv').write_text((copy_of / 'val.csv').read_text())
    edit_csv(copy_of / 'metric.csv', change)
    report = check(config_of('ava', copy_of, metric_of(copy_of)))
    finding = rules_of(report)[rule]
    assert finding.file.endswith('metric.csv') and finding.row == 'line 1'
    assert not report.ok and next(iter(report.scores.values()), 0) < 0.9


def test_a_metrics_file_counts_from_where_the_data_set_says(copy_of, config_of, check, edit_csv):
    edit_csv(copy_of / 'val.csv', cells(lambda time: time + 900, 1, 2))
    (copy_of / 'metric.csv').write_text((copy_of / 'val.csv').read_text())
    assert check(config_of('ava', copy_of, metric_of(copy_of), time_offset_s=900.0)).ok


def test_one_row_of_a_metrics_file_is_named(copy_of, config_of, check, rules_of, edit_csv):
    (copy_of / 'metric.csv').write_text((copy_of / 'val.csv').read_text())
    edit_csv(copy_of / 'metric.csv', lambda row, n: [*row[:6], 4 if n == 5 else row[6], *row[7:]])
    report = check(config_of('ava', copy_of, metric_of(copy_of)))
    finding = rules_of(report)['not-100']
    assert report.findings[0].row == 'line 5' and 'action 4 here' in report.findings[0].cause
    assert 'a perfect model scores' in finding.cause


def test_a_row_twice_in_a_metrics_file_is_told(copy_of, config_of, check, rules_of):
    text = (copy_of / 'val.csv').read_text()
    (copy_of / 'metric.csv').write_text(text + text.splitlines()[0] + '\n')
    finding = rules_of(check(config_of('ava', copy_of, metric_of(copy_of))))['duplicate-row']
    assert finding.file.endswith('metric.csv') and 'line 1' in finding.cause


def test_a_class_taken_for_the_background_is_told(clean_set, config_of, check, rules_of):
    report = check(config_of('clips', clean_set, dict(type='FrameMAP', background_class=True)))
    finding = rules_of(report)['background-column']
    assert 'takes column 0 of the labels for the background' in finding.cause
    assert list(report.scores.values()) == [1.0]  # which nobody would have noticed


def test_a_background_that_the_metric_takes_for_a_class_is_told(clean_set, config_of, check, rules_of):
    report = check(config_of('clips', clean_set, background_class=True))
    assert 'all names are off by one; background_class=True' in rules_of(report)['background-column'].cause
    assert list(report.scores.values()) == [1.0]
    metric = dict(type='FrameMAP', background_class=True)
    assert check(config_of('clips', clean_set, metric, background_class=True)).ok


def test_a_metric_for_other_predictions_is_told_with_one_that_fits(clean_set, config_of, check, rules_of):
    finding = rules_of(check(config_of('clips', clean_set, dict(type='RecognitionMetric'))))['other-metric']
    assert 'RecognitionMetric is for other predictions' in finding.cause
    assert finding.cause.endswith("val_evaluator = dict(type='FrameMAP')")


def test_a_metric_that_is_not_there_is_refused_in_one_line(clean_set, config_of, check):
    with pytest.raises(InputError, match=r'^evaluator: FrameMap is not in the mmtube::metric registry$'):
        check(config_of('clips', clean_set, dict(type='FrameMap')))


def test_a_metric_of_the_other_task_is_told(clean_set, config_of, check, rules_of):
    report = check(config_of('tubes', clean_set, dict(type='TubeletMAP', task='complex')))
    finding = rules_of(report)['other-task']
    assert "for 'complex' classes, the data set has 'atomic' ones" in finding.cause
    assert finding.cause in report.verdict()
    assert check(config_of('tubes', clean_set, dict(type='TubeletMAP', task='atomic'))).ok


def test_a_metric_with_the_file_of_another_split_is_told(copy_of, config_of, check, edit_csv):
    (copy_of / 'metric.csv').write_text((copy_of / 'val.csv').read_text())
    edit_csv(copy_of / 'metric.csv', lambda row, n: [f'train_{row[0]}', *row[1:]])
    report = check(config_of('ava', copy_of, metric_of(copy_of)))
    (finding,) = report.findings
    assert finding.rule == 'other-split' and "there the first is 'train_a'" in finding.cause
    assert finding.file.endswith('metric.csv')


def test_subsets_beyond_the_classes_of_a_small_set_are_noted(copy_of, config_of, check):
    write_class_rank(ClassRank('atomic', 'x', (0, 1, 2, 3), (9, 8, 7, 6)), copy_of / 'rank.json')
    metric = dict(type='FrameMAP', class_rank=str(copy_of / 'rank.json'), subset=['top2', 'top50'])
    report = check(config_of('clips', copy_of, metric))
    assert report.ok and 'no top50: the class rank has 4 classes' in report.text()


def test_a_class_that_the_label_file_of_the_metric_lacks_is_a_hint(copy_of, config_of, check):
    (copy_of / 'few.txt').write_text('1: walk\n2: sit\n4: jump\n')
    metric = dict(type='FrameMAP', ann_file=str(copy_of / 'val.csv'), label_file=str(copy_of / 'few.txt'))
    report = check(config_of('ava', copy_of, metric))
    hints = {hint.rule: hint for hint in report.hints}
    assert report.ok and "'wave': 1 of 4 classes" in hints['class-not-scored'].cause
    assert 'ground truths of the data set are scored' in hints['not-scored'].cause


def test_a_model_with_another_number_of_classes_is_told(clean_set, config_of, check, rules_of):
    cfg = config_of('clips', clean_set)
    cfg.model = dict(type='FastRCNN', roi_head=dict(bbox_head=dict(type='BBoxHeadAVA', num_classes=5)))
    finding = rules_of(check(cfg))['background-column']
    assert 'the labels have 4 columns' in finding.cause and 'background_class=True' in finding.cause
    cfg.val_dataloader.dataset.background_class = cfg.val_evaluator.background_class = True
    assert 'background-column' not in {finding.rule for finding in check(cfg).findings}


# Pickles of action tubes


@pytest.mark.parametrize(
    'rule, change',
    [
        ('swapped-axes', swapped),
        ('normalised-for-pixel', lambda boxes: boxes / SIZE),
        ('xywh-for-xyxy', lambda boxes: np.column_stack([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]])),
    ],
)
def test_boxes_of_tubes(copy_of, act_config, check, rules_of, rule, change):
    spoil_pickle(copy_of, with_boxes(change))
    assert rules_of(check(act_config(copy_of)))[rule].row.startswith("gttubes['")


def test_frames_of_tubes_from_0(copy_of, act_config, check, rules_of):
    spoil_pickle(copy_of, lambda tube: tube - np.array([1, 0, 0, 0, 0]))
    finding = rules_of(check(act_config(copy_of)))['frame-offset']
    assert 'frames are counted from 0' in finding.cause and finding.row == "gttubes['a'][0][0] row 0"


def test_seconds_in_tubes(copy_of, act_config, check, rules_of):
    spoil_pickle(copy_of, lambda tube: tube / np.array([25, 1, 1, 1, 1]))
    assert 'seconds where frame numbers are needed' in rules_of(check(act_config(copy_of)))['seconds-for-frames'].cause


def test_tube_twice(copy_of, act_config, check, rules_of):
    document = pickle.loads((copy_of / 'val.pkl').read_bytes())
    document['gttubes']['b'][2] *= 2
    (copy_of / 'val.pkl').write_bytes(pickle.dumps(document, protocol=2))
    finding = rules_of(check(act_config(copy_of)))['duplicate-row']
    assert finding.row == "gttubes['b'][2][1]" and "gttubes['b'][2][0]" in finding.cause


def test_classes_of_tubes_from_1(copy_of, act_config, check, rules_of):
    document = pickle.loads((copy_of / 'val.pkl').read_bytes())
    document['gttubes'] = {
        vid: {label + 1: tubes for label, tubes in classes.items()} for vid, classes in document['gttubes'].items()
    }
    (copy_of / 'val.pkl').write_bytes(pickle.dumps(document, protocol=2))
    assert 'count from 1 where 0 is expected' in rules_of(check(act_config(copy_of)))['label-offset'].cause


def test_no_tubes(copy_of, act_config, check):
    document = pickle.loads((copy_of / 'val.pkl').read_bytes())
    document['gttubes'] = {vid: {} for vid in document['gttubes']}
    (copy_of / 'val.pkl').write_bytes(pickle.dumps(document, protocol=2))
    assert {finding.rule for finding in check(act_config(copy_of)).findings} == {'empty'}


# Films


def test_a_film_of_another_length_and_rate_is_told(copy_of, config_of, check, rules_of, edit_json):
    def change(document):
        for video in document['videos'].values():
            video.update(fps=2 * video['fps'], duration=video['duration'] / 2)
        document['aa'] = [{**item, 'start': item['start'] / 2, 'end': item['end'] / 2} for item in document['aa']]

    edit_json(copy_of / 'val.json', change)
    finding = rules_of(check(config_of('clips', copy_of), decode=2))['film-differs']
    assert finding.file.endswith('.mp4') and 'the annotations say' in finding.cause


def test_a_film_that_cannot_be_read_is_told(copy_of, config_of, check, rules_of):
    (copy_of / 'videos').unlink()
    (copy_of / 'videos').mkdir()
    for vid in 'ab':
        (copy_of / 'videos' / f'{vid}.mp4').write_bytes(b'no film')
    finding = rules_of(check(config_of('clips', copy_of), decode=1))['unreadable']
    assert 'is no film that can be read' in finding.cause


def test_missing_features_are_skipped(clean_set, config_of, check):
    report = check(config_of('tubes', clean_set), decode=1)
    assert report.ok and report.checks[-1].status == 'skipped' and 'no feature files' in report.checks[-1].text


@pytest.mark.parametrize('rate, status', [(1.0, 'ok'), (4.0, 'FOUND')])
def test_features_at_other_times_than_the_tubelet_are_told(copy_of, config_of, check, rules_of, rate, status):
    grid = FeatureGrid(30, 32, 4)
    for vid, tids in {'a': ('a.0', 'a.1'), 'b': ('b.0',)}.items():
        first, end = grid.windows(0, 8, grid.num_windows(round(240 / rate)))
        centres = grid.center_s(np.arange(first, end))
        rows = TubeletFeatures(np.zeros((len(centres), 5)), np.ones(len(centres)), centres[0], 0.0, 8.0)
        meta = FeatureMeta('own', 30, 32, 4, 4, 5)
        write_features_npz(copy_of / 'features' / f'{vid}.npz', meta, dict.fromkeys(tids, rows))
    features = [dict(folder='features', stream='own', dim=5)]
    report = check(config_of('tubes', copy_of, features=features), decode=3)
    assert report.checks[-1].name == 'features' and report.checks[-1].status == status
    if status == 'FOUND':
        assert 'the tubelet lasts from 0.00 to 8.00 s' in rules_of(report)['features-elsewhere'].cause


def test_a_data_set_without_a_type_is_told(clean_set, config_of, check):
    cfg = config_of('clips', clean_set)
    del cfg.val_dataloader.dataset['type']
    with pytest.raises(InputError, match=r'val_dataloader\.dataset has no type: is _base_ missing'):
        check(cfg)
