"""Feature files: bit for bit back, one tubelet at a time, and never those of another extractor."""

import json
import zipfile

import numpy as np
import pytest

from mmtube.errors import InputError
from mmtube.structures.io import FeatureMeta, TubeletFeatures, read_features_npz, write_features_npz

META = FeatureMeta('tsp_t', 15.0, 16, 2, 2.0, 3, 'align7-avg', 'abc')


def tubelet(rows=4, dim=3, seed=0):
    rng = np.random.default_rng(seed)
    return TubeletFeatures(rng.random((rows, dim)), rng.random(rows) > 0.3, 7.2 + seed, 7.1, 8.0)


@pytest.fixture
def path(tmp_path):
    write_features_npz(tmp_path / 'v.npz', META, {'t/1': tubelet(), 'zwei': tubelet(9, seed=1)})
    return tmp_path / 'v.npz'


def test_a_file_comes_back_bit_for_bit(path):
    file = read_features_npz(path)
    assert file.meta == META and file.tids == ('t/1', 'zwei') and 't/1' in file and 'drei' not in file
    for tid, expected in (('t/1', tubelet()), ('zwei', tubelet(9, seed=1))):
        found = file[tid]
        assert found.features.dtype == np.float16
        np.testing.assert_array_equal(found.features, expected.features)
        np.testing.assert_array_equal(found.valid, expected.valid)
        assert (found.offset_s, found.t0_s, found.t1_s) == (expected.offset_s, 7.1, 8.0)
        assert file.num_rows(tid) == len(expected.features)


def test_numpy_reads_the_documented_members(path):
    with np.load(path, allow_pickle=False) as content:
        assert content['feat_zwei'].shape == (9, 3) and content['feat_zwei'].dtype == np.float16
        assert content['valid_zwei'].dtype == np.uint8
        assert content['offset_zwei'] == 8.2 and content['t0_zwei'] == 7.1 and content['t1_zwei'] == 8.0
        assert json.loads(str(content['meta']))['stream'] == 'tsp_t'


def test_equal_content_gives_equal_bytes(path, tmp_path):
    write_features_npz(tmp_path / 'again.npz', META, {'t/1': tubelet(), 'zwei': tubelet(9, seed=1)})
    assert path.read_bytes() == (tmp_path / 'again.npz').read_bytes()


def test_one_tubelet_is_read_without_the_others(path, monkeypatch):
    read, original = [], zipfile.ZipFile.read
    file = read_features_npz(path)
    monkeypatch.setattr(zipfile.ZipFile, 'read', lambda self, name: read.append(name) or original(self, name))
    file['zwei']
    assert read and all(name.endswith('_zwei.npy') for name in read)


@pytest.mark.parametrize(
    ('demanded', 'told'),
    [
        ({'stream': 'slowfast_t'}, "stream is 'tsp_t', the config demands 'slowfast_t'"),
        ({'stream': 'tsp_t', 'stride': 16}, 'stride is 2, the config demands 16'),
        ({'dim': 512}, 'dim is 3, the config demands 512'),
        ({'checkpoint': 'xyz'}, "checkpoint is 'abc', the config demands 'xyz'"),
    ],
)
def test_features_of_another_extractor_are_refused_in_one_line(path, demanded, told):
    with pytest.raises(InputError) as caught:
        read_features_npz(path, demanded)
    assert str(caught.value) == f'{path}: {told}'
    read_features_npz(path, {'stream': 'tsp_t', 'fps': 15})


def test_a_demand_that_files_cannot_meet_is_refused(path):
    with pytest.raises(ValueError, match="no 'colour'"):
        read_features_npz(path, {'colour': 'red'})


def test_a_tubelet_that_is_not_there_is_refused(path):
    with pytest.raises(InputError, match=r'v\.npz: has no feat_drei'):
        read_features_npz(path)['drei']


@pytest.mark.parametrize(
    ('features', 'told'), [(np.zeros((4, 2)), 'are 2 numbers, not 3'), (np.full((4, 3), 1e6), 'not finite')]
)
def test_features_that_do_not_fit_are_not_written(tmp_path, features, told):
    with pytest.raises(InputError, match=told), np.errstate(over='ignore'):
        write_features_npz(tmp_path / 'v.npz', META, {'t': TubeletFeatures(features, np.ones(4), 0, 0, 1)})
    assert not list(tmp_path.iterdir())


def test_rows_and_validity_must_fit():
    with pytest.raises(ValueError, match='do not fit'):
        TubeletFeatures(np.zeros((4, 3)), np.ones(3), 0, 0, 1)


def test_a_damaged_or_foreign_file_is_refused_in_one_line(path, tmp_path):
    np.savez(tmp_path / 'foreign.npz', a=np.zeros(3))
    (tmp_path / 'cut.npz').write_bytes(path.read_bytes()[:-200])
    np.savez(tmp_path / 'meta.npz', meta=np.array('{"version": "features-1", "stream": 1}'))
    for name, told in (
        ('none.npz', 'cannot be read'),
        ('foreign.npz', 'no meta data'),
        ('cut.npz', 'no npz, or is cut off'),
        ('meta.npz', 'meta data cannot be used'),
    ):
        with pytest.raises(InputError, match=told) as caught:
            read_features_npz(tmp_path / name)
        assert name in str(caught.value) and '\n' not in str(caught.value)


def test_pickled_objects_are_not_read(path, tmp_path):
    members = {f'{name}_t': np.float64(0) for name in ('offset', 't0', 't1')}
    meta = np.array(json.dumps({'version': 'features-1', **META.__dict__}))
    np.savez(tmp_path / 'o.npz', meta=meta, feat_t=np.array([[None] * 3]), valid_t=np.ones(1), **members)
    with pytest.raises(InputError, match='feat_t cannot be read'):
        read_features_npz(tmp_path / 'o.npz')['t']
