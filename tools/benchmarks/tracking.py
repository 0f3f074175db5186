"""Time the association of boxes by motion and appearance, beside deep-sort-realtime on the same boxes and embeddings.

A generated crowd walks through a picture of 1920 x 1080; no film is read. CPU seconds of one thread. The other package
is optional (``pip install --no-deps deep-sort-realtime``). Memory is the growth of what Python and numpy hold while a
film of one and of ten lengths is tracked, the tubelets being taken as they end.
"""

from __future__ import annotations

import argparse
import os
import time
import tracemalloc
from collections.abc import Callable, Iterator

os.environ.setdefault('OMP_NUM_THREADS', '1')

import numpy as np

from mmtube.apis import build_stage, load_pipeline
from mmtube.models.trackers import DeepSORTTracker
from mmtube.structures import FrameDetections

SIZE = np.array([1920.0, 1080.0])
DIMS = 128


def crowd(people: int, frames: int, stay: int = 0) -> Iterator[FrameDetections]:
    """Yield a crowd's boxes with unit embeddings; one box in twenty is missed.

    Args:
        people (int): People in the picture.
        frames (int): Length.
        stay (int): Frames after which somebody else takes a person's place; 0 for never. Defaults to 0.
    """
    rng = np.random.default_rng(0)
    heights, places = rng.uniform(80, 200, people), rng.uniform(0, 1, (people, 2)) * SIZE
    steps, looks = rng.normal(0, 3, (people, 2)), rng.normal(size=(people, DIMS))
    for frame in range(frames):
        if stay:
            new = np.flatnonzero((frame + np.arange(people) * stay // people) % stay == 0)
            places[new], looks[new] = rng.uniform(0, 1, (len(new), 2)) * SIZE, rng.normal(size=(len(new), DIMS))
        places += steps
        steps = np.where((places < 0) | (places > SIZE), -steps, steps)
        seen = rng.random(people) < 0.95
        height = heights * (1 + rng.normal(0, 0.02, people))
        half = np.stack([0.4 * height, height], axis=1) / 2
        middle = places + rng.normal(0, 1, (people, 2)) * heights[:, None] * 0.02
        boxes = np.concatenate([middle - half, middle + half], axis=1)[seen].astype(np.float32)
        rows = looks / np.linalg.norm(looks, axis=1, keepdims=True) + rng.normal(0, 0.4 / DIMS**0.5, looks.shape)
        rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True))[seen].astype(np.float32)
        yield FrameDetections(frame, frame / 25, boxes, np.full(len(boxes), 0.9, np.float32), rows)


def frames_per_second(update: Callable, film: list) -> float:
    """Return frames per CPU second; the first tenth warms up."""
    warm = len(film) // 10
    for frame in film[:warm]:
        update(frame)
    started = time.process_time()
    for frame in film[warm:]:
        update(frame)
    return (len(film) - warm) / (time.process_time() - started)


def theirs() -> Callable | None:
    """Return the update of deep-sort-realtime with the values of DeepSORT's authors, None where it is not installed."""
    try:
        from deep_sort_realtime.deepsort_tracker import DeepSort
    except ImportError:
        return None
    tracker = DeepSort(max_age=30, n_init=3, max_cosine_distance=0.2, nn_budget=100, embedder=None)

    def update(frame: FrameDetections) -> None:
        boxes = frame.boxes_px.astype(float)
        boxes[:, 2:] -= boxes[:, :2]
        raw = [(box, float(score), 'person') for box, score in zip(boxes.tolist(), frame.scores)]
        tracker.update_tracks(raw, embeds=list(frame.features))

    return update


def peak_bytes(frames: int) -> int:
    """Return how much memory tracking a film needs at most, tubelets taken as they end."""
    tracker = DeepSORTTracker()
    tracemalloc.start()
    for frame in crowd(10, frames, stay=200):
        tracker.update(frame)
        if frame.frame_ind % 50 == 0:
            tracker.take_ended()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--people', type=int, nargs='+', default=[20, 200], help='people a frame (default: 20 200)')
    args = parser.parse_args()
    motion = load_pipeline('tracking/motion', required=('tracker',))
    for people in args.people:
        film = list(crowd(people, max(100, 30000 // people)))
        ours = frames_per_second(DeepSORTTracker().update, film)
        print(f'{people} people a frame, {len(film)} frames')
        print(f'  motion and appearance (DeepSORTTracker)  {ours:8.0f} frames/s')
        bare = [FrameDetections(frame.frame_ind, frame.time_s, frame.boxes_px, frame.scores) for frame in film]
        by_motion = frames_per_second(build_stage('tracker', motion.tracker).update, bare)
        print(f'  motion (tracking/motion)                 {by_motion:8.0f} frames/s')
        other = theirs()
        if other is None:
            print('  deep-sort-realtime is not installed')
            continue
        peer = frames_per_second(other, film[: max(40, 6000 // people)])
        print(f'  deep-sort-realtime                       {peer:8.0f} frames/s: ratio {ours / peer:.1f}')
    once, ten = peak_bytes(1000), peak_bytes(10_000)
    print(f'memory, 1,000 and 10,000 frames of 10 people who come and go: {once / 2**20:.2f} and {ten / 2**20:.2f} MiB')


if __name__ == '__main__':
    main()
