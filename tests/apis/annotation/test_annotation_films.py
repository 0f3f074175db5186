"""Work film by film: resumed, and not ended by a bad film."""

import json

import pytest

from mmtube.apis.annotation import BadFilms, FilmParts
from mmtube.errors import InputError


def parts(folder):
    return FilmParts(
        folder, lambda path: json.loads(path.read_text()), lambda made, path: path.write_text(json.dumps(made))
    )


def test_a_film_is_done_once_for_the_same_settings(tmp_path):
    made = []
    store = parts(tmp_path)
    for settings, is_new in (('a', True), ('a', False), ('b', True), ('a', False)):
        assert store.get('v', settings, lambda: made.append(0) or [1, 2]) == ([1, 2], is_new)
    assert len(made) == 2
    store.clear()
    assert not tmp_path.exists()
    store.clear()


def test_a_film_that_raises_leaves_nothing_behind(tmp_path):
    with pytest.raises(ZeroDivisionError):
        parts(tmp_path).get('v', 'a', lambda: 1 / 0)
    assert list(tmp_path.iterdir()) == []


def test_bad_films_are_passed_over_and_told_in_one_line():
    bad = BadFilms()

    def work(vid):
        if vid == 'b':
            raise InputError('b.mp4: is cut off')
        return 1 / (vid != 'c')

    assert [vid for vid, _ in bad.each('abcd', work)] == ['a', 'd']
    with pytest.raises(InputError, match=r'^2 films were left out: b.mp4: is cut off; c: ZeroDivisionError: division'):
        bad.refuse()
    BadFilms().refuse()


def test_of_many_bad_films_the_first_are_told():
    bad = BadFilms()
    bad.causes = {str(n): f'{n}.mp4: is cut off' for n in range(8)}
    with pytest.raises(InputError, match=r'4.mp4: is cut off \(and 3 more\)$'):
        bad.refuse()
