import argparse
from dataclasses import replace

import numpy as np
import pytest

from mmtube.errors import InputError
from mmtube.evaluation.protocols import tubelet_predicted
from mmtube.structures import Segment
from mmtube.structures.io import read_result_json, write_result_json
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
from mmtube.structures.seal.convert import write_results

# Two films of 20 s at 5 frames per second. Person 1 of film a is two tubelets with a gap between.
SPANS = {'t1': ('a', 1, 0, 50), 't2': ('a', 1, 60, 100), 't3': ('a', 2, 0, 100), 't4': ('b', 1, 10, 80)}
AA = [
    ('t1', 0, 'pose', 1.0, 4.0),
    ('t1', 1, 'pp', 5.0, 9.0),
    ('t2', 0, 'pose', 13.0, 18.0),
    ('t3', 2, 'po', 2.0, 12.0),
    ('t4', 0, 'pose', 3.0, 10.0),
]
CA = [('t1', 0, '', 0.0, 9.5), ('t2', 1, '', 12.5, 19.0), ('t3', 0, '', 0.0, 15.0), ('t4', 1, '', 2.5, 12.0)]


def boxes(x, first, end):
    return (
        np.arange(first, end),
        np.tile([x, 0, x + 20, 40], (end - first, 1)),
        np.ones(end - first),
        np.zeros(end - first),
    )


@pytest.fixture
def annotations():
    return SEALAnnotations(
        {vid: VideoRecord('web', 200, 100, 5.0, 100, 20.0, 'val') for vid in 'ab'},
        {tid: TubeletRecord(vid, person, (first, end), tid) for tid, (vid, person, first, end) in SPANS.items()},
        InstanceTable.from_rows(AA),
        InstanceTable.from_rows(CA),
        BoxTable.from_tracks({tid: boxes(40.0 * person, first, end) for tid, (_, person, first, end) in SPANS.items()}),
    )


@pytest.fixture
def folder(tmp_path, annotations):
    write_seal_json(annotations, tmp_path / 'val.json')
    write_label_map(LabelMap('atomic', ('walk', 'hug', 'lift', 'rest')), tmp_path / 'label_map_atomic.json')
    write_results(annotations, tmp_path / 'found')
    return tmp_path


def score(folder, *options, pred='found'):
    parser = argparse.ArgumentParser()
    tubelet_predicted.add_arguments(parser)
    args = parser.parse_args([*map(str, options)])
    args.gt, args.pred = str(folder / 'val.json'), str(folder / pred)
    return tubelet_predicted.evaluate(args)


def change(folder, film, edit):
    """Let ``edit`` change the tubes of the result of a film."""
    path = folder / 'found' / f'{film}.json'
    result = read_result_json(path)
    result.tubes = edit(result.tubes)
    write_result_json(result, path)


@pytest.mark.parametrize('task', ['atomic', 'complex'])
@pytest.mark.parametrize('pred', ['found', 'val.json'])
def test_perfect_predictions_give_exactly_one_in_both_views(folder, task, pred):
    result = score(folder, '--task', task, pred=pred)
    assert list(result.metrics) == [
        *('mAP@0.5', 'mAP@0.75', 'mAP@0.5:0.95'),
        *('segments/mAP@0.5', 'segments/mAP@0.75', 'segments/mAP@0.5:0.95', 'people_found'),
    ]
    assert set(result.metrics.values()) == {1.0} and result.notes == []
    assert result.counts['ground_truths'] == {'atomic': 5, 'complex': 4}[task]
    assert [result.counts[name] for name in ('people', 'predicted_people', 'matched_people')] == [3, 3, 3]


def test_boxes_that_are_off_cost_the_first_view_only(folder):
    def narrower(tubes):
        for tube in tubes:
            tube.boxes_px[:, 2] -= 8  # 12 of 20 pixels: IoU 0.6
        return tubes

    for film in 'ab':
        change(folder, film, narrower)
    result = score(folder)
    # 0.5, 0.55 and 0.6 of the ten thresholds are reached by boxes of 12 in 20 pixels.
    assert result.metrics['mAP@0.5:0.95'] == pytest.approx(0.3)
    assert result.metrics['segments/mAP@0.5:0.95'] == 1.0 and result.metrics['people_found'] == 1.0
    assert score(folder, '--tube-iou', 0.7).metrics['segments/mAP@0.5:0.95'] == 0.0


def test_times_that_are_off_cost_both_views(folder):
    def later(tubes):
        for tube in tubes:
            tube.segments = [Segment(4.6, 11.6, 0, 0.9)]  # truth: 3 to 10; 5.4 of 8.6 s are shared
        return tubes

    change(folder, 'b', later)
    result = score(folder, '--iou', 0.6, 0.7)
    classes = result.tables['classes']
    # Class 0 has three ground truths, two are found; the third is in film b. At 0.6 the shifted one counts.
    assert classes['segments/AP@0.6:0.7'][0] == pytest.approx((1 + 2 / 3) / 2, abs=0.05)
    assert result.metrics['segments/mAP@0.6:0.7'] < 1 and result.metrics['mAP@0.6:0.7'] < 1


def test_actions_of_a_tube_that_matches_nobody_are_false_and_those_of_an_unmatched_person_missed(folder):
    def shifted(tubes):
        return [replace(tube, boxes_px=tube.boxes_px + np.float32(100)) for tube in tubes]

    change(folder, 'b', shifted)
    result = score(folder)
    # Class 0: of three ground truths two are found, and one prediction of the same score is false.
    for view in ('AP@0.5', 'segments/AP@0.5'):
        assert 0.4 < result.tables['classes'][view][0] < 2 / 3 + 1e-9
        assert result.tables['classes'][view][1:] == [1.0, 1.0, None]
    assert result.metrics['people_found'] == pytest.approx(2 / 3)
    assert result.counts['matched_people'] == 2
    assert result.tables['errors']['count'][result.tables['errors']['kind'].index('extra')] == 1


def test_tubelets_of_a_person_are_matched_alone_when_that_is_asked_for(folder):
    result = score(folder, '--match-to', 'tubelet')
    # The tube of person 1 of film a has 90 frames, its tubelets 50 and 40: it matches the longer one.
    assert (result.counts['people'], result.counts['matched_people']) == (4, 3)
    assert result.metrics['mAP@0.5:0.95'] == 1.0 and result.metrics['segments/mAP@0.5:0.95'] < 1


def test_predictions_outside_the_activities_of_their_person_are_dropped_and_counted(folder):
    def more(tubes):
        tubes[0].segments = [replace(segment, score=0.5) for segment in tubes[0].segments]
        tubes[0].segments.append(Segment(18.2, 19.8, 0, 0.99))  # centre 19.0 is still inside, as it ends there
        tubes[0].segments.append(Segment(18.6, 19.8, 0, 0.99))
        tubes[0].segments.append(Segment(10.0, 12.4, 1, 0.99))
        return tubes

    change(folder, 'a', more)
    result = score(folder)
    assert result.notes[0] == '2 predictions and 0 ground truths outside the activities of their person are not scored'
    assert result.counts['predictions'] == 6
    kept = score(folder, '--no-restrict')
    assert kept.counts['predictions'] == 8
    assert kept.metrics['segments/mAP@0.5'] < result.metrics['segments/mAP@0.5']
    assert 'outside annotated activities dropped' in result.convention
    assert 'outside annotated activities dropped' not in kept.convention


def test_ground_truth_that_stands_twice_is_removed_and_counted(folder, annotations):
    twice = [*AA, ('t1', 0, 'pose', 1.0005, 4.0)]
    write_seal_json(replace(annotations, aa=InstanceTable.from_rows(twice)), folder / 'val.json')
    result = score(folder)
    assert result.notes == ['1 repeated ground truths removed'] and set(result.metrics.values()) == {1.0}


def test_subsets_are_of_a_frozen_rank_list(folder):
    with pytest.raises(InputError, match=r'val.json: has no class rank beside it, --subset needs --rank'):
        score(folder, '--subset', 'top2')
    write_class_rank(ClassRank('atomic', 'an example', (2, 0, 1, 3), (9, 8, 7, 0)), folder / 'class_rank_atomic.json')
    change(folder, 'b', lambda tubes: [])
    result = score(folder, '--subset', 'top1', 'top1-3')
    assert result.metrics['top1/mAP@0.5:0.95'] == result.metrics['top1/segments/mAP@0.5:0.95'] == 1.0
    assert result.metrics['top1-3/mAP@0.5:0.95'] == pytest.approx((2 / 3 + 1) / 2)
    for name in ('best60', 'top9'):
        with pytest.raises(InputError, match=f"class rank .*: subset '{name}'"):
            score(folder, '--subset', name)
    write_class_rank(ClassRank('atomic', 'other', (1, 0), (9, 8)), folder / 'short.json')
    with pytest.raises(InputError, match=r'short.json: ranks 2 classes, there are 4'):
        score(folder, '--subset', 'top1', '--rank', folder / 'short.json')


def test_a_single_threshold_gives_a_single_number(folder):
    assert list(score(folder, '--iou', 0.3).metrics) == ['mAP@0.3', 'segments/mAP@0.3', 'people_found']
    with pytest.raises(InputError, match='an IoU must be above 0'):
        score(folder, '--iou', 1.5)


def test_no_predictions_are_all_missed(folder):
    for film in 'ab':
        change(folder, film, lambda tubes: [])
    result = score(folder)
    assert set(result.metrics.values()) == {0.0} and 'all is missed' in result.text()


def test_the_order_of_people_and_actions_changes_nothing(folder):
    rng = np.random.default_rng(0)

    def noisy(tubes):
        for tube in tubes:
            starts = rng.integers(0, 16, 20) / 2
            tube.segments = [Segment(s, s + rng.integers(1, 9) / 2, int(rng.integers(3)), 0.5) for s in starts]
        return tubes

    def mixed(tubes):
        for tube in tubes:
            tube.segments = [tube.segments[place] for place in rng.permutation(len(tube.segments))]
        return tubes[::-1]

    for film in 'ab':
        change(folder, film, noisy)
    first = score(folder, '--iou', 0.1, 0.5).metrics
    for film in 'ab':
        change(folder, film, mixed)
    assert score(folder, '--iou', 0.1, 0.5).metrics == first and 0 < first['mAP@0.1:0.5'] < 1


def test_films_that_have_nothing_in_common_are_refused(folder):
    (folder / 'found' / 'a.json').unlink()
    (folder / 'found' / 'b.json').rename(folder / 'other.json')
    result = read_result_json(folder / 'other.json')
    write_result_json(replace(result, video=replace(result.video, name='z.mp4')), folder / 'other.json')
    with pytest.raises(InputError, match=r'other.json: no video of it is in .*val.json'):
        score(folder, pred='other.json')


def test_the_command_prints_both_views_and_refuses_in_one_line(folder, run_tool, refused):
    command = ('tools/evaluate.py', 'tubelet-predicted', '--gt', folder / 'val.json', '--pred', folder / 'found')
    done = run_tool(*command, '--json', folder / 'out.json')
    assert done.returncode == 0, done.stderr
    assert any(line.split() == ['segments/mAP@0.5:0.95', '100.0000'] for line in done.stdout.splitlines())
    assert (folder / 'out.evidence.npz').is_file()
    assert '--subset needs --rank' in refused(*command, '--subset', 'top60')


def test_ground_truth_outside_the_activities_of_its_person_is_dropped_too_so_that_perfect_stays_perfect(
    tmp_path, annotations
):
    outside = [*AA, ('t3', 1, 'pp', 16.0, 19.0)]  # the activity of t3 ends at 15 s
    write_seal_json(replace(annotations, aa=InstanceTable.from_rows(outside)), tmp_path / 'val.json')
    write_results(replace(annotations, aa=InstanceTable.from_rows(outside)), tmp_path / 'found')
    result = score(tmp_path)
    assert set(result.metrics.values()) == {1.0} and result.counts['ground_truths'] == 5
    told = '1 predictions and 1 ground truths outside the activities of their person are not scored'
    assert result.notes == [told]
    assert score(tmp_path, '--no-restrict').counts['ground_truths'] == 6


def test_a_threshold_of_many_digits_keeps_its_name(folder):
    result = score(folder, '--iou', '0.123456789')
    names = ['mAP@0.123456789', 'segments/mAP@0.123456789', 'people_found']
    assert result.metrics == dict.fromkeys(names, 1.0)


def test_the_share_of_people_found_is_of_the_annotated_ones(folder):
    def stranger(tubes):
        return [*tubes, replace(tubes[0], track_id=99, boxes_px=tubes[0].boxes_px + np.float32(300))]

    change(folder, 'b', stranger)
    result = score(folder)
    assert result.metrics['people_found'] == 1.0 and result.counts['predicted_people'] == 4
