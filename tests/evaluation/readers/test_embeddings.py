"""Lists of images and features by name."""

import numpy as np
import pytest

from mmtube.errors import InputError
from mmtube.evaluation.readers.embeddings import read_embeddings, read_gallery

LIST = 'name,id,camera,role\nq1,7,1,query\ng1,7,2,gallery\n'


def refused(read, path, text=None):
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError) as caught:
        read(path)
    assert str(caught.value).startswith(str(path)) and '\n' not in str(caught.value)
    return str(caught.value)


def test_a_list_is_csv_or_npz(tmp_path):
    (tmp_path / 'list.csv').write_text('\ufeffrole,id,name,camera,tracklet\nquery,7,q1,1,t1\ngallery,-1,g1,2,t2\n\n')
    np.savez(
        tmp_path / 'list.npz',
        names=['q1', 'g1'],
        ids=[7, -1],
        cameras=[1, 2],
        roles=['query', 'gallery'],
        tracklets=['t1', 't2'],
    )
    for suffix in ('csv', 'npz'):
        gallery = read_gallery(tmp_path / f'list.{suffix}')
        assert gallery.names.tolist() == ['q1', 'g1'] and gallery.ids.tolist() == [7, -1]
        assert gallery.cameras.tolist() == [1, 2] and gallery.queries.tolist() == [True, False]
        assert gallery.tracklets.tolist() == ['t1', 't2']


@pytest.mark.parametrize(
    ('text', 'cause'),
    [
        ('', 'name is missing'),
        ('name,id,role\n', 'camera is missing'),
        (LIST + 'g2,7\n', 'row 3: has 2 columns'),
        (LIST + 'g2,7,2,galery\n', "row 3: the role is 'galery'"),
        (LIST + 'g2,seven,2,gallery\n', "row 3: id is no number: 'seven'"),
        (LIST + 'g2,--5,2,gallery\n', "row 3: id is no number: '--5'"),
        (LIST + 'g2,7.0,2,gallery\ng3,x,2,gallery\n', "row 4: id is no number: 'x'"),
        (LIST + 'g2,7,2.5,gallery\n', 'row 3: camera is no whole number'),
        (LIST + 'g2,9007199254740993,2,gallery\n', 'row 3: id is no whole number below 2^53'),
        (LIST + 'g2,nan,2,gallery\n', 'row 3: id is no whole number below 2^53'),
        (LIST + 'g' * 200_000 + ',7,2,gallery\n', 'is no csv (field larger'),
        (LIST + 'g1,8,2,gallery\n', 'row 3 (g1): the name stands there before'),
        (LIST + 'q2,0,2,query\n', 'row 3 (q2): a query cannot be junk'),
        (LIST + 'g2,-2,2,gallery\n', 'row 3 (g2): the ID is below -1'),
        ('name,id,camera,role\ng1,7,2,gallery\n', "no row with the role 'query'"),
        ('name,id,camera,role\nq1,7,2,query\n', "no row with the role 'gallery'"),
        ('name,id,camera,role\n', "no row with the role 'query'"),
    ],
)
def test_a_faulty_list_is_refused(tmp_path, text, cause):
    assert cause in refused(read_gallery, tmp_path / 'list.csv', text)


def test_a_faulty_npz_is_refused(tmp_path):
    path = tmp_path / 'a.npz'
    assert 'cannot be read' in refused(read_gallery, path)
    assert 'no npz' in refused(read_embeddings, path, 'text')
    np.savez(path, names=['a'], ids=[1, 2], cameras=[1], roles=['query'])
    assert 'ids must have shape (1,)' in refused(read_gallery, path)
    assert "no array 'features'" in refused(read_embeddings, path)
    np.savez(path, names=['a', 'b'], features=np.zeros((3, 2)))
    assert 'shape (2, D)' in refused(read_embeddings, path)
    np.savez(path, names=['a', 'b'], features=np.array([[1.0], [np.nan]]))
    assert 'row 2 (b): the feature is not finite' in refused(read_embeddings, path)
    np.savez(path, names=['a', 'a'], features=np.array([[1.0], [2.0]]))
    assert 'row 2: a stands there before with another feature' in refused(read_embeddings, path)
    np.savez(path, names=np.array(['a'], object), features=np.zeros((1, 2)))
    assert 'no npz of plain arrays' in refused(read_embeddings, path)


def test_features_come_back_in_the_order_of_their_names(tmp_path):
    np.savez(tmp_path / 'f.npz', names=['b', 'a', 'b'], features=np.array([[1.0], [2.0], [1.0]]))
    names, features = read_embeddings(tmp_path / 'f.npz')
    assert names.tolist() == ['a', 'b'] and features.tolist() == [[2.0], [1.0]]
    np.savez(tmp_path / 'none.npz', names=np.zeros(0, str), features=np.zeros((0, 8)))
    assert len(read_embeddings(tmp_path / 'none.npz')[0]) == 0


def test_features_without_a_column_are_refused(tmp_path):
    np.savez(tmp_path / 'e.npz', names=['a', 'b'], features=np.zeros((2, 0)))
    assert 'features have no column' in refused(read_embeddings, tmp_path / 'e.npz')
