"""Frame mAP by AVA's rules, from csv to numbers."""

import argparse
import json
import random

import numpy as np
import pytest

from mmtube.errors import InputError
from mmtube.evaluation.functional.average_precision import average_precision, mean_over_classes
from mmtube.evaluation.protocols import ava
from mmtube.structures.seal import ClassRank, LabelMap, write_class_rank, write_label_map

LABELS = '1: stand\n2: sit\n4: walk\n'
# Two people at second 2 of film a, one of them stands; one at second 3, one in film b.
TRUTH = """a,0002,0.0,0.0,0.4,0.8,1,0
a,0002,0.0,0.0,0.4,0.8,4,0
a,0002,0.5,0.0,0.9,0.8,2,1
a,0003,0.1,0.1,0.5,0.9,2,0
b,2.5,0.2,0.2,0.6,0.6,1,3
"""
FOUND = """a,0002,0.0,0.0,0.4,0.8,1,0.9
a,0002,0.0,0.0,0.4,0.8,4,0.8
a,0002,0.5,0.0,0.9,0.8,2,0.7
a,0003,0.1,0.1,0.5,0.9,2,0.6
b,2.500,0.2,0.2,0.6,0.6,1,0.5
"""


@pytest.fixture
def score(tmp_path):
    def run(truth=TRUTH, found=FOUND, *options, labels=LABELS):
        parser = argparse.ArgumentParser()
        ava.add_arguments(parser)
        named = [] if labels is None else ['--labels', str(tmp_path / 'labels.txt')]
        args = parser.parse_args([*named, *map(str, options)])
        args.gt, args.pred = str(tmp_path / 'gt.csv'), str(tmp_path / 'pred.csv')
        for path, text in ((args.gt, truth), (args.pred, found), (tmp_path / 'labels.txt', labels or '')):
            with open(path, 'w') as stream:
                stream.write(text)
        return ava.evaluate(args)

    return run


def test_perfect_predictions_are_exactly_1(score):
    result = score()
    assert result.metrics == {'mAP@0.5': 1.0}
    assert result.counts['videos'] == 2 and result.counts['ground_truths'] == 5 and result.counts['frames'] == 3
    assert result.tables['classes']['ap@0.5'] == [1.0, 1.0, 1.0] and not result.notes
    assert score(labels=None).metrics == {'mAP@0.5': 1.0}
    assert score(TRUTH, FOUND, '--compat', 'mmaction2').metrics == {'mAP@0.5': 1.0}


def test_a_class_that_is_never_detected_counts_as_0(score):
    found = ''.join(line + '\n' for line in FOUND.splitlines() if ',4,0.8' not in line)
    assert score(TRUTH, found).metrics['mAP@0.5'] == 2 / 3
    lenient = score(TRUTH, found, '--compat', 'mmaction2')
    assert lenient.metrics['mAP@0.5'] == 1.0
    assert '1 classes without a detection are left out of the mean' in lenient.notes


def test_detections_in_frames_without_ground_truth_are_false(score):
    # Before the one true detection of class 4: AP 1/2. Second 7 has no ground truth, film c none at all.
    for key in ('a,0007', 'c,0002'):
        result = score(TRUTH, FOUND + f'{key},0.0,0.0,0.4,0.8,4,0.99\n')
        assert result.metrics['mAP@0.5'] == pytest.approx(2.5 / 3)
        assert result.counts['predictions_in_unlabelled_frames'] == 1
        assert result.counts['predictions_in_other_videos'] == (key[0] == 'c')
        assert score(TRUTH, FOUND + f'{key},0.0,0.0,0.4,0.8,4,0.99\n', '--compat', 'mmaction2').metrics == {
            'mAP@0.5': 1.0
        }


def test_scores_of_a_five_hundredth_count_and_do_not_count(score):
    found = FOUND.replace(',4,0.8', ',4,0.002')
    assert score(TRUTH, found).metrics['mAP@0.5'] == 1.0
    result = score(TRUTH, found, '--compat', 'mmaction2')
    assert '1 predictions of a score of 0.002 or less do not count' in result.notes
    assert result.tables['classes']['ap@0.5'] == [1.0, 1.0, None]


def test_excluded_key_times_are_removed_on_both_sides(score, tmp_path):
    (tmp_path / 'out.csv').write_text('a,2\nb,0099\nelsewhere,0001\n')
    found = FOUND + 'a,0002,0.5,0.5,0.6,0.6,2,0.99\n'
    result = score(TRUTH, found, '--exclude', tmp_path / 'out.csv')
    assert result.metrics['mAP@0.5'] == 1.0 and result.counts['ground_truths'] == 2
    assert result.tables['classes']['num_gt'] == [1, 1, 0] and result.tables['classes']['ap@0.5'][2] is None
    assert score(TRUTH, found).metrics['mAP@0.5'] < 1
    # MMAction2 removes the detections but still counts the ground truth: 1 of 2, 1 of 2, 0 detections of class 4.
    lenient = score(TRUTH, found, '--exclude', tmp_path / 'out.csv', '--compat', 'mmaction2')
    assert lenient.metrics['mAP@0.5'] == 0.5
    (tmp_path / 'out.csv').write_text('a,2\na,3\nb,2.5\n')
    with pytest.raises(InputError, match='only at key times that are excluded'):
        score(TRUTH, found, '--exclude', tmp_path / 'out.csv')
    (tmp_path / 'out.csv').write_text('a,2\na,x\n')
    with pytest.raises(InputError, match=r"out.csv: line 2: timestamp is no number: 'x'"):
        score(TRUTH, found, '--exclude', tmp_path / 'out.csv')


def test_key_times_are_the_same_in_any_writing(score):
    assert score(TRUTH.replace('0002', '2.0'), FOUND.replace('b,2.500', 'b,02.5')).metrics['mAP@0.5'] == 1.0
    assert score(TRUTH, FOUND.replace('b,2.500', 'b,2.501')).metrics['mAP@0.5'] < 1


def test_rows_of_actions_that_are_not_listed_are_left_out_of_both(score):
    result = score(TRUTH + 'a,0003,0.1,0.1,0.5,0.9,3\n', FOUND + 'a,0003,0.1,0.1,0.5,0.9,77,0.95\n')
    assert result.metrics['mAP@0.5'] == 1.0 and result.counts['predictions'] == 5
    assert [note.partition(': ')[2] for note in result.notes] == [
        '1 rows of actions that the labels do not have are left out'
    ] * 2
    with pytest.raises(InputError, match=r'none of its 5 rows has an action of .*labels.txt'):
        score(labels='9: fly\n')


def test_a_key_time_without_people_says_nothing(score):
    assert score(TRUTH + 'c,0001\nc,0002,,,,,,\n').metrics['mAP@0.5'] == 1.0
    assert score(TRUTH + 'c,0002,,,,,,\n', FOUND + 'c,0002,0,0,1,1,4,0.9\n').metrics['mAP@0.5'] < 1


def test_detections_without_area_do_not_count(score):
    result = score(TRUTH, FOUND + 'a,0002,0.2,0.2,0.2,0.9,4,0.95\n')
    assert result.metrics['mAP@0.5'] == 1.0
    assert '1 predictions have a box without area and do not count' in result.notes


def test_no_prediction_is_0_and_is_said(score):
    result = score(TRUTH, '')
    assert result.metrics['mAP@0.5'] == 0.0 and 'everything is missed' in result.text()
    assert result.counts['videos_without_predictions'] == 2
    assert score(TRUTH, '', '--compat', 'mmaction2').metrics['mAP@0.5'] == 0.0


def test_the_order_of_rows_does_not_matter(score):
    rng = random.Random(0)
    boxes = [f'0.{x},0.{y},0.{x + 4},0.{y + 4}' for x in range(1, 5) for y in range(1, 5)]
    rows = [f'{rng.choice("ab")},000{rng.randrange(1, 4)},{box},{rng.choice("124")}' for box in boxes * 4]
    truth = sorted(set(rows))[:30]
    found = [f'{row},0.{rng.randrange(3, 6)}' for row in rows] + [f'c,0001,{boxes[0]},1,0.9']
    results = []
    for _ in range(4):
        rng.shuffle(truth)
        rng.shuffle(found)
        results.append(score('\n'.join(truth), '\n'.join(found)))
    first = results[0]
    assert 0 < first.metrics['mAP@0.5'] < 1
    for result in results[1:]:
        assert result.metrics == first.metrics and result.tables == first.tables and result.curves == first.curves


def test_only_the_best_rows_of_a_key_time_count_where_it_is_asked_for(score):
    found = FOUND + 'a,0002,0.6,0.6,0.7,0.7,4,0.75\n'
    assert score(TRUTH, found, '--max-per-frame', 1).tables['classes']['recall@0.5'] == [1.0, 0.5, 0.0]
    assert score(TRUTH, found, '--max-per-frame', 3).tables['classes']['recall@0.5'] == [1.0, 0.5, 1.0]
    assert score(TRUTH, found, '--max-per-frame', 4).tables['classes']['recall@0.5'] == [1.0, 1.0, 1.0]
    with pytest.raises(InputError, match='at least 1'):
        score(TRUTH, found, '--max-per-frame', 0)


def test_several_thresholds_have_their_mean_as_headline(score):
    found = FOUND.replace('0.0,0.0,0.4,0.8,4', '0.0,0.0,0.4,0.6,4')  # IoU 3/4
    result = score(TRUTH, found, '--iou', 0.5, 0.74, 0.8)
    assert result.metrics == {
        'mAP': pytest.approx((1 + 1 + 2 / 3) / 3),
        'mAP@0.5': 1.0,
        'mAP@0.74': pytest.approx(1.0),
        'mAP@0.8': pytest.approx(2 / 3),
    }
    for wrong in ([0], [1.5], [0.5, 0.5], ['nan']):
        with pytest.raises(InputError, match='--iou'):
            score(TRUTH, FOUND, '--iou', *wrong)


AVA = """label {
  name: "stand"
  label_id: 1
  label_type: PERSON_MOVEMENT
}
label {
  name: "sit"
  label_id: 2
  label_type: PERSON_MOVEMENT
}
label {
  name: "watch (a person)"
  label_id: 4
  label_type: PERSON_INTERACTION
}
label {
  name: "open"
  label_id: 5
  label_type: OBJECT_MANIPULATION
}
"""


def test_the_groups_of_a_pbtxt_are_scored(score):
    found = FOUND.replace('0.2,0.2,0.6,0.6,1', '0.6,0.6,0.9,0.9,1')
    result = score(TRUTH, found, labels=AVA)
    assert result.metrics['mAP_person_movement'] == 0.75  # stand 1/2, sit 1
    assert result.metrics['mAP_person_interaction'] == 1.0
    assert 'object_manipulation: none of its 1 classes is scored' in result.notes
    assert 'mAP_object_manipulation' not in result.metrics


def test_the_groups_of_ava_are_known_by_its_names(score, shared_data):
    labels = (shared_data / 'labels' / 'ava_action_list_v2.1_for_activitynet_2018.pbtxt.txt').read_text()
    truth, found = TRUTH.replace(',2,', ',17,').replace(',4,', ',80,'), FOUND.replace(',2,', ',17,')
    result = score(truth, found, labels=labels)
    assert [result.metrics[f'mAP_{name}'] for name in ('person_movement', 'object_manipulation')] == [1.0, 1.0]
    assert result.metrics['mAP_person_interaction'] == 0.0
    assert len(result.tables['classes']['class']) == 60


def test_subsets_are_ranks_of_a_frozen_list(score, tmp_path):
    label_map = LabelMap('atomic', ('stand', 'sit', 'fly', 'walk'), {'pose': (0, 2), 'pp': (2, 2), 'po': (2, 4)})
    write_label_map(label_map, tmp_path / 'map.json')
    write_class_rank(ClassRank('atomic', 'x', (3, 0, 2, 1), (9, 8, 7, 6)), tmp_path / 'rank.json')
    found = FOUND.replace('0.2,0.2,0.6,0.6,1', '0.6,0.6,0.9,0.9,1')
    ranked = ('--labels', tmp_path / 'map.json', '--rank', tmp_path / 'rank.json', '--subset')
    result = score(TRUTH, found, *ranked, 'top1', 'top2', 'top2-4')
    assert result.metrics['mAP_top1'] == 1.0 and result.metrics['mAP_top2'] == 0.75
    assert result.metrics['mAP_top2-4'] == 1.0  # sit; there is no ground truth of fly
    assert 'top2-4: the mean leaves out 1 of 2 classes that have no ground truth' in result.notes
    assert result.metrics['mAP_pose'] == 0.75 and result.metrics['mAP_po'] == 1.0
    for name, cause in (('top5', 'goes to rank 5'), ('best', 'neither topN'), ('top2-3', 'none of its 1 classes')):
        with pytest.raises(InputError, match=cause):
            score(TRUTH, found, *ranked, name)
    with pytest.raises(InputError, match=r'ranks 4 classes, .*labels.txt has 3'):
        score(TRUTH, found, '--rank', tmp_path / 'rank.json', '--subset', 'top1')
    with pytest.raises(InputError, match='--subset needs --rank and --labels'):
        score(TRUTH, found, '--subset', 'top1')


@pytest.mark.parametrize(
    ('truth', 'found', 'cause'),
    [
        ('', FOUND, 'gt.csv: has no ground truth'),
        (TRUTH, FOUND.replace('a,', 'x,').replace('b,', 'y,'), 'pred.csv: no video of it is in'),
        (TRUTH, FOUND + 'a,0002,0,0,1,1,4\n', 'pred.csv: line 6: has 7 columns, needed are video,timestamp'),
        (TRUTH, FOUND + 'a,0002,0,0,1,1,4,nan\n', 'pred.csv: line 6: the score is not a finite number'),
        (TRUTH, FOUND + 'a,0002,0,0,1,1,4.5,0.5\n', 'pred.csv: line 6: the action is no whole number'),
        (TRUTH, FOUND + 'a,0002,0,0,1,1,0,0.5\n', 'pred.csv: line 6: the action is no ID from 1'),
        (TRUTH, FOUND + 'a,0002,0,0,1,1,1e9,0.5\n', 'pred.csv: line 6: the action is no ID'),
        (TRUTH, FOUND + 'a,0002,0,0,10,10,4,0.5\n', 'pred.csv: line 6: the box is not in fractions'),
        (TRUTH, FOUND + 'a,0002,0.5,0,0.4,1,4,0.5\n', 'pred.csv: line 6: the box is reversed'),
        (TRUTH, FOUND + 'a,inf,0.5,0,0.6,1,4,0.5\n', 'pred.csv: line 6: the timestamp is not a finite'),
        (TRUTH + 'a,0002,0,0,1,1,-4,2\n', FOUND, 'gt.csv: line 6: the action is no ID'),
        (TRUTH + 'a,2,0.5,0,0.9,0.8,2,1\n', FOUND, 'gt.csv: line 6: the ground truth of this row stands in an earlier'),
        (TRUTH + 'a,0002,0,0,1,1,1,2,3,4\n', FOUND, 'gt.csv: line 6: has 10 columns'),
        (TRUTH + 'a,0002,0,0,1,one,1,2\n', FOUND, "gt.csv: line 6: y2 is no number: 'one'"),
    ],
)
def test_what_is_wrong_is_named_with_file_and_line(score, truth, found, cause):
    with pytest.raises(InputError, match=cause):
        score(truth, found)


def test_two_people_may_share_a_box(score):
    result = score(TRUTH + 'a,0002,0.5,0.0,0.9,0.8,2,7\n')
    assert result.counts['ground_truths'] == 6


def test_a_mistake_is_told_with_what_stands_beside_it(score):
    found = FOUND + 'a,0002,0.0,0.0,0.4,0.8,2,0.95\nb,0009,0,0,1,1,1,0.93\n'
    found += 'a,0003,0.1,0.1,0.5,0.9,2,0.91\na,0003,0.1,0.1,0.5,0.9,1,0.90\n'
    worst = score(TRUTH, found.replace('b,2.500', 'b,0009')).tables['worst']
    assert worst['text'] == [
        'false positive: sit, score 0.950, IoU 0.00 with the nearest of its class',
        'false positive: stand, score 0.930, no ground truth in this frame',
        'false positive: stand, score 0.900, no ground truth of this class in this frame',
        'false positive: sit, score 0.600, IoU 1.00 with the nearest of its class',
        'false positive: stand, score 0.500, no ground truth in this frame',
        'missed: stand',
    ]
    assert worst['video'] == ['a', 'b', 'a', 'a', 'b', 'b'] and worst['time_s'] == [2, 9, 3, 3, 9, 2.5]
    assert worst['x1'] == [None] * 6, 'fractions are no pixels'


def test_the_evidence_has_the_headline_as_its_mean(score):
    found = FOUND + 'a,0003,0.0,0.0,0.4,0.8,1,0.95\nc,0003,0.0,0.0,0.4,0.8,2,0.65\n'
    found = found.replace(',4,0.8', ',4,0.001')
    for options in ((), ('--compat', 'mmaction2'), ('--iou', '0.5', '0.99')):
        result = score(TRUTH, found, *options)
        evidence = result.evidence
        num_gts = np.bincount(evidence.gt_labels, minlength=len(evidence.classes))
        ap = average_precision(evidence.hits, evidence.labels, num_gts, integration=evidence.integration)
        assert mean_over_classes(ap).mean() == result.metrics[evidence.metric]
        assert 0 < result.metrics[evidence.metric] < 1 or options[:1] == ('--compat',)


def test_the_curve_is_the_mean_of_the_envelopes(score):
    curve = score(TRUTH, FOUND + 'a,0009,0,0,1,1,2,0.65\n').curves['precision over recall']
    # stand and walk are perfect; sit is 1 up to recall 1/2 and 2/3 after.
    assert curve['y'][50] == 1.0 and curve['y'][51] == pytest.approx((2 + 2 / 3) / 3) == curve['y'][100]
    assert np.allclose(score(TRUTH, '').curves['precision over recall']['y'], 0)


def test_mmaction2s_sample_has_its_known_figure(shared_data):
    folder = shared_data / 'eval' / 'mmaction2_tests' / 'eval_detection'
    parser = argparse.ArgumentParser()
    ava.add_arguments(parser)
    for compat in ([], ['--compat', 'mmaction2']):
        args = parser.parse_args(['--labels', str(folder / 'action_list.txt'), *compat])
        args.gt, args.pred = str(folder / 'gt.csv'), str(folder / 'pred.csv')
        assert ava.evaluate(args).metrics['mAP@0.5'] == pytest.approx(0.09385522, abs=1e-8)


@pytest.mark.filterwarnings('ignore:Mean of empty slice')
@pytest.mark.parametrize('seed', range(3))
def test_compat_gives_what_mmaction2_gives(score, tmp_path, monkeypatch, seed):
    utils = pytest.importorskip('mmaction.evaluation.functional.ava_utils')

    class Pool:
        def __init__(self, size):
            self.map = lambda function, items: list(map(function, items))

    monkeypatch.setattr(utils.multiprocessing, 'Pool', Pool)
    rng = np.random.default_rng(seed)
    truth, found = [], []
    for number in range(40):
        key = f'{rng.choice(["a", "b"])},{rng.integers(0, 8):04d}'
        corner = rng.integers(0, 4, 2) / 10
        box = np.r_[corner, corner + rng.integers(2, 6, 2) / 10]
        action = rng.integers(1, 6)
        truth.append(','.join([key, *(f'{value:.1f}' for value in box), str(action), str(number)]))
        for _ in range(4):
            near = np.sort((box + rng.integers(-2, 3, 4) / 20).reshape(2, 2), axis=0).reshape(-1)
            near[2:] += 0.01
            key = key if rng.random() < 0.8 else f'{rng.choice(["a", "b", "c"])},{rng.integers(0, 20):04d}'
            found.append(','.join([key, *map(repr, near.tolist()), str(action), f'{rng.random() * 0.9 + 0.01:.9f}']))
    found = [row for row in found if f',{seed + 1},0.' not in row]  # a class without a detection
    labels = ''.join(f'item {{\n  name: "c{number}"\n  id: {number}\n}}\n' for number in range(1, 6))
    (tmp_path / 'out.csv').write_text('a,0003\nb,0001\n')
    result = score(
        '\n'.join(truth), '\n'.join(found), '--compat', 'mmaction2', '--exclude', tmp_path / 'out.csv', labels=labels
    )
    files = [str(tmp_path / name) for name in ('pred.csv', 'labels.txt', 'gt.csv', 'out.csv')]
    theirs = utils.ava_eval(files[0], 'mAP', *files[1:], verbose=False)
    assert result.metrics['mAP@0.5'] == pytest.approx(theirs['overall'], abs=1e-9)
    assert 0.05 < theirs['overall'] < 0.95


def test_the_tool_prints_the_protocol_with_the_number(run_tool, refused, tmp_path):
    for name, text in (('gt.csv', TRUTH), ('pred.csv', FOUND), ('labels.txt', LABELS)):
        (tmp_path / name).write_text(text)
    files = ['ava', '--gt', tmp_path / 'gt.csv', '--pred', tmp_path / 'pred.csv', '--labels', tmp_path / 'labels.txt']
    done = run_tool('tools/evaluate.py', *files, '--json', tmp_path / 'out.json')
    assert done.returncode == 0 and 'mAP@0.5  ' in done.stdout and '100.0000' in done.stdout, done.stderr
    assert done.stdout.startswith('ava: mean over classes of frame AP at IoU 0.5')
    assert json.loads((tmp_path / 'out.json').read_text())['metrics'] == {'mAP@0.5': 1.0}
    (tmp_path / 'pred.csv').write_text(FOUND + 'a,0002,0,0,1,1,4,nan\n')
    assert 'pred.csv: line 6: the score is not a finite number' in refused('tools/evaluate.py', *files)


def test_ground_truth_without_area_is_missed_and_told(tmp_path):
    gt, pred = tmp_path / 'gt.csv', tmp_path / 'pred.csv'
    gt.write_text('v,0900,0,0,0.5,0.5,1,1\nv,0900,0.1,0.1,0.1,0.3,1,2\n')
    pred.write_text('v,0900,0,0,0.5,0.5,1,0.9\n')
    parser = argparse.ArgumentParser()
    ava.add_arguments(parser)
    args = parser.parse_args([])
    args.gt, args.pred = str(gt), str(pred)
    result = ava.evaluate(args)
    assert result.metrics['mAP@0.5'] == 0.5
    assert '1 ground truths have a box without area: nothing can find them, they count as missed' in result.notes
