"""What training on clips costs besides the network: seeking, decoding, and the index of a set of SEAL's size."""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from annotations import SIZE as SEAL_SIZE
from annotations import make_annotations
from mmengine.registry import DefaultScope
from mmengine.runner import Runner

from mmtube.datasets.clip_index import clip_index
from mmtube.datasets.window_reader import WindowReader
from mmtube.errors import exit_on_input_error
from mmtube.registry import MODELS
from mmtube.structures.io import FilmWriter
from mmtube.structures.seal import BoxTable, InstanceTable, SEALAnnotations, TubeletRecord, VideoRecord, write_seal_json

SIZE, FPS, KEY_EVERY = (320, 240), 25, 25
PIPELINE = [
    dict(type='SampleSEALClip', clip_len=32, frame_interval=2, random_shift=True),
    dict(type='DecodeWindow', short_side=112),
    dict(type='mmaction.RandomCrop', size=112),
    dict(type='mmaction.Flip', flip_ratio=0.5),
    dict(type='mmaction.FormatShape', input_format='NCTHW', collapse=True),
    dict(type='PackSEALClip'),
]


def write_film(path: Path, seconds: float) -> Path:
    """Write a film of a textured picture that moves, with a key frame every second."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 255, (SIZE[1] // 8, SIZE[0] // 8, 3), np.uint8)
    picture = np.kron(coarse, np.ones((8, 8, 1), np.uint8))
    with FilmWriter(path, SIZE, preset='ultrafast', threads=1, matrix='bt601', key_every=KEY_EVERY) as film:
        for index in range(round(seconds * FPS)):
            film.write(np.roll(picture, (index % 240, 2 * index % 320), (0, 1)), index / FPS)
    return path


def seek_ms(path: Path, seconds: float, count: int = 30) -> float:
    """Return the milliseconds that a window of 64 frames at a random place costs, the film being open."""
    reader, rng = WindowReader(), np.random.default_rng(0)
    reader(path)
    start = time.perf_counter()
    for begin in rng.random(count) * (seconds - 2.6):
        reader(path).read(begin + np.arange(32) * 2 / FPS, None, 'rgb')
    return (time.perf_counter() - start) / count * 1e3


def write_set(root: Path, num_films: int, seconds: int) -> None:
    """Write films with two people each who act all the time."""
    num_frames = seconds * FPS
    videos, tubelets, tracks, rows = {}, {}, {}, []
    for number in range(num_films):
        vid = f'v{number}'
        write_film(root / 'videos' / f'{vid}.mp4', seconds)
        videos[vid] = VideoRecord('mini', *SIZE, FPS, num_frames, float(seconds), 'train')
        for person in range(2):
            tid = f'{vid}.{person}'
            tubelets[tid] = TubeletRecord(vid, person, (0, num_frames), tid)
            boxes = np.tile([40 + 120 * person, 40, 120 + 120 * person, 220], (num_frames, 1))
            tracks[tid] = (np.arange(num_frames), boxes, np.ones(num_frames), np.zeros(num_frames))
            rows.append((tid, person, 'pose', 0.0, float(seconds)))
    annotations = SEALAnnotations(videos, tubelets, InstanceTable.from_rows(rows), boxes=BoxTable.from_tracks(tracks))
    write_seal_json(annotations, root / 'train.json')


def tiny_slowfast() -> torch.nn.Module:
    """Return MMAction2's SlowFast R50 with an eighth of the channels."""
    pathway = dict(type='resnet3d', depth=50, pretrained=None, lateral=True, conv1_stride_t=1, pool1_stride_t=1)
    slow = dict(pathway, base_channels=8, conv1_kernel=(1, 7, 7), dilations=(1,) * 4, inflate=(0, 0, 1, 1))
    fast = dict(pathway, base_channels=2, conv1_kernel=(5, 7, 7), lateral=False, dilations=(1,) * 4)
    settings = dict(resample_rate=8, speed_ratio=4, channel_ratio=4, slow_pathway=slow, fast_pathway=fast)
    return MODELS.build(dict(type='mmaction.ResNet3dSlowFast', pretrained=None, **settings))


def step(model: torch.nn.Module, optimizer: torch.optim.Optimizer, batch: dict) -> None:
    """Run forward, backward and update on a batch."""
    inputs = torch.stack(batch['inputs']).float() / 128 - 1
    loss = sum(features.square().mean() for features in model(inputs))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def run(root: Path, workers: int, batches: int, train) -> tuple[float, float]:
    """Return seconds per batch, and of these the seconds of waiting for data, after the first two batches."""
    dataset = dict(type='SEALClips', ann_file='train.json', data_root=str(root), pipeline=PIPELINE)
    dataset.update(data_prefix=dict(video='videos'), boxes_per_s=4)
    sampler = dict(type='DefaultSampler', shuffle=True)
    settings = dict(dataset=dataset, batch_size=8, num_workers=workers, sampler=sampler)
    with DefaultScope.overwrite_default_scope('mmtube'):
        loader = iter(Runner.build_dataloader({**settings, 'collate_fn': dict(type='pseudo_collate')}, seed=0))
    for _ in range(2):
        next(loader)
    begin, waited = time.perf_counter(), 0.0
    for _ in range(batches):
        asked = time.perf_counter()
        batch = next(loader)
        waited += time.perf_counter() - asked
        train(batch)
    return (time.perf_counter() - begin) / batches, waited / batches


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--minutes', type=float, default=10, help='length of the long film; defaults to 10')
    parser.add_argument('--batches', type=int, default=12, help='batches measured; defaults to 12')
    parser.add_argument('--no-index', action='store_true', help='leave out the set of 8.8 million boxes')
    args = parser.parse_args()
    torch.set_num_threads(1)
    if not args.no_index:
        annotations = make_annotations(**SEAL_SIZE)
        for rate in (1, 4):
            begin = time.perf_counter()
            index = clip_index(annotations, boxes_per_s=rate)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
            told = f'{len(index)} clips, {index.num_rows} person-clips of {len(annotations.boxes)} boxes'
            print(f'index, {rate} boxes/s: {time.perf_counter() - begin:.1f} s for {told}; peak {peak:.1f} GiB')
        del annotations, index
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for seconds in (20, args.minutes * 60):
            cost = seek_ms(write_film(root / 'film.mp4', seconds), seconds)
            print(f'window of 64 frames at a random place of a film of {seconds:g} s: {cost:.1f} ms')
        write_set(root, 6, 20)
        model = tiny_slowfast().train()
        optimizer = torch.optim.SGD(model.parameters(), 1e-4)
        for workers in (1, 2):
            alone_s, _ = run(root, workers, args.batches, lambda batch: None)
            both_s, waited_s = run(root, workers, args.batches, lambda batch: step(model, optimizer, batch))
            step_s = both_s - waited_s
            told = f'step {step_s:.2f} s, waiting for data {waited_s:.3f} s ({waited_s / step_s:.1%} of the step)'
            print(f'{workers} workers, batch of 8 clips: data alone {alone_s:.2f} s ({alone_s / step_s:.0%}); {told}')


if __name__ == '__main__':
    exit_on_input_error(main)
