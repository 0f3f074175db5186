import json

import numpy as np
import pytest

from mmtube.errors import InputError
from mmtube.evaluation.evidence import RatioEvidence, read_evidence
from mmtube.evaluation.result import EvaluationResult, decimal, evidence_path, read_document


def result(**more):
    return EvaluationResult('ava', 'frame mAP at IoU 0.5', {'mAP': 0.25, 'switches': 3, 'gap_s': 1.5}, **more)


def test_fractions_are_printed_as_percent_and_counts_and_units_as_they_are():
    lines = result(counts={'videos': 1200}, notes=['2 rows left out']).text().splitlines()
    assert lines[0] == 'ava: frame mAP at IoU 0.5'
    assert lines[1:3] == ['1,200 videos', 'note: 2 rows left out']
    assert [line.split() for line in lines[3:]] == [['mAP', '25.0000'], ['switches', '3'], ['gap_s', '1.500']]


def test_one_thing_is_no_plural():
    counts = {'videos': 1, 'videos_without_predictions': 1, 'ground_truths': 1, 'predictions': 2, 'classes': 1}
    printed = result(counts=counts).text().splitlines()[1]
    assert printed == '1 video, 1 video without predictions, 1 ground truth, 2 predictions, 1 class'


@pytest.mark.parametrize('value', [np.nan, np.inf])
def test_a_number_that_is_none_is_never_a_result(value):
    with pytest.raises(ValueError, match='metric mAP of protocol ava'):
        EvaluationResult('ava', '', {'mAP': value})


def test_the_document_is_json_whatever_numpy_put_into_it(tmp_path):
    columns = {'class': ['a'], 'ap': np.array([np.nan]), 'num_gt': [np.int64(3)]}
    result(tables={'classes': columns}, details={'flags': (np.bool_(True),)}).write(tmp_path / 'r.json')
    document = read_document(tmp_path / 'r.json')
    assert document['tables']['classes'] == {'class': ['a'], 'ap': [None], 'num_gt': [3]}
    assert document['details'] == {'flags': [True]}
    assert 'evidence' not in document


def test_evidence_lies_beside_the_document(tmp_path):
    rows = np.zeros(1, np.int32)
    evidence = RatioEvidence('mAP', ['a'], ['all'], rows, rows, np.ones(1), np.ones(1))
    result(evidence=evidence).write(tmp_path / 'r.json')
    assert read_document(tmp_path / 'r.json')['evidence'] == 'r.evidence.npz'
    assert read_evidence(evidence_path(tmp_path / 'r.json')).metric == 'mAP'


@pytest.mark.parametrize(
    ('text', 'cause'), [('{', ':1: is not JSON'), ('[]', 'is no result of'), (json.dumps({'format': 'x'}), 'no result')]
)
def test_another_file_is_refused(tmp_path, text, cause):
    (tmp_path / 'r.json').write_text(text)
    with pytest.raises(InputError, match=cause):
        read_document(tmp_path / 'r.json')


@pytest.mark.parametrize(
    ('value', 'text'),
    [(0.5, '0.5'), (1.0, '1'), (0.30000000000000004, '0.30000000000000004'), (0.1234567, '0.1234567')],
)
def test_numbers_in_names_are_short_and_never_two_of_one_name(value, text):
    assert decimal(value) == text and float(decimal(value)) == value
