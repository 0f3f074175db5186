import numpy as np
import pytest

from mmtube.errors import InputError
from mmtube.structures import TubeletLook
from mmtube.structures.io.looks_npz import read_looks_npz, write_looks_npz


def test_looks_come_back_if_they_are_of_the_same_kind(tmp_path):
    path = tmp_path / 'looks.npz'
    looks = {
        7: TubeletLook([3, 9], np.eye(4)[:2], [True, False]),
        2: TubeletLook([5], np.eye(4)[2:3], [True]),
        4: TubeletLook([], np.zeros((0, 4)), []),
    }
    write_looks_npz(looks, path, 'key')
    found = read_looks_npz(path, 'key')
    assert list(found) == [7, 2, 4]
    for track_id, look in looks.items():
        for name in ('frame_inds', 'rows', 'good'):
            np.testing.assert_array_equal(getattr(found[track_id], name), getattr(look, name))
    assert read_looks_npz(path, 'another key') is None
    assert read_looks_npz(tmp_path / 'absent.npz', 'key') is None
    write_looks_npz({}, path, 'key')
    assert read_looks_npz(path, 'key') == {}


def test_a_file_that_holds_no_looks_is_refused(tmp_path):
    path = tmp_path / 'looks.npz'
    write_looks_npz({7: TubeletLook([3], np.eye(2)[:1], [True])}, path, 'key')
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(InputError, match=r'looks\.npz'):
        read_looks_npz(path, 'key')
    np.savez(path, ids=np.arange(3))
    with pytest.raises(InputError, match='holds no looks'):
        read_looks_npz(path, 'key')
