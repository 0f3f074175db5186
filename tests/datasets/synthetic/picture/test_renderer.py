import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from acted_films import make_film, make_look

from mmtube.datasets.synthetic.picture.renderer import CHUNK, FilmRenderer, film_strip
from mmtube.datasets.synthetic.script import SCENES
from mmtube.datasets.synthetic.vocabulary import ATOMIC_NAMES

# Of the films below; they change only when the pictures are meant to change.
GOLDEN_FRAMES = 'a89e62b386514d9f'
GOLDEN_JOINTS = 'a0879890acd9d06a'
PROGRAM = """
import sys, cv2
cv2.setUseOptimized(False)
sys.path[:0] = sys.argv[1:]
from test_renderer import digests
print(*digests())
"""


def digests():
    """Return the hashes of some frames and of all joints, rounded to micrometres."""
    frames, joints = hashlib.sha256(), hashlib.sha256()
    for number, action in enumerate(('walk', 'hug', 'lift', 'sweep', 'kick ball', 'read', 'push cart')):
        look = make_look(hair_style=number % 4, stripe=(40, 200, 230), long_sleeves=number % 2 == 0)
        film = make_film(action, yaw=0.16 * number, seconds=1.2, look=look, shift_px=(number, -number))
        film.shots[0] = replace(film.shots[0], scene=SCENES[number % 5])
        renderer = FilmRenderer(film)
        for index in (0, 20, 33):
            frames.update(renderer.draw(index).tobytes())
        joints.update(np.round(renderer.body(0).joints_m * 1e6).astype(np.int64).tobytes())
    return frames.hexdigest()[:16], joints.hexdigest()[:16]


def test_pictures_are_as_they_were():
    assert digests() == (GOLDEN_FRAMES, GOLDEN_JOINTS)


def test_pictures_do_not_depend_on_the_processor():
    from numpy.core._multiarray_umath import __cpu_dispatch__, __cpu_features__

    off = [name for name in __cpu_dispatch__ if __cpu_features__.get(name)]
    disabled = {'NPY_DISABLE_CPU_FEATURES': ' '.join(off), 'OPENCV_CPU_DISABLE': 'AVX2,FMA3,AVX,FP16,SSE4.2,SSE4.1'}
    environment = {**os.environ, **disabled, 'OPENCV_IPP': 'disabled'}
    here = Path(__file__).parent
    run = subprocess.run(
        [sys.executable, '-c', PROGRAM, str(here), str(here.parent)], env=environment, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    assert tuple(run.stdout.split()[-2:]) == digests()


@pytest.mark.parametrize('action', [name for name in ATOMIC_NAMES if name not in ('carry', 'sit down', 'stand up')])
def test_every_action_changes_the_picture(film_of, action):
    film = film_of(action, yaw=0.05, seconds=1.5)
    renderer = FilmRenderer(film)
    acting = [renderer.draw(index) for index in range(14, 50, 6)]
    person = film.people[0]
    person.acts = []
    person.position_m = np.repeat(person.position_m[:1], film.num_frames, axis=0)
    still = FilmRenderer(film)
    changed = [(frame != still.draw(14 + 6 * n)).any(axis=2).sum() for n, frame in enumerate(acting)]
    assert max(changed) > 200  # of the 3000 or so pixels of a person


def test_the_same_frame_is_the_same_in_any_order(film_of):
    film = film_of('walk', seconds=4.0)
    forward, backward = FilmRenderer(film), FilmRenderer(film)
    indices = [0, CHUNK - 1, CHUNK, 100]
    frames = [forward.draw(index) for index in indices]
    for index, frame in reversed(list(zip(indices, frames))):
        assert np.array_equal(backward.draw(index), frame)


def test_a_frame_is_a_picture_of_its_own(film_of):
    renderer = FilmRenderer(film_of('walk', size=(200, 150)))
    first = renderer.draw(0)
    assert first.shape == (150, 200, 3) and first.dtype == np.uint8 and first.flags.c_contiguous
    first[:] = 0
    assert renderer.draw(0).any()


@pytest.mark.parametrize('index', [-1, 75])
def test_a_frame_that_is_not_there_is_refused(film_of, index):
    with pytest.raises(IndexError, match='75 frames'):
        FilmRenderer(film_of('walk')).draw(index)


def test_a_shift_moves_everything_by_whole_pixels(film_of, monkeypatch):
    monkeypatch.setattr('mmtube.datasets.synthetic.picture.renderer.NOISE', 0)
    still, moved = (FilmRenderer(film_of('squat', shift_px=shift)).draw(40) for shift in ((0, 0), (13, -6)))
    assert np.array_equal(moved[:-6, 13:], still[6:, :-13])


def test_a_shift_beyond_the_usual_margin_is_drawn_too(film_of):
    frame = FilmRenderer(film_of('squat', shift_px=(-120, 40))).draw(0)
    assert frame.shape == (240, 320, 3) and frame.any(axis=2).mean() > 0.99


def test_shots_have_their_own_backdrops(film_of):
    film = film_of('squat')
    first = film.shots[0]
    film.shots = [
        replace(first, end=30, shift_px=first.shift_px[:30]),
        replace(first, start=30, scene='park', shift_px=first.shift_px[30:]),
    ]
    renderer = FilmRenderer(film)
    before, after = renderer.draw(29).astype(int), renderer.draw(30).astype(int)
    assert np.abs(before - after).mean() > 10
    assert np.abs(renderer.draw(28).astype(int) - before).mean() < 5


def test_absent_people_and_objects_are_not_drawn(film_of):
    film = film_of('drink')
    empty = film_of('drink')
    film.people[0].present[:] = False
    film.props[0].present[:] = False
    empty.people, empty.props = [], []
    assert np.array_equal(FilmRenderer(film).draw(30), FilmRenderer(empty).draw(30))
    assert np.isnan(FilmRenderer(film).prop_boxes_px(0)).all()


def test_a_person_may_be_nowhere_while_absent(film_of):
    film = film_of('walk')
    film.people[0].present[:20] = False
    film.people[0].position_m[:20] = np.nan
    film.people[0].yaw[:20] = np.nan
    renderer = FilmRenderer(film)
    assert np.isfinite(renderer.body(0).joints_m[20:]).all()
    assert not np.array_equal(renderer.draw(19), renderer.draw(25))


def test_a_film_may_be_empty_and_of_one_frame(film_of):
    film = film_of('squat')
    shot = replace(film.shots[0], end=1, shift_px=film.shots[0].shift_px[:1])
    empty = replace(film, num_frames=1, people=[], shots=[shot])
    assert FilmRenderer(empty).draw(0).shape == (240, 320, 3)
    who = film.people[0]
    once = replace(
        who, position_m=who.position_m[:1], yaw=who.yaw[:1], present=who.present[:1], seated=who.seated[:1], acts=[]
    )
    alone = FilmRenderer(replace(empty, people=[once]))
    assert not np.array_equal(alone.draw(0), FilmRenderer(empty).draw(0))


def test_the_box_of_an_object_is_where_it_is_drawn(film_of, monkeypatch):
    monkeypatch.setattr('mmtube.datasets.synthetic.picture.renderer.NOISE', 0)
    for action in ('lift', 'push cart', 'bounce ball', 'chop'):
        film = film_of(action, shift_px=(-20, 3))
        film.people[0].acts = []
        film.props[0].holder[:] = -1
        film.people[0].present[:] = False
        renderer = FilmRenderer(film)
        with_it, box = renderer.draw(9), renderer.prop_boxes_px(0)[9]
        film.props[0].present[:] = False
        drawn = (np.abs(with_it.astype(int) - FilmRenderer(film).draw(9)) > 25).any(axis=2)
        rows, columns = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
        extent = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
        assert np.abs(extent - box).max() < 2.5, action


def test_a_strip_has_a_cell_for_each_frame(film_of):
    renderer = FilmRenderer(film_of('walk', size=(160, 120)))
    sheet = film_strip(renderer, [0, 10, 20], ['a', 'b'], columns=2)
    assert sheet.shape == (2 * (120 + 18), 2 * 162, 3)
    assert np.array_equal(sheet[:120, 162:322], renderer.draw(10))
    captions = sheet[120:138]
    assert (captions[:, :100] < 128).any() and (captions[:, 162:] < 128).any()
    assert not (sheet[258:] < 128).any()  # no third caption
