"""The set as a folder: what is there, that it is the same everywhere, and what happens when a run is cut short."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import av
import numpy as np
import pytest

from mmtube.datasets.synthetic import (
    COMPLEX_NAMES,
    FilmRenderer,
    SetOptions,
    contact_sheet,
    direct,
    film_truth,
    make_film,
    mini_set,
    render_films,
    write_annotations,
)
from mmtube.datasets.synthetic.annotation import coarse
from mmtube.datasets.synthetic.vocabulary import ATOMIC_NAMES
from mmtube.errors import InputError
from mmtube.structures.io import FilmWriter
from mmtube.structures.seal import read_class_rank, read_label_map, read_seal_json, write_seal_json

# Of all annotation files of the smoke set. They change when the director, the bodies or the schema change, and must
# then be written anew; on another machine they must not.
GOLDEN = 'd6ec41c48d8d932e623c20f77d0ef9a4751005e41a1c26df826062e37ba6708c'
SHORT = SetOptions(films=(1, 1, 0), seconds=(7.0, 7.0))


def annotations_hash(folder: Path) -> str:
    """Write the annotations of the smoke set, without films, and return the hash of their bytes."""
    options = SetOptions.smoke()
    digest = hashlib.sha256()
    for name, split, number in options.film_names():
        script = direct(options, split, number)
        truth = film_truth(script, FilmRenderer(script), options.film_seed(split, number))
        for kind, part in truth.items():
            write_seal_json(part, folder / f'{name}_{kind}.json')
    for path in sorted(folder.iterdir()):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob('*')) if path.is_file()}


@pytest.fixture(scope='module')
def mini(tmp_path_factory):
    """A set of two films, made by one process."""
    folder = tmp_path_factory.mktemp('mini')
    reports = list(render_films(SHORT, folder))
    write_annotations(SHORT, folder, 'a command')
    return folder, reports


def test_annotations_of_the_smoke_set_are_those_of_the_golden_hash(tmp_path):
    assert annotations_hash(tmp_path) == GOLDEN


def test_other_instructions_of_the_processor_give_the_same_annotations(tmp_path):
    for name in ('here', 'there'):
        (tmp_path / name).mkdir()
    code = (
        f'import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n'
        'from pathlib import Path; from test_mini_set import annotations_hash\n'
        f'print(annotations_hash(Path({str(tmp_path / "there")!r})))'
    )
    features = 'AVX2 FMA3 AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR'
    env = {**os.environ, 'NPY_DISABLE_CPU_FEATURES': features, 'PYTHONHASHSEED': '77', 'PYTHONWARNINGS': 'ignore'}
    run = subprocess.run([sys.executable, '-c', code], env=env, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.split()[-1] == annotations_hash(tmp_path / 'here')


def test_two_processes_make_the_same_set_as_one(mini, tmp_path):
    list(render_films(SHORT, tmp_path, workers=2))
    write_annotations(SHORT, tmp_path, 'a command')
    assert files(tmp_path) == files(mini[0])


def test_the_folder_holds_what_the_readme_says(mini):
    folder, _ = mini
    names = sorted(path.name for path in (folder / 'annotations').iterdir())
    stems = [f'{kind}{split}' for kind in ('', 'coarse_', 'objects_', 'people_') for split in ('train', 'val', 'test')]
    wanted = [f'{stem}{end}' for stem in stems for end in ('.json', '_boxes.npz')]
    wanted += [f'{kind}_{task}.json' for kind in ('label_map', 'class_rank') for task in ('atomic', 'complex')]
    assert names == sorted(wanted)
    assert [path.name for path in sorted((folder / 'videos').iterdir())] == ['train_0000.mp4', 'val_0000.mp4']
    readme = (folder / 'README.txt').read_text()
    assert 'SEAL-mini numbers' in readme and 'made by: a command' in readme and '"seed": 0' in readme
    for split, films in (('train', 1), ('val', 1), ('test', 0)):
        for kind in ('', 'people_', 'coarse_', 'objects_'):
            part = read_seal_json(folder / 'annotations' / f'{kind}{split}.json')
            assert len(part.videos) == films and {video.split for video in part.videos.values()} <= {split}


def test_label_maps_and_ranks_fit_the_annotations(mini):
    folder = mini[0] / 'annotations'
    atomic, activities = (read_label_map(folder / f'label_map_{task}.json') for task in ('atomic', 'complex'))
    assert atomic.names == ATOMIC_NAMES and activities.names == COMPLEX_NAMES
    assert [atomic.group_of(ATOMIC_NAMES.index(name)) for name in ('walk', 'hug', 'drink')] == ['pose', 'pp', 'po']
    parts = [read_seal_json(folder / f'{split}.json') for split in ('train', 'val')]
    for task, label_map in (('atomic', atomic), ('complex', activities)):
        rank = read_class_rank(folder / f'class_rank_{task}.json')
        counts = np.bincount(
            np.concatenate([p.instances(task).labels for p in parts]), minlength=len(label_map)
        )  # fmt: skip
        assert [int(counts[label]) for label in rank.order] == list(rank.counts)


def test_origins_are_in_the_coarse_file(mini):
    folder = mini[0] / 'annotations'
    for split in ('train', 'val'):
        coarse = read_seal_json(folder / f'coarse_{split}.json')
        origins = [tid for t in read_seal_json(folder / f'{split}.json').tubelets.values() for tid in t.origin]
        assert origins and set(origins) <= set(coarse.tubelets) and len(set(origins)) == len(origins)


def test_a_film_shows_what_is_drawn_at_its_time(mini):
    folder, reports = mini
    script = direct(SHORT, 'train', 0)
    renderer = FilmRenderer(script)
    with av.open(str(folder / 'videos' / 'train_0000.mp4')) as container:
        stream = container.streams.video[0]
        frames = [
            (float(f.pts * stream.time_base), f.to_ndarray(format='bgr24'), f.key_frame)
            for f in container.decode(stream)
        ]
    assert len(frames) == script.num_frames == reports[0].frames
    for index in (0, 40, len(frames) - 1):
        time_s, image, _ = frames[index]
        assert time_s == pytest.approx(index / script.fps, abs=1e-4)
        assert np.abs(image.astype(int) - renderer.draw(index)).mean() < 6
    keys = [index for index, (_, _, key) in enumerate(frames) if key]
    assert keys[0] == 0 and max(np.diff([*keys, len(frames)])) <= 25


def test_a_film_is_encoded_alike_without_the_instructions_of_the_processor(mini, tmp_path):
    script = direct(SHORT, 'train', 0)
    renderer = FilmRenderer(script)
    images = [renderer.draw(index) for index in range(30)]
    for name, more in (('with', ''), ('without', ':asm=0')):
        with FilmWriter(tmp_path / f'{name}.mp4', script.size, 26, 'superfast', threads=1, matrix='bt601') as film:
            options = film._stream.options
            film._stream.options = {**options, 'x264-params': options['x264-params'] + more}
            for index, image in enumerate(images):
                film.write(image, index / script.fps)
    decoded = []
    for name in ('with', 'without'):
        with av.open(str(tmp_path / f'{name}.mp4')) as container:
            decoded.append(np.stack([frame.to_ndarray() for frame in container.decode(video=0)]))
    assert len(decoded[0]) == 30 and np.array_equal(*decoded)


def test_films_that_are_there_are_not_made_again(mini, monkeypatch):
    folder, reports = mini
    monkeypatch.setattr(mini_set, 'make_film', None)  # calling it would raise
    again = list(render_films(SHORT, folder))
    assert [(r.name, r.frames, r.total_s) for r in again] == [(r.name, r.frames, 0.0) for r in reports]
    assert all(report.total_s > 0 for report in reports)


def test_a_set_can_grow_and_only_the_missing_film_is_made(mini, tmp_path):
    one = SetOptions(films=(0, 1, 0), seconds=(7.0, 7.0))
    list(render_films(one, tmp_path))
    before = (tmp_path / 'videos' / 'val_0000.mp4').stat().st_mtime_ns
    assert [report.total_s > 0 for report in render_films(SHORT, tmp_path)] == [False, True]
    assert (tmp_path / 'videos' / 'val_0000.mp4').stat().st_mtime_ns == before
    assert (tmp_path / 'videos' / 'train_0000.mp4').read_bytes() == (mini[0] / 'videos' / 'train_0000.mp4').read_bytes()


def test_other_options_are_refused_in_one_line_and_forced_ones_make_all_films_again(tmp_path):
    options = SetOptions(films=(0, 1, 0), seconds=(7.0, 7.0))
    other = SetOptions(films=(0, 1, 0), seconds=(7.0, 7.0), seed=1)
    list(render_films(options, tmp_path))
    (tmp_path / 'videos' / 'holiday.mp4').write_text('of somebody else')
    with pytest.raises(InputError, match=r'options.json: .* other options'):
        list(render_films(other, tmp_path))
    before = (tmp_path / 'videos' / 'val_0000.mp4').read_bytes()
    assert [report.total_s > 0 for report in render_films(other, tmp_path, force=True)] == [True]
    assert (tmp_path / 'videos' / 'val_0000.mp4').read_bytes() != before
    assert (tmp_path / 'videos' / 'holiday.mp4').exists()
    assert json.loads((tmp_path / 'options.json').read_text())['seed'] == 1


def test_films_of_which_nobody_knows_the_options_are_refused(tmp_path):
    options = SetOptions(films=(0, 1, 0), seconds=(7.0, 7.0))
    list(render_films(options, tmp_path))
    (tmp_path / 'options.json').unlink()
    with pytest.raises(InputError, match=r'options.json: .* other options'):
        list(render_films(options, tmp_path))
    assert (tmp_path / 'videos' / 'val_0000.mp4').exists() and not (tmp_path / 'options.json').exists()


def test_what_a_killed_process_left_is_cleared_away_when_the_film_is_made(mini, tmp_path):
    for left in ('videos/.val_0000.abc.mp4', 'videos/.val_0001.abc.mp4', '.films/val_0000/.coarse.abc.json'):
        (tmp_path / left).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / left).write_text('half')
    make_film(SHORT, 'val', 0, tmp_path)
    left = [path.name for path in tmp_path.rglob('*') if path.is_file() and path.name.startswith('.')]
    assert left == ['.val_0001.abc.mp4']  # of a film that may be in the making elsewhere


def test_a_process_that_is_killed_is_one_line(tmp_path, monkeypatch):
    class Pool(ProcessPoolExecutor):
        def submit(self, function, *args):
            return super().submit(os._exit, 9)

    monkeypatch.setattr(mini_set, 'ProcessPoolExecutor', Pool)
    with pytest.raises(InputError, match='a process was killed'):
        list(render_films(SHORT, tmp_path, workers=2))
    assert not (tmp_path / 'videos').exists()


def test_films_of_another_version_of_the_library_are_refused(mini, monkeypatch):
    monkeypatch.setattr(mini_set, 'fingerprint', lambda options: 'of another version')
    with pytest.raises(InputError, match='by another version'):
        list(render_films(SHORT, mini[0]))


def test_the_fingerprint_changes_with_a_pixel_and_with_the_annotations():
    class Brighter(FilmRenderer):
        def draw(self, index):
            image = super().draw(index)
            image[0, 0, 0] ^= 1
            return image

    before = mini_set.fingerprint(SHORT)
    assert (
        mini_set.fingerprint(SetOptions(films=(9, 9, 9), seconds=(7.0, 7.0)))
        == before
        != mini_set.fingerprint(SetOptions())
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mini_set, 'FilmRenderer', Brighter)
        assert mini_set.fingerprint(SHORT) != before
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(coarse, 'JITTER', 0.023)
        assert mini_set.fingerprint(SHORT) != before


def test_a_film_that_is_interrupted_is_not_there_and_is_made_next_time(tmp_path, monkeypatch):
    options = SetOptions(films=(0, 1, 0), seconds=(7.0, 7.0))

    class Interrupted(FilmRenderer):
        def draw(self, index):
            if index == 20:
                raise KeyboardInterrupt
            return super().draw(index)

    with monkeypatch.context() as patch:
        patch.setattr(mini_set, 'FilmRenderer', Interrupted)
        with pytest.raises(KeyboardInterrupt):
            list(render_films(options, tmp_path))
    assert not list((tmp_path / 'videos').iterdir())
    assert [report.total_s > 0 for report in render_films(options, tmp_path)] == [True]


def test_the_report_tells_where_the_time_goes(mini):
    for report in mini[1]:
        parts = (report.script_s, report.body_s, report.truth_s, report.draw_s, report.encode_s)
        assert min(parts) > 0 and report.total_s == pytest.approx(sum(parts))


def test_worker_counts_below_one_are_refused(tmp_path):
    with pytest.raises(ValueError, match='workers'):
        next(render_films(SHORT, tmp_path, workers=0))


def test_a_sheet_has_a_row_for_each_activity_and_a_box_round_the_person():
    small = contact_sheet(SHORT, columns=2, rows=1)
    larger = contact_sheet(SetOptions(films=(2, 0, 0), seconds=(20, 20)), columns=2, rows=3)
    assert small.dtype == np.uint8 and small.shape[1] == larger.shape[1]
    assert larger.shape[0] == 3 * small.shape[0]
    assert (small == np.array([90, 230, 250])).all(-1).sum() > 100


def test_a_film_depends_on_nothing_but_its_options(tmp_path):
    for name in ('a', 'b'):
        make_film(SHORT, 'val', 0, tmp_path / name)
    assert files(tmp_path / 'a') == files(tmp_path / 'b')
