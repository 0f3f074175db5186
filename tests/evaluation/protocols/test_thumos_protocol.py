import argparse
import json

import numpy as np
import pytest

from mmtube.errors import InputError
from mmtube.evaluation.functional.average_precision import average_precision, mean_over_classes
from mmtube.evaluation.protocols import thumos


def note(label, start, end, score=None):
    return {'segment': [start, end], 'label': label, **({} if score is None else {'score': score})}


@pytest.fixture
def evaluate(tmp_path):
    def run(truth, results, *options):
        database = {'video_1': {'subset': 'Test', 'duration': 100.0, 'annotations': truth}}
        (tmp_path / 'gt.json').write_text(json.dumps({'database': database}))
        (tmp_path / 'pred.json').write_text(json.dumps({'results': {'video_1': results}}))
        parser = argparse.ArgumentParser()
        thumos.add_arguments(parser)
        args = parser.parse_args(list(options))
        args.gt, args.pred = str(tmp_path / 'gt.json'), str(tmp_path / 'pred.json')
        return thumos.evaluate(args)

    return run


TRUTH = [note('Diving', 0, 10), note('Ambiguous', 20, 30)]
RIGHT, WRONG = note('Diving', 0, 10, 0.5), note('Diving', 50, 60, 0.9)


def test_the_thresholds_are_those_of_thumos14(evaluate):
    # IoU 0.5 counts at 0.3, 0.4 and 0.5.
    result = evaluate(TRUTH[:1], [note('Diving', 0, 5, 0.5)])
    assert result.metrics == {
        'mAP': pytest.approx(0.6, abs=1e-15),
        'mAP@0.30': 1.0,
        'mAP@0.40': 1.0,
        'mAP@0.50': 1.0,
        'mAP@0.60': 0.0,
        'mAP@0.70': 0.0,
    }


def test_ambiguous_is_no_class(evaluate):
    result = evaluate(TRUTH, [RIGHT])
    assert result.tables['classes']['class'] == ['Diving'] and result.metrics['mAP'] == 1.0
    assert result.counts['ground_truths'] == 1


def test_a_detection_that_touches_an_ambiguous_segment_does_not_count(evaluate):
    touching, beside = note('Diving', 29.9, 60, 0.9), note('Diving', 30, 60, 0.9)
    ignored = evaluate(TRUTH, [RIGHT, touching])
    assert ignored.metrics['mAP'] == 1.0 and ignored.tables['worst']['text'] == []
    assert evaluate(TRUTH, [RIGHT, beside]).metrics['mAP'] == 0.5
    assert evaluate(TRUTH, [RIGHT, touching], '--ambiguous', 'drop').metrics['mAP'] == 0.5


def test_a_right_detection_counts_although_it_touches_an_ambiguous_segment(evaluate):
    # IoU 10/21 with the ground truth: right at 0.3 and 0.4, at 0.5 and above it is not counted.
    result = evaluate(TRUTH, [note('Diving', 0, 21, 0.9), RIGHT])
    by_threshold = [result.metrics[f'mAP@{threshold}'] for threshold in ('0.30', '0.40', '0.50', '0.60', '0.70')]
    assert by_threshold == [1.0, 1.0, 1.0, 1.0, 1.0]
    dropped = evaluate(TRUTH, [note('Diving', 0, 21, 0.9), RIGHT], '--ambiguous', 'drop')
    assert [dropped.metrics[f'mAP@{threshold}'] for threshold in ('0.40', '0.50')] == [1.0, 0.5]


def test_the_evidence_is_what_the_mean_is_made_of_also_where_detections_do_not_count(evaluate):
    truth = [*TRUTH, note('Shotput', 40, 50), note('Shotput', 60, 70)]
    results = [note('Diving', 0, 21, 0.9), RIGHT, WRONG, note('Shotput', 25, 50, 0.7), note('Shotput', 60, 69, 0.6)]
    result = evaluate(truth, results)
    evidence = result.evidence
    num_gts = np.bincount(evidence.gt_labels, minlength=len(evidence.classes))
    mean = mean_over_classes(average_precision(evidence.hits, evidence.labels, num_gts)).mean()
    assert mean == pytest.approx(result.metrics['mAP'], abs=1e-15) and 0 < mean < 1
    assert evidence.classes[2] == 'Diving at 0.40'


def test_ambiguous_segments_are_told(evaluate):
    assert evaluate(TRUTH, [RIGHT]).notes == [
        '1 segments of no class (Ambiguous); 0 detections on them are not counted'
    ]
    assert evaluate(TRUTH, [RIGHT], '--ambiguous', 'drop').notes == [
        '1 ambiguous segments left out, predictions on them count as wrong'
    ]


def test_no_note_of_ambiguous_segments_where_there_are_none(evaluate):
    assert evaluate(TRUTH[:1], [RIGHT]).notes == []


@pytest.mark.parametrize(
    ('start', 'end', 'cause'), [(30, 20, 'end after'), (20, 20, 'end after'), (20, float('nan'), 'finite')]
)
def test_an_ambiguous_segment_that_is_none_is_refused_with_its_row(evaluate, start, end, cause):
    with pytest.raises(InputError, match=cause) as caught:
        evaluate([TRUTH[0], note('Ambiguous', start, end)], [RIGHT])
    assert 'gt.json: database["video_1"].annotations[1]' in str(caught.value)


def test_an_ambiguous_segment_without_length_is_left_out_on_demand(evaluate):
    result = evaluate([*TRUTH, note('Ambiguous', 50, 50)], [RIGHT, WRONG], '--dedup')
    assert result.metrics['mAP'] == 0.5 and '1 segments of no class' in ' '.join(result.notes)
