"""Where the time of the pipeline goes, and whether its memory grows with the film.

Prints, for one film on one core: seconds in the detector and in everything else (decode, select, track, link,
draw, encode); then the peak memory of the whole demo on the film once and repeated, in processes of their own.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# The peak of the child's own memory; what wait4 tells begins with the peak of the parent.
RUN_AND_TELL = """
import atexit, runpy, sys
def tell():
    with open('/proc/self/status') as status:
        print(*(line for line in status if line.startswith('VmHWM')), file=sys.stderr)
atexit.register(tell)
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name='__main__')
"""
DEMO = Path(__file__).parents[2] / 'demo' / 'tube_demo.py'
MEBIBYTE = 1 << 20


def print_time(video: str) -> None:
    """Run the pipeline on one thread and print the share of the detector."""
    import cv2
    import torch

    from mmtube.apis import TubeInferencer
    from mmtube.apis.outputs import write_outputs

    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    if hasattr(os, 'sched_setaffinity'):  # one core: what runs in a thread beside the detector is not free either
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    inferencer = TubeInferencer(cfg_options={'frame_source.threads': 1})
    with inferencer.open(video) as frames:
        start = time.perf_counter()
        for _ in frames:
            continue
        decode_s = time.perf_counter() - start
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        result = inferencer(video)
        found_s = time.perf_counter() - start
        with inferencer.open(video) as frames:
            write_outputs(result, frames, folder)
        total_s = time.perf_counter() - start
    detector_s = next(stage.seconds for stage in result.stages if stage.name == 'detector')
    frames_n = result.video.num_frames
    print(f'{result.video.name}: {frames_n} frames, {len(result.tubes)} tubes, one core')
    for stage in result.stages:
        if stage.state == 'run':
            print(f'  {stage.name:<16} {stage.seconds:8.2f} s {1000 * stage.seconds / frames_n:8.2f} ms/frame')
    written_s = total_s - found_s
    print(f'  {"draw and write":<16} {written_s:8.2f} s {1000 * written_s / frames_n:8.2f} ms/frame')
    # While the detector is at work, frames are decoded in a thread on the same core: that time is not the detector's.
    print(f'  {"decode, once":<16} {decode_s:8.2f} s {1000 * decode_s / frames_n:8.2f} ms/frame')
    detector_s -= decode_s
    others_s = total_s - detector_s
    print(f'detector {detector_s:.2f} s, everything else {others_s:.2f} s: ratio {others_s / detector_s:.2f}')


def repeat_film(video: str, times: int, path: Path) -> None:
    """Write ``video`` ``times`` times in a row as one film."""
    from mmtube.datasets import FrameSource
    from mmtube.structures.io import FilmWriter

    source = FrameSource(video)
    with FilmWriter(path, (source.info.width, source.info.height)) as writer:
        start_s = 0.0
        for _ in range(times):
            for frame in source:
                writer.write(frame.image, start_s + frame.time_s)
            start_s += source.info.duration_s


def peak_bytes(video: Path) -> int:
    """Return the peak resident memory of the demo on a film."""
    with tempfile.TemporaryDirectory() as folder:
        demo = [str(DEMO), str(video), '--out-dir', folder, '--actions', 'none']
        child = subprocess.run([sys.executable, '-c', RUN_AND_TELL, *demo], capture_output=True, text=True)
    if child.returncode:
        raise RuntimeError(f'the demo failed on {video}: {child.stderr}')
    peak = child.stderr.rpartition('VmHWM:')[2].split()  # '512 kB'
    return int(peak[0]) * 1024


def print_memory(video: str, repeats: int) -> None:
    """Print the peak memory for the film once and ``repeats`` times."""
    with tempfile.TemporaryDirectory() as folder:
        peaks = []
        for times in (1, repeats):
            path = Path(folder) / f'{times}_times.mp4'
            repeat_film(video, times, path)
            peaks.append(peak_bytes(path))
    once, repeated = peaks
    print(
        f'peak memory: film once {once / MEBIBYTE:.0f} MiB, {repeats} times {repeated / MEBIBYTE:.0f} MiB: '
        f'ratio {repeated / once:.3f}'
    )


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('video')
    parser.add_argument('--repeats', type=int, default=10, help='length of the long film, in films; 0 skips the memory')
    args = parser.parse_args()
    print_time(args.video)
    if args.repeats:
        print_memory(args.video, args.repeats)


if __name__ == '__main__':
    main()
