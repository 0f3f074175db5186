import pytest

from mmtube.datasets.film_folder import find_film
from mmtube.errors import InputError


def test_a_film_is_found_by_its_name_whatever_its_suffix(tmp_path):
    for name in ('a.mp4', 'b.MKV', 'b.txt', 'd.e.webm'):
        (tmp_path / name).touch()
    assert find_film(tmp_path, 'a') == tmp_path / 'a.mp4'
    assert find_film(tmp_path, 'b') == tmp_path / 'b.MKV'
    assert find_film(tmp_path, 'd.e') == tmp_path / 'd.e.webm'


def test_a_film_that_is_added_later_is_found(tmp_path):
    (tmp_path / 'a.mp4').touch()
    with pytest.raises(InputError, match="has no film 'b'"):
        find_film(tmp_path, 'b')
    (tmp_path / 'b.mp4').touch()
    assert find_film(tmp_path, 'b').name == 'b.mp4'


def test_two_films_of_one_name_and_a_missing_folder_are_refused(tmp_path):
    for name in ('a.mp4', 'a.avi'):
        (tmp_path / name).touch()
    with pytest.raises(InputError, match=r"two films 'a': a.avi and a.mp4"):
        find_film(tmp_path, 'a')
    with pytest.raises(InputError, match='cannot be read'):
        find_film(tmp_path / 'none', 'a')
