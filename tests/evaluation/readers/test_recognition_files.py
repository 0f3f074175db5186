"""Files of labels and scores: what is read, and what is refused with its place."""

import json
import pickle

import numpy as np
import pytest

from mmtube.errors import InputError
from mmtube.evaluation.readers.dumps import load_dump
from mmtube.evaluation.readers.sample_labels import read_class_names, read_labels, unique_names
from mmtube.evaluation.readers.scores import by_stem, read_scores


@pytest.fixture
def write(tmp_path):
    def make(name, content):
        path = tmp_path / name
        path.write_bytes(content) if isinstance(content, bytes) else path.write_text(content)
        return path

    return make


@pytest.mark.parametrize(
    ('name', 'content', 'columns'),
    [
        ('gt.txt', 'a/dive.mp4 2\nb.mp4 0 1\n\n', 'video'),
        ('gt.txt', 'a/dive.mp4 120 2\nb.mp4 80 1 0\n', 'rawframes'),
        ('gt.csv', 'name,label\na/dive.mp4,2\nb.mp4,0,1\n', 'video'),
        ('gt.csv', 'a/dive.mp4,jump\nb.mp4,walk,1\n', 'video'),
        ('gt.json', '{"a/dive.mp4": 2, "b.mp4": ["walk", 1]}', 'video'),
    ],
)
def test_labels_are_read(write, name, content, columns):
    found = read_labels(write(name, content), columns=columns, class_names=['walk', 'run', 'jump'])
    assert (found.names, found.labels) == (['a/dive.mp4', 'b.mp4'], [(2,), (0, 1)])


@pytest.mark.parametrize(
    ('name', 'content', 'cause'),
    [
        ('gt.txt', '', 'has no ground truth'),
        ('gt.json', '{}', 'has no ground truth'),
        ('gt.txt', 'a 0\na 1\n', "line 2: 'a' stands twice"),
        ('gt.json', '{"a": 0, "a": 1}', "'a' stands twice"),
        ('gt.txt', 'a 0\nb\n', 'line 2: has no class'),
        ('gt.txt', 'a 0\nb x\n', "line 2: 'x' is no class number"),
        ('gt.txt', 'a -1\n', "line 1: '-1' is no class number"),
        ('gt.json', '{"a": 1.5}', '"a": 1.5 is no class number'),
        ('gt.json', '{"a": true}', '"a": True is no class number'),
        ('gt.json', '{"a": {}}', 'is no class number'),
        ('gt.txt', 'a 1 1\n', 'line 1: class 1 stands twice'),
        ('gt.json', '[1]', 'must be an object'),
        ('gt.json', '{"a": ', 'is not JSON'),
    ],
)
def test_wrong_labels_are_refused(write, name, content, cause):
    path = write(name, content)
    with pytest.raises(InputError) as caught:
        read_labels(path)
    assert str(caught.value).startswith(str(path)) and cause in str(caught.value)


def test_class_names_are_read_in_all_forms(write):
    for name, content in [
        ('a.txt', 'walk\nrun, fast\n'),
        ('a.txt', '0: walk\n1: run, fast\n'),
        ('a.txt', 'Clabel:   0; set:  1; Glabel:   7; walk\nClabel:   1; set: 21; Glabel:  19; run, fast\n'),
        ('a.json', '{"names": ["walk", "run, fast"]}'),
    ]:
        assert read_class_names(write(name, content)) == ['walk', 'run, fast']


def test_wrong_class_names_are_refused(write):
    for name, content, cause in [
        ('a.txt', '\n', 'has no class'),
        ('a.txt', '1: walk\n2: run\n', 'class 1 stands where class 0 is expected'),
        ('a.json', '{"classes": []}', 'list of texts under "names"'),
    ]:
        with pytest.raises(InputError, match=cause):
            read_class_names(write(name, content))


def test_names_that_two_classes_share_get_their_number():
    assert unique_names(['jump', 'turn', 'jump']) == ['jump (0)', 'turn', 'jump (2)']


def test_scores_are_read_from_all_forms(write, tmp_path):
    rows = np.array([[0.25, 0.75], [1.0, 0.0]])
    np.savez(tmp_path / 'a.npz', names=np.array(['x', 'y']), scores=rows.astype(np.float32))
    paths = [
        tmp_path / 'a.npz',
        write('a.csv', 'name,walk,run\nx,0.25,0.75\ny,1,0\n'),
        write('b.csv', 'x,0.25,0.75\ny,1,0\n'),
        write('a.json', json.dumps({'x': [0.25, 0.75], 'y': [1, 0]})),
        write('a.pkl', pickle.dumps({'x': rows[0], 'y': rows[1]})),
    ]
    for path in paths:
        found = read_scores(path)
        assert found.names == ['x', 'y']
        np.testing.assert_array_equal(found.scores, rows)


def test_files_without_a_sample_are_legal(write, tmp_path):
    np.savez(tmp_path / 'a.npz', names=np.zeros(0, str), scores=np.zeros((0, 4)))
    paths = [tmp_path / 'a.npz', write('a.csv', ''), write('a.json', '{}'), write('a.pkl', pickle.dumps([]))]
    assert [len(read_scores(path).scores) for path in paths] == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ('name', 'content', 'cause'),
    [
        ('a.csv', 'x,0.5,nan\n', 'line 1: a score is not a finite number'),
        ('a.json', '{"x": [0, 1], "y": [0, Infinity]}', '"y": a score is not a finite number'),
        ('a.csv', 'x,0.5,1\ny,0.5\n', 'line 2: has 1 scores, the first sample has 2'),
        ('a.csv', 'x,0.5\nx,0.5\n', "line 2: 'x' stands twice"),
        ('a.csv', 'x,0.5\ny,high\n', 'line 2: must be a list of numbers'),
        ('a.json', '{"x": 3}', '"x": must be a list of scores'),
        ('a.json', '[]', 'must be an object'),
        ('a.txt', 'x 1\n', 'scores are read from'),
        ('a.npz', b'nothing', 'has no names and scores'),
        ('a.pkl', b'nothing', 'is no pickle'),
        ('a.pkl', pickle.dumps([{'label': 1}]), 'sample 1: has no pred_score'),
        ('a.pkl', pickle.dumps([{'pred_score': {'rgb': [1.0]}}]), 'scores of several streams'),
        ('a.pkl', pickle.dumps(3), 'must be a list of samples'),
    ],
)
def test_wrong_scores_are_refused(write, name, content, cause):
    path = write(name, content)
    with pytest.raises(InputError) as caught:
        read_scores(path)
    assert str(caught.value).startswith(str(path)) and cause in str(caught.value)


def test_a_missing_file_is_one_line(tmp_path):
    for suffix in ('csv', 'json', 'npz', 'pkl'):
        with pytest.raises(InputError, match='cannot be read'):
            read_scores(tmp_path / f'no.{suffix}')


def test_stems_are_compared_and_must_stay_apart(write):
    labels = read_labels(write('gt.txt', 'train/dive.mp4 0\nb\\run.avi 1\n'))
    assert by_stem(labels).names == ['dive', 'run']
    with pytest.raises(InputError, match=r"line 2: 'dive' stands twice"):
        by_stem(read_labels(write('gt.txt', 'a/dive.mp4 0\nb/dive.mp4 1\n')))


def dump(tmp_path, samples):
    """Write samples as a test run of MMAction2 does with --dump."""
    from mmengine.evaluator import DumpResults

    metric = DumpResults(str(tmp_path / 'dump.pkl'))
    metric.process(None, samples)
    metric.evaluate(len(samples))
    return tmp_path / 'dump.pkl'


def test_results_dumped_by_mmaction_are_read(tmp_path):
    import torch
    from mmaction.structures import ActionDataSample

    samples = []
    for scores, label, video in [([0.1, 0.9, 0.0], 1, 'x.mp4'), ([0.5, 0.25, 0.25], 2, 'y.mp4')]:
        sample = ActionDataSample().set_pred_score(torch.tensor(scores)).set_gt_label(label)
        sample.set_metainfo({'filename': video, 'img_shape': (4, 4)})
        samples.append(sample.to_dict())
    found = read_scores(dump(tmp_path, samples))
    assert (found.names, found.labels) == (['x.mp4', 'y.mp4'], [(1,), (2,)])
    np.testing.assert_allclose(found.scores, [[0.1, 0.9, 0.0], [0.5, 0.25, 0.25]], atol=1e-7)
    for sample in samples:
        del sample['filename']
        sample['gt_label'] = torch.tensor([0.0, 1.0, 1.0])
    found = read_scores(dump(tmp_path, samples))
    assert (found.names, found.labels) == (None, [(1, 2), (1, 2)])


def test_tensors_of_all_kinds_come_back_as_arrays(tmp_path):
    import torch

    tensors = {
        'turned': torch.arange(12).reshape(3, 4).t()[1:],
        'one': torch.tensor(3.5, dtype=torch.float64),
        'empty': torch.zeros(0, 4),
        'half': torch.rand(3).half(),
        'mask': torch.tensor([True, False]),
        'bytes': torch.tensor([255], dtype=torch.uint8),
    }
    path = tmp_path / 'a.pkl'
    path.write_bytes(pickle.dumps(tensors, protocol=2))
    found = load_dump(path)
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(found[name], tensor.numpy())
        assert found[name].dtype == tensor.numpy().dtype


class Runs:
    """Runs a command when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), 'w')


def test_nothing_that_stands_in_a_dump_is_run(tmp_path):
    import torch

    path, mark = tmp_path / 'a.pkl', tmp_path / 'mark'
    path.write_bytes(pickle.dumps([{'pred_score': Runs(mark)}]))
    with pytest.raises(InputError, match='only numpy arrays, numbers'):
        load_dump(path)
    # The same inside the bytes of a tensor.
    content = pickle.dumps(torch.zeros(2), protocol=2)
    inner = b'ctorch\nFloatStorage\n'
    assert inner in content
    path.write_bytes(content.replace(inner, b'cposix\nFloatStorage\n'))
    with pytest.raises(InputError, match=r'holds posix\.FloatStorage'):
        load_dump(path)
    assert not mark.exists()


def test_a_tensor_that_is_cut_off_is_refused(tmp_path):
    import torch

    path = tmp_path / 'a.pkl'
    content = pickle.dumps(torch.arange(4), protocol=2)
    for wrong in (content[:-30], content.replace(b'LongStorage', b'ByteStorage')):
        path.write_bytes(wrong)
        with pytest.raises(InputError, match='is no pickle, or is damaged'):
            load_dump(path)


def test_a_real_dump_is_read(shared_data):
    found = load_dump(shared_data / 'eval/mmaction2_tests/eval_multisports/data_samples.pkl')
    assert len(found) == 112
    assert {sample['pred_instances']['scores'].shape[1] for sample in found} == {66}


def test_lists_and_categories_of_finegym_are_read(shared_data):
    labels = read_labels(shared_data / 'finegym/gym99_val_element.txt')
    names = read_class_names(shared_data / 'finegym/gym99_categories.txt')
    assert (len(labels.names), len(names)) == (8521, 99)
    assert names[58] == names[70] == '(BB) salto backward tucked'
    assert [sum(name.startswith(f'({event})') for name in names) for event in ('VT', 'FX', 'BB', 'UB')] == [
        6,
        35,
        33,
        25,
    ]
