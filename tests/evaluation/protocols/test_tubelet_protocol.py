import argparse
import json

import pytest

from mmtube.errors import InputError
from mmtube.evaluation.protocols import tubelet
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

# Person 1 in 0-100 s, person 2 in 0-50 s of one film at 10 fps; activity of person 1 from 0 to 40 s, of 2 to 30 s.
AA = [('t1', 0, 'pose', 0.0, 10.0), ('t1', 1, 'pose', 20.0, 30.0), ('t2', 2, 'pose', 5.0, 15.0)]
CA = [('t1', 0, '', 0.0, 40.0), ('t2', 0, '', 0.0, 30.0)]
NAMES = ('walk', 'run', 'wave', 'nod')


def note(label, start, end, score, **more):
    return {'segment': [start, end], 'label': label, 'score': score, **more}


PERFECT = {
    't1': [note('walk', 0, 10, 0.9), note('run', 20, 30, 0.8)],
    't2': [note('wave', 5, 15, 0.7)],
}


def annotations(aa=AA, ca=CA):
    boxes = {
        't1': (
            range(1000),
            [[number / 10, 5, number / 10 + 20, 45] for number in range(1000)],
            [1.0] * 1000,
            [0] * 1000,
        ),
        't2': (range(500), [[60, 5, 80, 45]] * 500, [1.0] * 500, [0] * 500),
    }
    return SEALAnnotations(
        {'film': VideoRecord('web', 200, 50, 10.0, 1000, 100.0, 'val')},
        {
            't1': TubeletRecord('film', 1, (0, 1000), 't1'),
            't2': TubeletRecord('film', 2, (0, 500), 't2'),
        },
        InstanceTable.from_rows(aa),
        InstanceTable.from_rows(ca),
        BoxTable.from_tracks(boxes),
    )


@pytest.fixture
def evaluate(tmp_path):
    def run(results, *options, truth=None, rank=(2, 0, 1, 3), label_map=True):
        write_seal_json(truth or annotations(), tmp_path / 'val.json')
        (tmp_path / 'pred.json').write_text(json.dumps({'results': results}))
        if rank is not None:
            counts = tuple(range(len(rank), 0, -1))
            write_class_rank(
                ClassRank('atomic', 'a test', rank, counts), tmp_path / 'class_rank_atomic.json', replace=True
            )
        if label_map:
            write_label_map(LabelMap('atomic', NAMES), tmp_path / 'label_map_atomic.json')
        parser = argparse.ArgumentParser()
        tubelet.add_arguments(parser)
        args = parser.parse_args([str(option) for option in ('--task', 'atomic', *options)])
        args.gt, args.pred = str(tmp_path / 'val.json'), str(tmp_path / 'pred.json')
        return tubelet.evaluate(args)

    return run


def test_perfect_predictions_give_exactly_one(evaluate):
    result = evaluate(PERFECT)
    assert set(result.metrics.values()) == {1.0} and result.protocol == 'tubelet'
    assert result.inputs == {'class_rank': 'a test'}
    assert result.counts['tubelets'] == 2 and result.evidence.units == ['t1', 't2']


def test_a_tubelet_takes_the_place_of_a_video(evaluate):
    # The segment of t2 on t1 is wrong although it is the right one of the same film.
    result = evaluate({**PERFECT, 't2': [], 't1': [*PERFECT['t1'], note('wave', 5, 15, 0.7)]})
    assert result.tables['classes']['ap'] == [1.0, 1.0, 0.0, None]


def test_a_subset_averages_its_classes_only(evaluate):
    # Ranks: wave, walk, run. walk is found, wave is not; a wrong run above costs top2 nothing.
    results = {'t1': [note('walk', 0, 10, 0.5), note('run', 0, 10, 1.0), note('run', 20, 30, 0.9)]}
    result = evaluate(results, '--subset', 'top2', 'top1-3')
    assert result.metrics['mAP_top2'] == 0.5
    assert result.metrics['mAP_top1-3'] == 0.75
    assert result.metrics['mAP'] == pytest.approx((1 + 0.5 + 0) / 3, abs=1e-15)
    assert result.metrics['mAP_top2@0.50'] == 0.5 and result.evidence.metric == 'mAP_top2'
    assert result.evidence.classes == ['walk', 'wave'] and len(result.evidence.unit) == 1
    assert result.tables['worst']['text'] == ['missed: wave, 5.0 to 15.0 s in t2']


def test_the_subsets_of_seal_are_scored_where_the_rank_has_them(evaluate, tmp_path):
    names = tuple(f'action {number}' for number in range(60))
    write_label_map(LabelMap('atomic', names), tmp_path / 'label_map_atomic.json')
    results = {tid: [{**row, 'label': NAMES.index(row['label'])} for row in rows] for tid, rows in PERFECT.items()}
    result = evaluate(results, rank=tuple(range(60)), label_map=False)
    assert next(iter(result.metrics)) == 'mAP_top60' and result.metrics['mAP_top60'] == 1.0
    short = evaluate(results, rank=(0, 1, 2, 3), label_map=False)
    assert next(iter(short.metrics)) == 'mAP' and 'no top60: the class rank has 4 classes' in short.notes


def test_without_a_rank_all_classes_are_averaged_and_it_is_told(evaluate):
    result = evaluate(PERFECT, rank=None)
    assert result.notes[0] == 'no class rank, so no top60: all classes are averaged'
    assert next(iter(result.metrics)) == 'mAP'


def test_atomic_actions_count_inside_complex_activities_by_their_centre(evaluate):
    # Centres 39.9 (inside, wrong) and 40.1 (outside, left out).
    inside, outside = note('run', 30, 49.8, 0.95), note('run', 30, 50.2, 0.95)
    result = evaluate({**PERFECT, 't1': [*PERFECT['t1'], outside]})
    assert result.metrics['mAP'] == 1.0 and result.counts['predictions'] == 3
    assert '1 predictions and 0 ground truths outside complex activities left out' in result.notes
    assert evaluate({**PERFECT, 't1': [*PERFECT['t1'], inside]}).tables['classes']['ap'][1] == 0.5
    unrestricted = evaluate({**PERFECT, 't1': [*PERFECT['t1'], outside]}, '--no-restrict')
    assert unrestricted.tables['classes']['ap'][1] == 0.5 and 'at all times' in unrestricted.convention


def test_the_complex_activity_of_another_tubelet_does_not_help(evaluate):
    # t2 is in an activity until 30 s; at 35 s only t1 is.
    result = evaluate({**PERFECT, 't2': [*PERFECT['t2'], note('wave', 31, 39, 1.0)]})
    assert result.metrics['mAP'] == 1.0


def test_ground_truth_outside_complex_activities_is_left_out_too_so_that_perfect_stays_perfect(evaluate):
    aa = [*AA, ('t1', 3, 'pose', 60.0, 70.0)]
    results = {**PERFECT, 't1': [*PERFECT['t1'], note('nod', 60, 70, 0.9)]}
    result = evaluate(results, truth=annotations(aa))
    assert result.metrics['mAP'] == 1.0 and result.counts['ground_truths'] == 3
    assert '1 predictions and 1 ground truths outside complex activities left out' in result.notes


def test_without_any_complex_activity_nothing_is_restricted(evaluate):
    result = evaluate(PERFECT, truth=annotations(ca=[]))
    assert result.metrics['mAP'] == 1.0 and any('no complex activities are annotated' in told for told in result.notes)


def test_repeated_and_empty_ground_truth_is_removed_and_counted(evaluate):
    aa = [*AA, ('t1', 0, 'pose', 0.0005, 10.0), ('t2', 2, 'pose', 7.0, 7.0)]
    result = evaluate(PERFECT, truth=annotations(aa))
    assert result.metrics['mAP'] == 1.0 and result.counts['ground_truths'] == 3
    assert [told.split(' removed')[0] for told in result.notes if 'removed' in told] == [
        '1 ground truths without length',
        '1 repeated ground truths',
    ]


def test_labels_may_be_numbers_and_rows_of_the_other_task_are_passed_over(evaluate):
    results = {
        't1': [note(0, 0, 10, 0.9), note(1, 20, 30, 0.8), note('greeting', 0, 40, 1.0, task='complex')],
        't2': [note(2, 5, 15, 0.7, task='atomic')],
    }
    result = evaluate(results)
    assert result.metrics['mAP'] == 1.0 and result.counts['predictions'] == 3


def test_the_complex_task_scores_the_activities(evaluate):
    results = {'t1': [note('complex 0', 0, 40, 0.5)], 't2': [note('complex 0', 0, 30, 0.4)]}
    result = evaluate(results, '--task', 'complex', rank=None)
    assert result.metrics['mAP'] == 1.0 and result.counts['ground_truths'] == 2


def test_names_of_the_pipeline_are_understood(evaluate):
    result = evaluate({'film#1': PERFECT['t1'], 'film#2': PERFECT['t2']})
    assert result.metrics['mAP'] == 1.0 and 'predictions name tubelets as <video>#<person>' in result.notes


def test_the_worst_rows_say_the_film_and_the_box(evaluate):
    # At 25 s the box of t1 is that of frame 250: x1 is 25.
    result = evaluate({'t2': PERFECT['t2'], 't1': PERFECT['t1'][:1]})
    worst = {name: column[0] for name, column in result.tables['worst'].items()}
    assert worst == {
        'video': 'film',
        'time_s': 25.0,
        'x1': 25.0,
        'y1': 5.0,
        'x2': 45.0,
        'y2': 45.0,
        'text': 'missed: run, 20.0 to 30.0 s in t1',
    }


def test_files_that_do_not_belong_together_are_refused_before_anything_is_left_out(evaluate):
    with pytest.raises(InputError, match=r"no video of it is in .*val\.json \(the first is 'w'"):
        evaluate({'w': PERFECT['t1']})


@pytest.mark.parametrize(
    'results, options, changes, cause',
    [
        (PERFECT, (), {'truth': annotations(aa=[])}, 'has no ground truth'),
        ({'t1': [note('fly', 0, 1, 1)]}, (), {}, r'results\["t1"\]\[0\]: label "fly" is none of 4 classes'),
        ({'t1': [note(4, 0, 1, 1)]}, (), {}, r'results\["t1"\]\[0\]: label 4 is none of 4 classes'),
        ({'t1': [note('walk', 0, 1, float('nan'))]}, (), {}, r'\["t1"\]\[0\]: the score is not a finite number'),
        ({'t1': [note('walk', 1, 1, 1)]}, (), {}, r'\["t1"\]\[0\]: the segment does not end after its start'),
        (PERFECT, (), {'truth': annotations([('t1', 0, 'pose', 9.0, 3.0)])}, r'aa\[0\]: ends at 3 s before it starts'),
        (
            PERFECT,
            (),
            {'truth': annotations([('t1', 7, 'pose', 0.0, 3.0)])},
            r'aa\[0\] \(tubelet t1\): the label is none',
        ),
        (PERFECT, ('--subset', 'best5'), {}, "'best5'"),
        (PERFECT, ('--subset', 'top60'), {}, '4 classes'),
        (PERFECT, ('--subset', 'top3'), {'rank': None}, 'there is no class rank'),
        (PERFECT, ('--subset', 'top3-4'), {}, 'no class of top3-4 has ground truth'),
        (
            PERFECT,
            ('--task', 'complex', '--rank', '{}/class_rank_atomic.json'),
            {},
            'ranks atomic classes, not complex',
        ),
    ],
)
def test_what_cannot_be_scored_is_refused_in_one_line(evaluate, tmp_path, results, options, changes, cause):
    with pytest.raises(InputError, match=cause) as error:
        evaluate(results, *(option.format(tmp_path) for option in options), **changes)
    assert '\n' not in str(error.value)


def test_a_rank_with_more_classes_than_the_label_map_is_refused(evaluate):
    with pytest.raises(InputError, match='class rank has class 4, there are 4'):
        evaluate(PERFECT, '--subset', 'top5', rank=(4, 0, 1, 2, 3))


def test_no_predictions_give_zero(evaluate):
    assert evaluate({}).metrics['mAP'] == 0.0
