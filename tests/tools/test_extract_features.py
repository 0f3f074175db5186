"""Feature files of many films by one command: resumed, refused, in several processes."""

import os
import runpy
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from mmaction.datasets.transforms import LoadLocalizationFeature
from mmengine.config import Config

from mmtube.apis.features import load_extractor, run_job, tubelet_job
from mmtube.datasets.transforms import LoadTubeletFeatures
from mmtube.errors import InputError
from mmtube.registry import MODELS
from mmtube.structures.io import read_features_npz
from mmtube.structures.seal import (
    BoxTable,
    SEALAnnotations,
    TubeletRecord,
    VideoRecord,
    read_seal_json,
    write_seal_json,
)
from mmtube.testing import make_film

ROOT = Path(__file__).parents[2]
TOOL = 'tools/extract_features.py'


def write_config(folder, dim=512, **kwargs):
    """A config of a small 3D network of MMAction2."""
    settings = dict(stream='tiny', fps=15, window=16, stride=2, box_fps=4, dim=dim, short_side=32, **kwargs)
    backbone = dict(
        type='mmaction.ResNet3d', depth=18, pretrained=None, pretrained2d=False, base_channels=4,
        conv1_kernel=(3, 7, 7), norm_eval=True,
    )  # fmt: skip
    network = dict(data_preprocessor=dict(type='ClipPreprocessor', pad_size_divisor=1), backbone=backbone)
    model = dict(type='TubeletExtractor', network=network, **settings)
    path = folder / 'tiny_stream.py'
    path.write_text(f'default_scope = {"mmtube"!r}\nmodel = {model!r}\n')
    return path


@pytest.fixture
def run_here(monkeypatch, capsys):
    """Run the command in this process; many small runs need not import everything anew."""

    def run(script, *args):
        monkeypatch.setattr(sys, 'argv', [script, *map(str, args)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            runpy.run_path(str(ROOT / script), run_name='__main__')
        told = capsys.readouterr()
        return subprocess.CompletedProcess(sys.argv, end.value.code, told.out, told.err)

    return run


@pytest.fixture
def refused_here(run_here):
    """Run the command, which must refuse its input with one line, which is returned."""

    def run(script, *args):
        done = run_here(script, *args)
        lines = [line for line in done.stderr.splitlines() if line.startswith('error: ')]
        assert done.returncode == 2 and len(lines) == 1, done.stderr
        return lines[0]

    return run


@pytest.fixture
def world(tmp_path):
    """Three films with two people each, a config of a small network, and its weights."""
    (tmp_path / 'videos').mkdir()
    videos, tubelets, tracks = {}, {}, {}
    for number in range(3):
        vid, rng = f'v{number}', np.random.default_rng(number)
        frames = [rng.integers(0, 256, (6, 8, 3), np.uint8).repeat(8, 0).repeat(8, 1) for _ in range(60)]
        make_film(tmp_path / 'videos' / f'{vid}.mp4', frames=frames)
        videos[vid] = VideoRecord('mini', 64, 48, 25.0, 60, 2.4, 'train')
        for person, (first, stop) in enumerate(((0, 60), (20, 45))):
            tid = f'{vid}.{person}'
            inds = np.arange(first, stop)
            boxes = np.tile(np.float32([5 + 20 * person, 5, 30 + 20 * person, 40]), (len(inds), 1))
            tracks[tid] = (inds, boxes, np.ones(len(inds)), np.zeros(len(inds)))
            tubelets[tid] = TubeletRecord(vid, person, (first, stop), tid)
    annotations = SEALAnnotations(videos, tubelets, boxes=BoxTable.from_tracks(tracks))
    write_seal_json(annotations, tmp_path / 'people.json')
    config = write_config(tmp_path, 32)
    weights(config, tmp_path / 'w.pth', 0)
    return tmp_path


def weights(config, path, seed):
    """Save weights from a seed."""
    torch.manual_seed(seed)
    torch.save(MODELS.build(Config.fromfile(config).model).network.state_dict(), path)


def arguments(world, out='out', *more):
    paths = ('--ann', world / 'people.json', '--videos', world / 'videos', '--out', world / out)
    return (world / 'tiny_stream.py', '--checkpoint', world / 'w.pth', *paths, *more)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_file_for_each_film_that_the_data_set_reads(run_tool, world):
    done = run_tool(TOOL, *arguments(world))
    assert done.returncode == 0, done.stderr
    assert '3 films written, 0 could not be used' in done.stdout and '3/3 films' in done.stderr
    file = read_features_npz(world / 'out' / 'v1.npz', dict(stream='tiny', fps=15, window=16, stride=2, dim=32))
    assert set(file) == {'v1.0', 'v1.1'} and len(file.meta.checkpoint) == 16
    late = file['v1.1']
    # The first window with its centre in the tubelet is that at 8/15 + 2 * 2/15 s, the last that at 26/15 s.
    assert late.offset_s == pytest.approx(0.8) and (late.t0_s, late.t1_s) == (0.8, 1.8)
    assert len(late.features) == 8 and late.valid.all() and late.features.any(axis=1).all()
    item = dict(
        tid='v1.1', feature_files=[str(world / 'out' / 'v1.npz')], demanded=[{}],
        gt_segments_s=np.array([[1.0, 1.5]]), gt_labels=np.array([3]),
    )  # fmt: skip
    rows = LoadTubeletFeatures().transform(item)
    np.testing.assert_allclose(rows['segments'], [[1.5, 5.25]], atol=1e-5)


@pytest.mark.slow
def test_workers_and_passes_change_no_bit_and_what_is_there_is_kept(run_tool, world):
    run_tool(TOOL, *arguments(world, 'one'))
    run_tool(TOOL, *arguments(world, 'two', '--workers', 2))
    assert contents(world / 'one') == contents(world / 'two') != {}
    kept = (world / 'one' / 'v0.npz').stat().st_mtime_ns
    (world / 'one' / 'v2.npz').unlink()
    done = run_tool(TOOL, *arguments(world, 'one'))
    assert '2 of 3 films are there' in done.stdout and '1 films written' in done.stdout
    assert (world / 'one' / 'v0.npz').stat().st_mtime_ns == kept
    assert contents(world / 'one') == contents(world / 'two')


def test_files_of_another_extractor_are_refused(run_here, refused_here, world):
    run_here(TOOL, *arguments(world, 'out', '--only', 'v1'))
    assert list(contents(world / 'out')) == ['v1.npz']
    weights(world / 'tiny_stream.py', world / 'w.pth', 1)
    before = contents(world / 'out')
    message = refused_here(TOOL, *arguments(world))
    assert 'v1.npz' in message and 'checkpoint' in message and '--force' in message
    assert contents(world / 'out') == before
    done = run_here(TOOL, *arguments(world, 'out', '--force'))
    assert done.returncode == 0 and contents(world / 'out')['v1.npz'] != before['v1.npz']


@pytest.mark.parametrize('workers', [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_bad_film_is_told_at_the_end(run_here, world, workers):
    (world / 'videos' / 'v0.mp4').write_bytes(b'no film')
    (world / 'videos' / 'v1.mp4').unlink()
    make_film(world / 'videos' / 'v3.mp4', num_frames=60)
    annotations = read_seal_json(world / 'people.json')
    annotations.videos['v3'] = annotations.videos['v2']  # a film without people
    write_seal_json(annotations, world / 'people.json')
    done = run_here(TOOL, *arguments(world, 'out', '--workers', workers))
    assert done.returncode == 2
    errors = [line for line in done.stderr.splitlines() if line.startswith('error: ')]
    assert len(errors) == 2 and 'v0.mp4' in errors[1] and "no film 'v1'" in errors[0]
    assert sorted(contents(world / 'out')) == ['v2.npz', 'v3.npz']


@pytest.mark.slow
def test_an_interrupted_command_leaves_nothing_half_written_and_goes_on(run_tool, world):
    command = [sys.executable, str(ROOT / TOOL), *map(str, arguments(world))]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    limit = time.monotonic() + 60
    while not list(world.glob('out/*.npz')) and process.poll() is None and time.monotonic() < limit:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(60) in (0, 130)
    for path in (world / 'out').glob('*'):
        file = read_features_npz(path)
        assert all(file[tid].features.any() for tid in file)
    assert run_tool(TOOL, *arguments(world)).returncode == 0
    run_tool(TOOL, *arguments(world, 'fresh'))
    assert contents(world / 'out') == contents(world / 'fresh')


def test_whole_frames_need_no_annotations_and_mmaction2_reads_their_csv(run_here, world):
    settings = (
        world / 'tiny_stream.py',
        '--checkpoint',
        world / 'w.pth',
        '--videos',
        world / 'videos',
        '--whole-frame',
    )
    for form in ('npz', 'csv'):
        done = run_here(TOOL, *settings, '--out', world / form, '--format', form, '--only', 'v[12]')
        assert done.returncode == 0, done.stderr
    file = read_features_npz(world / 'npz' / 'v2.npz')
    assert list(file) == ['v2'] and file.meta.roi == 'frame' and (file['v2'].t0_s, file['v2'].t1_s) == (0, 2.4)
    assert file['v2'].features.shape == (11, 32)
    read = LoadLocalizationFeature().transform(dict(feature_path=str(world / 'csv' / 'v2.csv')))
    np.testing.assert_allclose(read['raw_feature'].T, file['v2'].features.astype(np.float32), rtol=1e-5, atol=1e-6)


def test_what_is_missing_is_told(refused_here, world):
    args = arguments(world)
    assert '--ann' in refused_here(TOOL, *args[:3], *args[5:])
    assert '--checkpoint' in refused_here(TOOL, args[0], *args[3:])
    assert 'no TubeletExtractor' in refused_here(TOOL, 'seal_mini/reid', *args[1:])
    assert 'no film nobody' in refused_here(TOOL, *args, '--only', 'nobody')
    assert 'csv is for whole frames' in refused_here(TOOL, *args, '--format', 'csv')
    assert 'another' in refused_here(TOOL, *args, '--cfg-options', 'model.network.backbone.base_channels=8')


def test_boxes_of_frames_of_another_shape_are_refused(world):
    extractor = load_extractor(str(world / 'tiny_stream.py'), str(world / 'w.pth'))
    job = tubelet_job(read_seal_json(world / 'people.json'), 'v0', world / 'videos' / 'v0.mp4', world / 'o.npz')
    job.frame_size = (48, 64)
    with pytest.raises(InputError, match='48x64, the film is 64x48'):
        run_job(job, extractor)
    assert not (world / 'o.npz').exists()


def test_a_film_without_people_has_an_empty_file(world):
    extractor = load_extractor(str(world / 'tiny_stream.py'), str(world / 'w.pth'))
    nobody = SEALAnnotations({'v0': VideoRecord('mini', 64, 48, 25.0, 60, 2.4, 'train')}, {})
    job = tubelet_job(nobody, 'v0', world / 'videos' / 'v0.mp4', world / 'o.npz')
    assert run_job(job, extractor) == {} and list(read_features_npz(world / 'o.npz')) == []
