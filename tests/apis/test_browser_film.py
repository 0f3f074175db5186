"""Which films a page shows where they lie."""

import pytest

from mmtube.apis.browser_film import film_url
from mmtube.testing import make_film


def test_a_film_that_browsers_play_is_named_relatively(tmp_path):
    (tmp_path / 'films').mkdir()
    film = make_film(tmp_path / 'films' / 'a #1.mp4', num_frames=3)
    assert film_url(film, tmp_path / 'out' / 'x') == '../../films/a%20%231.mp4'
    assert film_url(film, tmp_path / 'films') == 'a%20%231.mp4'


@pytest.mark.parametrize(
    'name, codec, size', [('a.mkv', 'libx264', (64, 48)), ('a.mp4', 'mpeg4', (64, 48)), ('a.mp4', 'libx264', (63, 47))]
)
def test_other_containers_codecs_and_pixels_need_a_copy(tmp_path, name, codec, size):
    assert film_url(make_film(tmp_path / name, num_frames=3, size=size, codec=codec), tmp_path) is None
