from dataclasses import replace

import numpy as np
import pytest

from mmtube.errors import InputError
from mmtube.evaluation.evidence import APEvidence, RatioEvidence, read_evidence, write_evidence

AP = APEvidence(
    'average_mAP',
    ['film ä', 'b'],
    ['run', 'walk'],
    unit=np.array([0, 1, 1]),
    labels=np.array([1, 0, 1]),
    hits=np.array([[True, False, True]] * 9 + [[False, False, True]]),
    gt_unit=np.array([0, 1]),
    gt_labels=np.array([1, 1]),
    integration='trapezoid',
)
RATIO = RatioEvidence(
    'top1', ['a'], ['all'], np.array([0, 0]), np.array([0, 0]), np.array([1.0, 0.0]), np.array([1.0, 1.0])
)


def same(a, b):
    assert type(a) is type(b)
    for name, value in vars(a).items():
        assert np.array_equal(value, vars(b)[name]), name


STEPS = replace(AP, integration='step', tied=np.array([False, True, False]))


@pytest.mark.parametrize('evidence', [AP, STEPS, RATIO], ids=['ap', 'steps', 'ratio'])
def test_what_is_written_is_read(evidence, tmp_path):
    write_evidence(evidence, tmp_path / 'e.npz')
    same(read_evidence(tmp_path / 'e.npz'), evidence)


def test_evidence_without_a_detection_is_evidence(tmp_path):
    none = np.zeros(0, np.int32)
    empty = APEvidence('m', [], [], none, none, np.zeros((10, 0), bool), none, none)
    write_evidence(empty, tmp_path / 'e.npz')
    same(read_evidence(tmp_path / 'e.npz'), empty)


def test_ties_that_do_not_fit_are_refused(tmp_path):
    wrong = [replace(STEPS, tied=np.array([True])), replace(STEPS, integration='envelope')]
    for evidence in wrong:
        write_evidence(evidence, tmp_path / 'e.npz')
        with pytest.raises(InputError, match=r'is no evidence of an evaluation \(tied'):
            read_evidence(tmp_path / 'e.npz')


def test_another_file_is_refused_in_one_line(tmp_path):
    (tmp_path / 'text.npz').write_text('no')
    np.savez(tmp_path / 'other.npz', a=np.zeros(2))
    for name, cause in (
        ('text.npz', 'is no evidence'),
        ('other.npz', 'is no evidence'),
        ('none.npz', 'cannot be read'),
    ):
        with pytest.raises(InputError, match=f'{name}: {cause}'):
            read_evidence(tmp_path / name)
