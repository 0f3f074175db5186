"""A pickle is read without running what it says."""

import os
import pickle
import subprocess
from collections import Counter, OrderedDict, defaultdict

import numpy as np
import pytest

from mmtube.errors import InputError
from mmtube.structures.io.safe_pickle import RefusedError, load_pickle

TREE = {
    'labels': ['run', 'jump'],
    'gttubes': {'run/v_1': {0: [np.array([[1, 2.5, 3, 4, 5]], np.float32)]}},
    'resolution': OrderedDict([('run/v_1', (240, 320))]),
    'nframes': defaultdict(list, {'run/v_1': [np.int64(7), np.float32(0.5), True, None]}),
    'sets': ({1, 2}, frozenset('a'), b'\x00\xff', bytearray(b'xy'), b''),
}


def same(left, right):
    assert type(left) is type(right), (left, right)
    if isinstance(left, dict):
        assert list(left) == list(right)
        for key in left:
            same(left[key], right[key])
    elif isinstance(left, (list, tuple)):
        assert len(left) == len(right)
        for one, other in zip(left, right):
            same(one, other)
    elif isinstance(left, np.ndarray):
        assert left.dtype == right.dtype
        np.testing.assert_array_equal(left, right)
    else:
        assert left == right


def written(tmp_path, value, protocol=4):
    path = tmp_path / 'value.pkl'
    path.write_bytes(value if isinstance(value, bytes) else pickle.dumps(value, protocol=protocol))
    return path


@pytest.mark.parametrize('protocol', range(pickle.HIGHEST_PROTOCOL + 1))
def test_arrays_numbers_and_containers_come_back_as_they_were(tmp_path, protocol):
    same(load_pickle(written(tmp_path, TREE, protocol)), TREE)


@pytest.mark.parametrize('protocol', [0, 2, 4, 5])
@pytest.mark.parametrize(
    'array',
    [
        np.arange(6, dtype='>i4').reshape(2, 3),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.zeros((0, 5), np.float32),
        np.array(3.5),
        np.array([True, False]),
        np.array(['ab', 'c']),
        np.array([1, 'two', None], object),
        np.array([1 + 2j], np.complex64),
    ],
    ids=lambda array: array.dtype.str + str(array.shape),
)
def test_every_kind_of_array_comes_back(tmp_path, array, protocol):
    same(load_pickle(written(tmp_path, array, protocol)), array)


def test_a_pickle_of_python_2_is_read(tmp_path):
    # {'a': np.array([1, 2], '<i2')} as Python 2 and numpy 1.11 wrote it: raw bytes as text, numpy.core, __builtin__.
    raw = (
        b'\x80\x02}q\x00U\x01aq\x01cnumpy.core.multiarray\n_reconstruct\nq\x02cnumpy\nndarray\nq\x03K\x00\x85U\x01bq\x04'
        b'\x87Rq\x05(K\x01K\x02\x85cnumpy\ndtype\nq\x06U\x02i2q\x07K\x00K\x01\x87Rq\x08(K\x03U\x01<q\tNNNJ\xff\xff\xff\xff'
        b'J\xff\xff\xff\xffK\x00tb\x89U\x04\x01\x00\x02\x00q\ntbs.'
    )
    same(load_pickle(written(tmp_path, raw)), {'a': np.array([1, 2], '<i2')})


def test_an_object_used_twice_stays_one_object(tmp_path):
    array = np.arange(3)
    first, second = load_pickle(written(tmp_path, [array, array]))
    assert first is second
    first[0] = 9  # and can be written to
    assert second[0] == 9


def test_further_names_are_read_as_the_caller_says(tmp_path):
    path = written(tmp_path, [Call(subprocess.list2cmdline, ['a', 'b']), np.arange(2)])
    also = {('subprocess', 'list2cmdline'): lambda words: len(words)}
    found = load_pickle(path, also=also)
    assert found[0] == 2 and found[1].tolist() == [0, 1]
    with pytest.raises(InputError, match=r'holds subprocess\.list2cmdline'):
        load_pickle(path)

    def refuse(words):
        raise RefusedError(f'holds {len(words)} words')

    with pytest.raises(InputError, match='holds 2 words; only numpy arrays'):
        load_pickle(path, also={('subprocess', 'list2cmdline'): refuse})
    with pytest.raises(InputError, match=r'holds .*\.system'):
        load_pickle(written(tmp_path, Call(os.system, 'true')), also=also)


def test_names_that_are_read_already_stay_what_they_are(tmp_path):
    path = written(tmp_path, np.arange(2))
    core = np.array(0).__reduce__()[0].__module__
    also = {('numpy', 'dtype'): print, (core, '_reconstruct'): print}
    assert load_pickle(path, also=also).tolist() == [0, 1]


class Call:
    def __init__(self, function, *args):
        self.parts = function, args

    def __reduce__(self):
        return self.parts


@pytest.mark.parametrize(
    ('value', 'named'),
    [
        (Call(os.system, 'touch {0}'), 'system'),
        (Call(subprocess.check_output, ['touch', '{0}']), 'check_output'),
        (Call(eval, '1'), 'builtins.eval'),
        (Call(getattr, 1, 'real'), 'builtins.getattr'),
        (Call(np.load, 'x'), 'numpy'),
        (Call(np.fromfile, 'x'), 'numpy'),
        (Counter('aa'), 'collections.Counter'),
        (np.zeros(2, [('a', 'i4'), ('b', 'O')]), 'fields'),
        (np.zeros(2, 'M8[s]'), 'type'),
        ({'x': [len]}, 'builtins.len'),
        ({'x': [list]}, 'list'),
    ],
    ids=lambda value: value if isinstance(value, str) else '',
)
@pytest.mark.parametrize('protocol', [0, 2, 4])
def test_anything_else_is_refused_by_name_and_not_run(tmp_path, value, named, protocol):
    witness = tmp_path / 'was_run'
    raw = pickle.dumps(value, protocol=protocol).replace(b'{0}', b'was')
    with pytest.raises(InputError) as caught:
        load_pickle(written(tmp_path, raw))
    assert named in str(caught.value) and 'value.pkl' in str(caught.value) and '\n' not in str(caught.value)
    assert not witness.exists()


def test_a_file_cannot_change_the_reader(tmp_path):
    # GLOBAL numpy...scalar, BUILD with slot state {'__setstate__': str}: would change the stand-in for ever.
    raw = b'\x80\x02cnumpy.core.multiarray\nscalar\nN}U\x0c__setstate__c__builtin__\nstr\ns\x86b.'
    with pytest.raises(InputError, match='changes'):
        load_pickle(written(tmp_path, raw))
    same(load_pickle(written(tmp_path, TREE)), TREE)


def test_an_array_that_lies_about_its_length_is_refused(tmp_path):
    raw = pickle.dumps(np.arange(3, dtype=np.uint8), protocol=2)
    assert raw.count(b'K\x03\x85') == 1
    with pytest.raises(InputError, match='not as long as it says'):
        load_pickle(written(tmp_path, raw.replace(b'K\x03\x85', b'K\x63\x85')))


@pytest.mark.parametrize('raw', [b'', b'no pickle', pickle.dumps(TREE)[:-40], b'\x80\x04N', b'(' * 9], ids=len)
def test_a_damaged_file_is_refused_in_one_line(tmp_path, raw):
    with pytest.raises(InputError, match=r'value\.pkl: is no pickle, or is damaged') as caught:
        load_pickle(written(tmp_path, raw))
    assert '\n' not in str(caught.value)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match='cannot be read'):
        load_pickle(tmp_path / 'none.pkl')


def test_the_tubes_of_a_real_set_are_read(shared_data):
    tree = load_pickle(shared_data / 'eval' / 'mmaction2_tests' / 'eval_multisports' / 'gt.pkl')
    assert {'labels', 'gttubes', 'nframes', 'resolution', 'test_videos'} <= set(tree)
    tube = next(tube for film in tree['gttubes'].values() for tubes in film.values() for tube in tubes)
    assert tube.ndim == 2 and tube.shape[1] == 5
