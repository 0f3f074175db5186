"""A film gives a text, a folder of films a folder of texts."""

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

from mmtube.errors import InputError
from mmtube.structures.io import read_mot_detections
from mmtube.testing import make_film

TOOL = Path(__file__).parents[2] / 'tools' / 'detect_people.py'


class Counter:
    """Finds one person per picture, whose score tells how many pictures were seen before in this run."""

    seen = 0

    def __call__(self, images):
        found = []
        for image in images:
            if image.shape[0] == 32:
                raise RuntimeError('a picture of 32 lines')
            Counter.seen += 1
            found.append((np.array([[8, 8, 40, 40]], np.float32), np.array([Counter.seen / 1000], np.float32)))
        return found


@pytest.fixture
def detect(monkeypatch, capsys):
    """Run the tool in this process with a detector of our own; returns the exit code and what was printed."""
    main = runpy.run_path(str(TOOL))['main']
    build_stage = main.__globals__['build_stage']
    monkeypatch.setitem(
        main.__globals__,
        'build_stage',
        lambda key, *args, **kwargs: Counter() if key == 'detector' else build_stage(key, *args, **kwargs),
    )

    def run(*args):
        Counter.seen = 0
        monkeypatch.setattr(sys, 'argv', ['detect_people.py', *map(str, args)])
        return main(), capsys.readouterr()

    return run


def test_one_film_gives_one_text_and_is_done_again(detect, tmp_path):
    film = make_film(tmp_path / 'film.mp4', num_frames=3)
    for _ in range(2):
        code, printed = detect(film, '--output', tmp_path / 'out.txt')
        assert code == 0 and Counter.seen == 3
        assert printed.out == f'{tmp_path / "out.txt"}: 3 boxes in 3 frames\n'
    assert [frame.frame_ind for frame in read_mot_detections(tmp_path / 'out.txt')] == [0, 1, 2]


def test_a_folder_gives_a_text_for_each_film_and_goes_on_where_it_was(detect, tmp_path):
    (tmp_path / 'films').mkdir()
    for name, frames in (('a.mp4', 2), ('b.mkv', 3)):
        make_film(tmp_path / 'films' / name, frames)
    out = tmp_path / 'out'
    code, printed = detect(tmp_path / 'films', '--output', out)
    assert code == 0 and sorted(path.name for path in out.iterdir()) == ['a.txt', 'b.txt']
    assert printed.out.endswith('2 films done, 0 were done before, 0 cannot be used\n')
    (out / 'a.txt').unlink()
    code, printed = detect(tmp_path / 'films', '--output', out)
    assert code == 0 and Counter.seen == 2  # a.mp4 alone
    assert printed.out.endswith('1 films done, 1 were done before, 0 cannot be used\n')
    detect(tmp_path / 'films', '--output', out, '--force')
    assert Counter.seen == 5


def test_a_bad_film_does_not_end_the_batch_and_is_told_at_the_end(detect, tmp_path):
    films = tmp_path / 'films'
    films.mkdir()
    (films / 'a.mp4').write_bytes(b'no film')
    make_film(films / 'b.mp4', 2, size=(64, 32))  # the detector breaks down on it
    make_film(films / 'c.mp4', 2)
    code, printed = detect(films, '--output', tmp_path / 'out')
    assert code == 2
    assert [path.name for path in (tmp_path / 'out').iterdir()] == ['c.txt']
    told = [line for line in printed.err.splitlines() if line.startswith('error: ')]
    assert len(told) == 2 and 'a.mp4' in told[0] and 'b.mp4: RuntimeError: a picture of 32 lines' in told[1]
    assert printed.out.endswith('1 films done, 0 were done before, 2 cannot be used\n')


def test_a_part_of_the_films_and_of_the_frames_can_be_chosen(detect, tmp_path):
    films = tmp_path / 'films'
    films.mkdir()
    for name in ('test_1.mp4', 'test_2.mp4', 'train_1.mp4'):
        make_film(films / name, 5)
    code, _ = detect(films, '--output', tmp_path / 'out', '--only', 'test_*', '--every', 2)
    assert code == 0 and sorted(path.name for path in (tmp_path / 'out').iterdir()) == ['test_1.txt', 'test_2.txt']
    assert [frame.frame_ind for frame in read_mot_detections(tmp_path / 'out' / 'test_2.txt')] == [0, 2, 4]
    with pytest.raises(InputError, match='no film of this folder is called val'):
        detect(films, '--output', tmp_path / 'out', '--only', 'val*')
    with pytest.raises(InputError, match='--every must be 1 or more'):
        detect(films, '--output', tmp_path / 'out', '--every', 0)


def test_what_cannot_be_written_is_refused_before_the_work(detect, tmp_path):
    films = tmp_path / 'films'
    films.mkdir()
    make_film(films / 'a.mp4', 2)
    (tmp_path / 'file').write_text('')
    with pytest.raises(InputError, match='is a file, for a folder of films it must be a folder'):
        detect(films, '--output', tmp_path / 'file')
    make_film(films / 'a.mkv', 2)
    with pytest.raises(InputError, match='two films are called a'):
        detect(films, '--output', tmp_path / 'out')
    (tmp_path / 'none').mkdir()
    with pytest.raises(InputError, match='no film in this folder'):
        detect(tmp_path / 'none', '--output', tmp_path / 'out')
    assert Counter.seen == 0
