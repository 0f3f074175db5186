"""Seconds and memory of the annotation tools on a generated set of SEAL's size: 19,050 tubelets, 8.8 million boxes."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from mmtube.structures.seal import (
    HEAD_VISIBLE,
    BoxTable,
    InstanceTable,
    SEALAnnotations,
    TubeletRecord,
    VideoRecord,
    write_seal_json,
)

TOOLS = Path(__file__).parents[1] / 'data' / 'seal'
WIDTH, HEIGHT, FPS, LANES = 640, 360, 25.0, 3
POSES, ACTIONS, ACTIVITIES = 61, 172, 200
GROUPS = np.array(['pose'] * 61 + ['pp'] * 15 + ['po'] * 96)
SIZE = dict(num_videos=4224, num_tubelets=19_050, num_boxes=8_797_000, num_actions=49_578, num_activities=17_712)


def zipf(rng: np.random.Generator, classes: int, count: int) -> np.ndarray:
    """Draw classes whose frequency falls as 1 / rank."""
    share = 1 / np.arange(1, classes + 1)
    return rng.choice(classes, count, p=share / share.sum())


def make_annotations(
    num_videos: int,
    num_tubelets: int,
    num_boxes: int,
    num_actions: int,
    num_activities: int,
    seed: int = 0,
    coarse: bool = False,
) -> SEALAnnotations:
    """Make annotations without a fault. People keep to three lanes of the frame, one person after the other in each.

    Args:
        num_videos (int): Films.
        num_tubelets (int): Tubelets, dealt out to the films in turn.
        num_boxes (int): Boxes, dealt out evenly.
        num_actions (int): Atomic actions, at least as many as activities; classes follow Zipf's law.
        num_activities (int): Complex activities.
        seed (int): Of the random numbers. Defaults to 0.
        coarse (bool): Whether to make the step before, of which the others are the refinement. Defaults to False.
    """
    rng = np.random.default_rng(seed)
    numbers = np.arange(num_tubelets)
    length = np.full(num_tubelets, num_boxes // num_tubelets)
    length[: num_boxes % num_tubelets] += 1
    turn, lane = np.divmod(numbers // num_videos, LANES)
    gap = 50
    start = turn * (length.max() + gap) + rng.integers(0, gap, num_tubelets)
    num_frames = int((turn.max() + 1) * (length.max() + gap))
    duration_s = num_frames / FPS
    videos = {
        f'v_{number:05d}': VideoRecord('anet', WIDTH, HEIGHT, FPS, num_frames, duration_s, 'train', ((0, num_frames),))
        for number in range(num_videos)
    }
    prefix = 'c' if coarse else 't'
    tids = np.array([f'{prefix}{number:05d}' for number in numbers])
    tubelets = {
        tid: TubeletRecord(
            f'v_{number % num_videos:05d}',
            int(lane[number]),
            (int(start[number]), int(start[number] + length[number])),
            tid,
            () if coarse else (f'c{number:05d}',),
            1 if coarse else 4,
        )
        for number, tid in enumerate(tids.tolist())
    }
    offsets = np.concatenate([[0], np.cumsum(length)])
    nth = np.arange(num_boxes) - np.repeat(offsets[:-1], length)
    size = rng.uniform([40, 90], [100, HEIGHT], (num_tubelets, 2)).astype(np.float32)
    free = np.array([WIDTH / LANES, HEIGHT], np.float32) - size
    phase, speed = rng.random((2, num_tubelets, 2), np.float32) * [[[6.28]], [[0.05]]]
    swing = np.sin(np.repeat(phase, length, axis=0) + nth[:, None] * np.repeat(speed, length, axis=0))
    corner = (swing / 2 + 0.5) * np.repeat(free, length, axis=0)
    corner[:, 0] += np.repeat(lane * WIDTH / LANES, length)
    boxes = np.concatenate([corner, corner + np.repeat(size, length, axis=0)], axis=1).astype(np.float32)
    boxes = np.clip(boxes + (0.5 if coarse else 0), 0, [WIDTH, HEIGHT, WIDTH, HEIGHT]).astype(np.float32)
    flags = np.where(nth % 3, HEAD_VISIBLE, 0).astype(np.uint8)
    frames = (nth + np.repeat(start, length)).astype(np.int32)
    table = BoxTable(tids, offsets.astype(np.int64), frames, boxes, np.ones(num_boxes, np.float16), flags)
    if coarse:
        return SEALAnnotations(videos, tubelets, boxes=table)
    # Activities divide a tubelet, actions divide an activity: poses once and actions with others or objects once more.
    owner, cell, cells = _deal(num_activities, num_tubelets, rng)
    ca_start, ca_end = (
        (start[owner] + length[owner] * (cell + share) / cells) / FPS
        for share in (0.02, rng.uniform(0.4, 0.95, len(owner)))
    )
    of, nth, many = _deal(num_actions, num_activities, rng)
    posed = nth % 2 == 0
    cells = np.where(posed, (many + 1) // 2, many // 2)
    cell_s = (ca_end - ca_start)[of] / cells
    aa_start = ca_start[of] + cell_s * (nth // 2)
    aa_end = aa_start + cell_s * rng.uniform(0.15, 1, len(of)) ** 1.3
    aa_end = np.maximum(aa_end, np.minimum(aa_start + 0.7, aa_start + cell_s))
    labels = np.where(posed, zipf(rng, POSES, len(of)), POSES + zipf(rng, ACTIONS - POSES, len(of)))
    aa = InstanceTable(tids[owner[of]], labels, GROUPS[labels], aa_start.round(3), aa_end.round(3))
    activity = zipf(rng, ACTIVITIES, len(owner))
    none = np.full(len(owner), '')
    return SEALAnnotations(
        videos, tubelets, aa, InstanceTable(tids[owner], activity, none, ca_start.round(3), ca_end.round(3)), table
    )


def _deal(items: int, owners: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Deal items out to owners in turn: owner, which of the owner's it is, how many the owner has."""
    number = np.arange(items)
    owner = rng.permutation(owners)[number % owners]
    return owner, number // owners, np.bincount(owner, minlength=owners)[owner]


OPEN = """
import sys, time
from mmtube.structures.seal import read_seal_json
begin = time.perf_counter()
found = read_seal_json(sys.argv[1])
print(f'{time.perf_counter() - begin:.2f} s without imports: {len(found.boxes):,} boxes')
"""


def make(path: Path, coarse: bool) -> None:
    """Write a set of SEAL's size."""
    write_seal_json(make_annotations(**SIZE, coarse=coarse), path)


def measure(name: str, *args: object) -> None:
    """Run a tool, or ``open`` a file, and print the seconds, the peak memory and the last line that was printed."""
    begin = time.perf_counter()
    command = [sys.executable, *(['-c', OPEN] if name == 'open' else [str(TOOLS / name)]), *map(str, args)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, 'OMP_NUM_THREADS': '1'})
    assert process.stdout is not None
    last = [line.strip() for line in process.stdout][-1:]
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):
        raise RuntimeError(f'{name} ended with exit code {process.returncode}')
    seconds = time.perf_counter() - begin
    print(f'{name:24s} {seconds:6.1f} s {usage.ru_maxrss / 2**20:6.2f} GB   {" ".join(last)}', flush=True)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('folder', type=Path, help='where the set is made; taken as it is if it is there already')
    folder = parser.parse_args().folder
    for name, coarse in (('train.json', False), ('coarse_train.json', True)):
        if not (folder / name).exists():  # in a process of its own, whose memory the tools do not inherit
            maker = multiprocessing.get_context('spawn').Process(target=make, args=(folder / name, coarse))
            maker.start()
            maker.join()
            if maker.exitcode:
                raise RuntimeError(f'{folder / name} could not be made')
    train = folder / 'train.json'
    measure('open', train)
    measure('check_annotations.py', train)
    measure('check_annotations.py', train, '--coarse', folder / 'coarse_train.json')
    measure('check_annotations.py', train, '--fix', folder / 'fixed.json', '--force')
    measure('statistics.py', train, '--out', folder / 'statistics')
    measure('build_clips.py', train, '--out', folder / 'clips')


if __name__ == '__main__':
    main()
