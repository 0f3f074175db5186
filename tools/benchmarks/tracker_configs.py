"""Score tracker configs on generated streets and, where there is SEAL-mini, on the boxes of its validation films.

A street is a crowd of pedestrians that cross a picture at several depths, walk, stop and hide one another; nothing is
drawn. Boxes are missed where somebody nearer covers a person and now and then in bursts, jitter by 4 % of their size,
and there are half boxes and false alarms. Rates are 7 to 25 frames a second, one kind of street has a camera that
sways. On SEAL-mini the coarse tubelets are taken without their IDs, and a shot change ends every track.

tools/benchmarks/tracker_configs.py [--configs tracking/motion ...] [--seal-mini data/seal_mini]
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

os.environ.setdefault('OMP_NUM_THREADS', '1')

import numpy as np

from mmtube.apis import StageClock, build_stage, load_pipeline, refine_tubes
from mmtube.errors import exit_on_input_error
from mmtube.evaluation.readers.track_scope import shots_of, split_at_shots
from mmtube.evaluation.readers.tracks import TrackTable, read_truth, track_table
from mmtube.evaluation.scoring.tracks import score_tables
from mmtube.structures import FrameDetections, Tube
from mmtube.structures.seal import read_seal_json

WIDTH, HEIGHT, SECONDS = 1280, 720, 20
STREETS = [(8, 25, 0.0), (14, 25, 0.0), (10, 10, 0.0), (8, 7, 0.0), (8, 14, 6.0)]  # people, frames/s, sway in pixels
CONFIGS = [f'tracking/{name}' for name in ('motion', 'bytetrack', 'ocsort')]
Film = tuple[str, list[FrameDetections], list[int], np.ndarray]  # name, boxes, shot starts, times


def street(seed: int, people: int, fps: int, sway_px: float) -> tuple[list[Tube], list[FrameDetections]]:
    """Return the people of a street and the boxes of a detector that watches it."""
    rng, frames, count = np.random.default_rng(seed), SECONDS * fps, people * 3
    depth = rng.uniform(0.3, 1, count)
    height = HEIGHT * 0.5 * depth
    width, foot = 0.4 * height, HEIGHT * 0.35 + 0.9 * height + rng.uniform(-5, 5, count)
    speed = rng.uniform(0.9, 1.7, count) / 1.7 * height * rng.choice([-1, 1], count)  # pixels/s of people of 1.7 m
    there = rng.random(count) < 0.35
    start_s = np.where(there, 0, rng.uniform(-10, SECONDS, count))
    begin = np.where(there, rng.uniform(0, WIDTH, count), np.where(speed > 0, -width, WIDTH + width))
    stops = rng.random(count) < 0.25
    stop_s, stay_s = np.maximum(rng.uniform(0, SECONDS, count), start_s), rng.uniform(1, 4, count)
    burst = max(2, fps // 5)
    seen = rng.random((frames // burst + 1, count)) < 0.93
    camera = np.cumsum(rng.normal(0, sway_px, frames))
    alarms = _alarms(rng, frames)
    rows, found = [], []
    for frame in range(frames):
        time_s = frame / fps
        walked_s = np.maximum(time_s - start_s, 0) - stops * np.clip(time_s - stop_s, 0, stay_s)
        x = begin + speed * walked_s + camera[frame]
        half = width * (1 + 0.15 * np.sin(2 * np.pi * 1.8 * time_s + np.arange(count))) / 2
        boxes = np.stack([x - half, foot - height, x + half, foot], axis=1)
        here = np.flatnonzero((time_s >= start_s) & (boxes[:, 2] > 0.6 * half) & (boxes[:, 0] < WIDTH - 0.6 * half))
        boxes[:, [0, 2]] = boxes[:, [0, 2]].clip(0, WIDTH)
        rows += [(frame, person, *boxes[person]) for person in here]
        cover = _cover(boxes[here], foot[here])
        chance = (
            0.93 * (1 - np.clip((cover - 0.35) / 0.4, 0, 1)) * (0.6 + 0.4 * np.clip((height[here] - 60) / 80, 0, 1))
        )
        hit = seen[frame // burst, here] & (rng.random(len(here)) < chance)
        size = np.stack([2 * half, height, 2 * half, height], axis=1)[here[hit]]
        noisy = boxes[here[hit]] + rng.normal(0, 0.04, size.shape) * size
        scores = np.clip(1 - rng.exponential(0.04 + 0.3 * cover[hit]), 0.5, 1)
        torso = np.flatnonzero(rng.random(len(noisy)) < 0.02)
        upper = noisy[torso] - np.array([0, 0, 0, 0.45]) * size[torso]
        false = alarms[alarms[:, 0] == frame]
        boxes = np.concatenate([noisy, upper, false[:, 1:5]])
        scores = np.concatenate([scores, rng.uniform(0.5, 0.8, len(torso)), false[:, 5]])
        real = (boxes[:, 2:] - boxes[:, :2] > 2).all(axis=1)
        found.append(FrameDetections(frame, time_s, boxes[real], scores[real]))
    table = np.array(rows)
    people_of = (table[table[:, 1] == person] for person in np.unique(table[:, 1]))
    tubes = [Tube(int(t[0, 1]) + 1, t[:, 0].astype(int), t[:, 0] / fps, t[:, 2:]) for t in people_of]
    return tubes, found


def _cover(boxes: np.ndarray, foot: np.ndarray) -> np.ndarray:
    """Return which share of each box the one nearer person hides who hides most of it."""
    if not len(boxes):
        return np.zeros(0)
    shared = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:]) - np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    hidden = np.maximum(shared, 0).prod(axis=2) * (foot[None] > foot[:, None])
    return hidden.max(axis=1) / (boxes[:, 2:] - boxes[:, :2]).prod(axis=1).clip(1)


def _alarms(rng: np.random.Generator, frames: int) -> np.ndarray:
    """Return (K, 6) frame, box and score of false alarms that last for 1 to 7 frames."""
    rows = [np.zeros((0, 6))]
    for _ in range(rng.poisson(0.05 * frames)):
        tall = rng.uniform(50, 200)
        x, y = rng.uniform(0, WIDTH - 50), rng.uniform(0, HEIGHT - tall)
        seen = rng.integers(frames) + np.flatnonzero(rng.random(rng.integers(1, 8)) < 0.8)
        boxes = np.array([x, y, x + 0.4 * tall, y + tall]) + rng.normal(0, 3, (len(seen), 4))
        rows.append(np.column_stack([seen, boxes, rng.uniform(0.5, 0.9, len(seen))]))
    return np.concatenate(rows)


def streets() -> tuple[TrackTable, list[Film]]:
    """Return three streets of each kind."""
    truth, films = [], []
    for number in range(3 * len(STREETS)):
        people, fps, sway_px = STREETS[number // 3]
        tubes, found = street(number, people, fps, sway_px)
        truth.append((f'street_{number:02d}', tubes, None))
        films.append((f'street_{number:02d}', found, [], np.arange(len(found)) / fps))
    return track_table(truth, 'streets'), films


def seal_mini(folder: str) -> tuple[TrackTable, list[Film]]:
    """Return the validation films of SEAL-mini."""
    path = Path(folder) / 'annotations'
    coarse, films = read_seal_json(path / 'coarse_val.json'), []
    for vid, tids in coarse.tids_by_video().items():
        video, tracks = coarse.videos[vid], [coarse.track(tid) for tid in tids]
        frames, boxes, scores = (np.concatenate(column) for column in list(zip(*tracks))[:3])
        found = [
            FrameDetections(frame, frame / video.fps, boxes[frames == frame], scores[frames == frame])
            for frame in range(video.num_frames)
        ]
        cuts = [first for first, _ in video.shots[1:]]
        films.append((vid, found, cuts, np.arange(video.num_frames) / video.fps))
    people = path / 'people_val.json'
    return split_at_shots(read_truth(people), shots_of(people)), films


def score(config: str, truth: TrackTable, films: list[Film]) -> str:
    """Track the films by a config and return the headline numbers."""
    cfg = load_pipeline(config, required=('tracker',))
    stages = {key: build_stage(key, cfg[key]) for key in ('gap_filler', 'smoother', 'tube_filter') if cfg.get(key)}
    tracker, tracks = build_stage('tracker', cfg.tracker), []
    for name, found, cuts, times_s in films:
        for frame in found:
            if frame.frame_ind in cuts:
                tracker.cut()
            tracker.update(frame)
        tracks.append((name, refine_tubes(tracker.finish(), [], times_s, stages, StageClock())[0], None))
    metrics = score_tables(truth, track_table(tracks, config)).metrics
    told = ' '.join(f'{name} {100 * metrics[name]:5.1f}' for name in ('MOTA', 'IDF1', 'HOTA'))
    return f'{config:26s} {told}  IDSW {metrics["IDSW"]}'


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--configs', nargs='+', default=CONFIGS, help='pipelines that need no film')
    parser.add_argument('--seal-mini', metavar='DIR', help='folder of SEAL-mini')
    args = parser.parse_args()
    sets = {'generated streets': streets()}
    if args.seal_mini:
        sets['SEAL-mini, validation films, coarse boxes without IDs'] = seal_mini(args.seal_mini)
    for name, (truth, films) in sets.items():
        print(name)
        for config in args.configs:
            print('  ' + score(config, truth, films), flush=True)


if __name__ == '__main__':
    exit_on_input_error(main)
