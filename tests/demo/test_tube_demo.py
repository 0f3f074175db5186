"""The command that a newcomer runs first: what it writes, and what it says to bad input."""

import importlib.util
import json
import shutil
import sys
from pathlib import Path

import cv2
import jsonschema
import numpy as np
import pytest

from mmtube.datasets import FrameSource
from mmtube.errors import exit_on_input_error
from mmtube.structures.io import read_mot_txt, read_result_json, result_schema
from mmtube.testing import make_film

ROOT = Path(__file__).parents[2]
OUTPUTS = {'result.json', 'tubes.mot.txt', 'subtitles.vtt', 'timeline.png', 'annotated.mp4', 'viewer.html'}


@pytest.fixture(scope='module')
def tube_demo():
    spec = importlib.util.spec_from_file_location('tube_demo', ROOT / 'demo' / 'tube_demo.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def demo(tube_demo, tmp_path, monkeypatch, capsys):
    """Run the demo in this process; returns exit code, stdout, stderr and the folder it wrote to."""

    def run(video, *args, actions='none', out_dir=None):
        out_dir = out_dir or tmp_path / 'out'
        argv = ['tube_demo.py', str(video), '--out-dir', str(out_dir), '--actions', actions, *map(str, args)]
        monkeypatch.setattr(sys, 'argv', argv)
        with pytest.raises(SystemExit) as stop:
            exit_on_input_error(tube_demo.main)
        printed = capsys.readouterr()
        return stop.value.code, printed.out, printed.err, out_dir

    return run


@pytest.fixture
def refuses(demo):
    """Run the demo on bad input; it must end with code 2 and one line, and leave nothing behind."""

    def run(video, *args, **kwargs):
        code, _, err, out_dir = demo(video, *args, **kwargs)
        errors = [line for line in err.splitlines() if line.startswith('error: ')]
        assert code == 2 and len(errors) == 1, err
        assert not out_dir.exists() or not any(out_dir.rglob('*'))
        return errors[0]

    return run


@pytest.fixture(scope='module')
def empty_street(tmp_path_factory):
    """A film without people."""
    return make_film(tmp_path_factory.mktemp('film') / 'empty.mp4', num_frames=6, size=(96, 64))


def test_a_film_without_people_is_no_error(demo, empty_street):
    code, out, _, out_dir = demo(empty_street)
    assert code == 0
    assert 'no person found' in out
    assert {path.name for path in out_dir.iterdir()} == OUTPUTS
    result = read_result_json(out_dir / 'result.json')
    jsonschema.validate(json.loads((out_dir / 'result.json').read_text()), result_schema())
    assert result.tubes == [] and result.video.num_frames == 6
    states = {stage.name: stage.state for stage in result.stages}
    assert states['detector'] == 'run' and states['clip_classifier'] == 'skipped'
    assert read_mot_txt(out_dir / 'tubes.mot.txt').tubes == []
    assert len(list(FrameSource(out_dir / 'annotated.mp4'))) == 6
    assert cv2.imread(str(out_dir / 'timeline.png')) is not None


def test_without_the_checkpoint_of_the_actions_the_tubes_are_written(
    demo, empty_street, tube_demo, monkeypatch, tmp_path
):
    monkeypatch.setenv('TORCH_HOME', str(tmp_path / 'no_cache'))
    for proxy in ('http_proxy', 'https_proxy'):
        monkeypatch.setenv(proxy, 'http://127.0.0.1:9')  # nothing listens there: no network, at once
    code, out, _, out_dir = demo(empty_street, actions=tube_demo.SLOWFAST_AVA)
    assert code == 0
    (line,) = (line for line in out.splitlines() if line.startswith('clip_classifier skipped: '))
    assert '.pth' in line and '--actions-checkpoint' in line
    (stage,) = (s for s in read_result_json(out_dir / 'result.json').stages if s.name == 'clip_classifier')
    assert stage.state == 'skipped' and '.pth' in stage.reason


@pytest.mark.parametrize('num_frames, size', [(1, (64, 48)), (4, (63, 47))], ids=['one frame', 'odd size'])
def test_unusual_films_are_no_error(demo, tmp_path, num_frames, size):
    code, _, _, out_dir = demo(make_film(tmp_path / 'film.mp4', num_frames=num_frames, size=size))
    assert code == 0
    result = read_result_json(out_dir / 'result.json')
    assert (result.video.width, result.video.height, result.video.num_frames) == (*size, num_frames)


def test_rotation_is_obeyed(demo, tmp_path):
    _, _, _, out_dir = demo(make_film(tmp_path / 'film.mp4', num_frames=3, size=(64, 48), rotation=90))
    result = read_result_json(out_dir / 'result.json')
    assert (result.video.width, result.video.height) == (48, 64)


def test_variable_frame_rate_keeps_its_times(demo, tmp_path):
    times = [0.0, 0.1, 0.15, 0.5]
    _, _, _, out_dir = demo(make_film(tmp_path / 'film.mp4', num_frames=4, times_s=times))
    drawn = [frame.time_s for frame in FrameSource(out_dir / 'annotated.mp4')]
    assert drawn == pytest.approx(times, abs=1e-3)


def test_a_missing_film_is_named(refuses, tmp_path):
    assert 'nowhere.mp4' in refuses(tmp_path / 'nowhere.mp4')


@pytest.mark.parametrize('content', [b'', b'this is a text and no film\n' * 50], ids=['empty', 'text'])
def test_what_is_no_film_is_named(refuses, tmp_path, content):
    film = tmp_path / 'bad.mp4'
    film.write_bytes(content)
    assert 'bad.mp4' in refuses(film)


def test_a_truncated_film_is_refused(refuses, tmp_path):
    film = make_film(tmp_path / 'whole.mp4', num_frames=100, frames=noise(100))
    cut = tmp_path / 'cut.mp4'
    cut.write_bytes(film.read_bytes()[: film.stat().st_size // 2])
    assert 'cut.mp4' in refuses(cut)


def test_a_film_cut_off_behind_its_index_is_refused(refuses, tmp_path):
    film = make_film(tmp_path / 'whole.mp4', num_frames=100, frames=noise(100), faststart=True)
    cut = tmp_path / 'cut.mp4'
    cut.write_bytes(film.read_bytes()[: film.stat().st_size // 2])
    assert 'truncated' in refuses(cut)


def noise(num_frames):
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (48, 64, 3), dtype=np.uint8) for _ in range(num_frames)]


def test_sound_without_picture_is_refused(refuses, tmp_path):
    film = make_film(tmp_path / 'sound.mp4', num_frames=0, audio=True)
    assert 'sound.mp4' in refuses(film)


def test_a_frame_size_that_changes_is_refused_and_nothing_is_written(refuses, tmp_path):
    small = make_film(tmp_path / 'a.h264', num_frames=10, size=(64, 48))
    large = make_film(tmp_path / 'b.h264', num_frames=10, size=(96, 64))
    film = tmp_path / 'both.h264'
    film.write_bytes(small.read_bytes() + large.read_bytes())
    message = refuses(film)
    assert 'both.h264' in message and '96x64' in message and '64x48' in message


def test_a_folder_that_cannot_be_written_is_named(refuses, empty_street, tmp_path):
    in_the_way = tmp_path / 'file'
    in_the_way.write_text('')
    assert 'cannot be written' in refuses(empty_street, out_dir=in_the_way / 'out')


def test_an_unknown_config_key_is_named_with_the_nearest_one(refuses, empty_street):
    assert "did you mean 'tracker'" in refuses(empty_street, '--cfg-options', 'trakcer.max_age=3')
    assert 'max_agee' in refuses(empty_street, '--cfg-options', 'tracker.max_agee=3')


def test_a_checkpoint_of_another_model_is_refused(refuses, empty_street, tmp_path):
    import torch

    other = tmp_path / 'other.pth'
    torch.save({'state_dict': {'fc.weight': torch.zeros(2, 2)}}, other)
    assert 'other.pth' in refuses(empty_street, '--cfg-options', f'detector.checkpoint={other}')


class Bomb:
    """Unpickling this touches a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_a_pickle_bomb_is_refused_and_does_not_go_off(refuses, empty_street, tmp_path):
    import torch

    torch.save({'state_dict': Bomb(tmp_path / 'exploded')}, tmp_path / 'bomb.pth')
    assert 'bomb.pth' in refuses(empty_street, '--cfg-options', f'detector.checkpoint={tmp_path / "bomb.pth"}')
    assert not (tmp_path / 'exploded').exists()


def test_one_bad_film_of_a_folder_is_told_at_the_end_and_the_rest_is_done(demo, empty_street, tmp_path):
    films = tmp_path / 'films'
    films.mkdir()
    shutil.copy(empty_street, films / 'a.mp4')
    (films / 'b.mp4').write_text('no film')
    shutil.copy(empty_street, films / 'c.mp4')
    code, out, err, out_dir = demo(films)
    assert code == 2
    assert '2 of 3 films done' in out
    assert err.splitlines()[-1].startswith('error: ') and 'b.mp4' in err.splitlines()[-1]
    assert {path.name for path in out_dir.iterdir()} == {'a.mp4', 'c.mp4'}
    assert {path.name for path in (out_dir / 'c.mp4').iterdir()} == OUTPUTS


def test_a_folder_of_one_bad_film_is_still_a_folder(demo, tmp_path):
    films = tmp_path / 'films'
    films.mkdir()
    (films / 'a.mp4').write_text('no film')
    code, out, err, _ = demo(films)
    assert code == 2 and '0 of 1 films done' in out
    assert 'a.mp4' in err.splitlines()[-1]


def test_a_checkpoint_that_would_not_be_used_is_refused(refuses, empty_street):
    assert '--actions-checkpoint' in refuses(empty_street, '--actions-checkpoint', 'w.pth', actions='none')


def test_a_fault_in_one_film_does_not_end_the_batch(demo, tube_demo, empty_street, tmp_path, monkeypatch):
    films = tmp_path / 'films'
    films.mkdir()
    for name in ('a.mp4', 'b.mp4'):
        shutil.copy(empty_street, films / name)
    real = tube_demo.write_outputs

    def broken(result, *args):
        if result.video.name == 'a.mp4':
            raise RuntimeError('CUDA out\nof memory')
        return real(result, *args)

    monkeypatch.setattr(tube_demo, 'write_outputs', broken)
    code, out, err, _ = demo(films)
    assert code == 2 and '1 of 2 films done' in out
    assert err.splitlines()[-1].endswith('a.mp4: RuntimeError: CUDA out of memory')


def test_the_film_itself_is_never_overwritten(demo, empty_street, tmp_path):
    folder = tmp_path / 'results'
    folder.mkdir()
    film = folder / 'annotated.mp4'
    shutil.copy(empty_street, film)
    before = film.read_bytes()
    code, _, err, _ = demo(film, out_dir=folder)
    assert code == 2 and 'would be overwritten by its own result' in err
    assert film.read_bytes() == before and [path.name for path in folder.iterdir()] == ['annotated.mp4']


def test_a_folder_in_the_place_of_a_result_is_told_before_the_work(demo, empty_street, tmp_path):
    (tmp_path / 'out' / 'annotated.mp4').mkdir(parents=True)
    code, _, err, out_dir = demo(empty_street)
    assert code == 2 and 'annotated.mp4: is a folder' in err
    assert [path.name for path in out_dir.iterdir()] == ['annotated.mp4']


def test_names_with_brackets_and_braces_are_printed_as_they_are(demo, empty_street, tmp_path):
    film = tmp_path / 'a{b}[final].mp4'
    shutil.copy(empty_street, film)
    code, out, _, _ = demo(film)
    assert code == 0 and 'a{b}[final].mp4: no person found' in out


def test_a_folder_without_films_is_refused(refuses, tmp_path):
    (tmp_path / 'films').mkdir()
    assert 'no film' in refuses(tmp_path / 'films')
