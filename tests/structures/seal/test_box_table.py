import struct
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmtube.errors import InputError
from mmtube.structures.seal import BoxTable, read_box_table, write_box_table

TRACKS = {
    't1': ([0, 1, 5], [[0, 0, 4, 8], [1, 0, 5, 8], [2, 0, 6.5, 8]], [1, 0.5, 0.25], [0, 1, 6]),
    'nobody': ([], [], [], []),
    'é': ([7], [[1, 2, 3, 4]], [1], [4]),
}
COLUMNS = ('frame_inds', 'boxes_px', 'scores', 'flags')


def arrays(table):
    names = ('frames', 'xyxy', 'score', 'flags')
    columns = {name: np.asarray(getattr(table, column)) for name, column in zip(names, COLUMNS)}
    return {'keys': table.keys, 'offsets': table.offsets, **columns}


def test_a_table_comes_back_bit_for_bit(tmp_path):
    table = BoxTable.from_tracks(TRACKS)
    write_box_table(table, tmp_path / 'b.npz')
    again = read_box_table(tmp_path / 'b.npz')
    assert list(again) == ['t1', 'nobody', 'é'] and again.offsets.tolist() == [0, 3, 3, 4] and len(again) == 4
    for column in COLUMNS:
        one, other = getattr(table, column), getattr(again, column)
        assert one.dtype == other.dtype and one.tobytes() == other.tobytes()
    assert again['t1'].frame_inds.tolist() == [0, 1, 5] and again['t1'].flags.tolist() == [0, 1, 6]
    assert len(again['nobody'].frame_inds) == 0 and again['é'].boxes_px.tolist() == [[1, 2, 3, 4]]


def test_equal_tables_give_equal_bytes_and_numpy_reads_them(tmp_path):
    write_box_table(BoxTable.from_tracks(TRACKS), tmp_path / 'a.npz')
    write_box_table(BoxTable.from_tracks(dict(TRACKS)), tmp_path / 'b.npz')
    assert (tmp_path / 'a.npz').read_bytes() == (tmp_path / 'b.npz').read_bytes()
    with np.load(tmp_path / 'a.npz') as found:
        assert found['frames'].tolist() == [0, 1, 5, 7] and found['keys'].tolist() == ['t1', 'nobody', 'é']


def test_columns_are_mapped_and_aligned_to_64_bytes(tmp_path):
    write_box_table(BoxTable.from_tracks(TRACKS), tmp_path / 'b.npz')
    table = read_box_table(tmp_path / 'b.npz')
    for column in COLUMNS:
        array = getattr(table, column)
        assert isinstance(array.base, np.memmap) and not array.flags.writeable
        assert array.base.offset % 64 == 0 and array.ctypes.data % 64 == 0


def test_columns_in_the_order_of_fortran_are_read_too(tmp_path):
    columns = arrays(BoxTable.from_tracks(TRACKS))
    np.savez(tmp_path / 'b.npz', **{**columns, 'xyxy': np.asfortranarray(columns['xyxy'])})
    assert read_box_table(tmp_path / 'b.npz')['t1'].boxes_px.tolist() == [[0, 0, 4, 8], [1, 0, 5, 8], [2, 0, 6.5, 8]]


def test_an_empty_table_comes_back(tmp_path):
    write_box_table(BoxTable.from_tracks({}), tmp_path / 'b.npz')
    table = read_box_table(tmp_path / 'b.npz')
    assert len(table) == 0 and list(table) == [] and table.boxes_px.shape == (0, 4)


@pytest.mark.parametrize('save', [np.savez, np.savez_compressed])
def test_an_npz_of_numpy_is_read_compressed_too(tmp_path, save):
    table = BoxTable.from_tracks(TRACKS)
    save(tmp_path / 'b.npz', **arrays(table))
    again = read_box_table(tmp_path / 'b.npz')
    for column in COLUMNS:
        np.testing.assert_array_equal(getattr(again, column), getattr(table, column))


@given(
    st.dictionaries(
        st.text(st.characters(blacklist_characters='\0', blacklist_categories=('Cs',)), max_size=5),
        st.lists(st.tuples(st.integers(0, 2**31 - 1), st.floats(width=32, allow_nan=False), st.integers(0, 7))),
        max_size=4,
    )
)
def test_any_table_comes_back(tmp_path_factory, tracks):
    path = tmp_path_factory.mktemp('any') / 'b.npz'
    made = {
        key: ([r[0] for r in rows], [[r[1]] * 4 for r in rows], [0.5] * len(rows), [r[2] for r in rows])
        for key, rows in tracks.items()
    }
    write_box_table(BoxTable.from_tracks(made), path)
    again = read_box_table(path)
    assert list(again) == list(tracks)
    for key, rows in tracks.items():
        assert again[key].frame_inds.tolist() == [row[0] for row in rows]
        assert again[key].boxes_px[:, 2].tolist() == [row[1] for row in rows]
        assert again[key].flags.tolist() == [row[2] for row in rows]


@pytest.mark.parametrize('name', ['keys', 'offsets', 'frames', 'xyxy', 'score', 'flags'])
def test_a_missing_column_is_named(tmp_path, name):
    columns = arrays(BoxTable.from_tracks(TRACKS))
    del columns[name]
    np.savez(tmp_path / 'b.npz', **columns)
    with pytest.raises(InputError, match=rf"b\.npz: has no column '{name}'$"):
        read_box_table(tmp_path / 'b.npz')


@pytest.mark.parametrize(
    'change, cause',
    [
        ({'frames': np.zeros(4)}, "column 'frames' must be int32, not float64"),
        ({'xyxy': np.zeros((4, 4))}, "column 'xyxy' must be float32, not float64"),
        ({'score': np.zeros((4, 1), np.float16)}, "column 'score' must be float16"),
        ({'xyxy': np.zeros((4, 3), np.float32)}, 'columns of a box table must have one length'),
        ({'flags': np.zeros(3, np.uint8)}, 'columns of a box table must have one length'),
        ({'keys': np.zeros(3, np.int64)}, 'keys must be text'),
        ({'keys': np.array([['a'], ['b'], ['c']])}, 'keys must be text'),
        ({'keys': np.array(['a', 'b'])}, 'offsets must begin at 0'),
        ({'offsets': np.array([0, 3, 3, 5])}, 'offsets must begin at 0'),
        ({'offsets': np.array([0, 3, 2, 4])}, 'offsets must not decrease'),
        ({'offsets': np.array([0, 3, 3, 4], np.int32)}, 'offsets int64'),
        ({'keys': np.array(['a', 'b', 'a'])}, "key 'a' stands twice"),
    ],
)
@pytest.mark.parametrize('save', [np.savez, np.savez_compressed])
def test_columns_that_do_not_fit_are_refused(tmp_path, save, change, cause):
    save(tmp_path / 'b.npz', **{**arrays(BoxTable.from_tracks(TRACKS)), **change})
    with pytest.raises(InputError) as caught:
        read_box_table(tmp_path / 'b.npz')
    assert cause in str(caught.value) and 'b.npz' in str(caught.value) and '\n' not in str(caught.value)


@pytest.mark.parametrize('name', ['keys', 'xyxy'])
@pytest.mark.parametrize('save', [np.savez, np.savez_compressed])
def test_object_arrays_are_refused_and_not_run(tmp_path, save, name):
    save(tmp_path / 'b.npz', **{**arrays(BoxTable.from_tracks(TRACKS)), name: np.array([{}, None, 'x'], object)})
    with pytest.raises(InputError, match='is not an npz of boxes'):
        read_box_table(tmp_path / 'b.npz')


def test_every_cut_of_a_file_is_refused_in_one_line(tmp_path):
    write_box_table(BoxTable.from_tracks(TRACKS), tmp_path / 'b.npz')
    whole = (tmp_path / 'b.npz').read_bytes()
    for length in range(0, len(whole), 53):
        (tmp_path / 'cut.npz').write_bytes(whole[:length])
        with pytest.raises(InputError, match=r'cut\.npz: .*cut off'):
            read_box_table(tmp_path / 'cut.npz')


def test_damaged_bytes_give_a_table_or_one_line(tmp_path):
    for save in (np.savez, np.savez_compressed):
        save(tmp_path / 'b.npz', **arrays(BoxTable.from_tracks(TRACKS)))
        whole = (tmp_path / 'b.npz').read_bytes()
        refused = 0
        for at in range(0, len(whole), 7):
            damaged = bytearray(whole)
            damaged[at] ^= 0xFF
            (tmp_path / 'd.npz').write_bytes(damaged)
            try:
                read_box_table(tmp_path / 'd.npz')
            except InputError as error:
                refused += 1
                assert '\n' not in str(error)
        assert refused > 10


def test_an_encrypted_member_is_refused(tmp_path):
    np.savez(tmp_path / 'b.npz', **arrays(BoxTable.from_tracks(TRACKS)))
    whole = bytearray((tmp_path / 'b.npz').read_bytes())
    with zipfile.ZipFile(tmp_path / 'b.npz') as archive:
        start = archive.start_dir
    struct.pack_into('<H', whole, start + 8, 1)  # the flag of encryption in the first entry of the directory
    struct.pack_into('<H', whole, 6, 1)
    (tmp_path / 'b.npz').write_bytes(whole)
    with pytest.raises(InputError, match=r'b\.npz: '):
        read_box_table(tmp_path / 'b.npz')


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r'b\.npz: cannot be read \(No such file'):
        read_box_table(tmp_path / 'b.npz')


def test_an_unknown_key_is_a_key_error():
    table = BoxTable.from_tracks(TRACKS)
    assert 't1' in table and 't2' not in table
    with pytest.raises(KeyError):
        table['t2']


def test_tracks_of_unlike_columns_are_refused():
    with pytest.raises(ValueError, match='one length'):
        BoxTable.from_tracks({'t': ([0, 1], [[0, 0, 1, 1]], [1, 1], [0, 0])})
