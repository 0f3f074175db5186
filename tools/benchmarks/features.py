"""What features of tubelets cost besides the network: time in the backbone, the price of more people, memory.

    tools/benchmarks/features.py features/slowfast_t --seconds 12 --stride 32
    tools/benchmarks/features.py features/slowfast_t --memory 60 600 --short-side 32 --stride 32

Weights are random: they cost the same. Films are generated, and decoding and resizing them counts. ``--memory``
compares the memory of films of several lengths, each in a process of its own.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from clips import FPS, write_film

from mmtube.apis.features import FeatureJob, load_extractor, run_job
from mmtube.config import load_config
from mmtube.errors import exit_on_input_error
from mmtube.models.tubelet_features import TubeletBoxes
from mmtube.models.tubelet_features.network import FeatureNetwork
from mmtube.structures.io.features_npz import TubeletFeatures

SIZE = (320, 240)  # of the films of clips.py


def people(count: int, seconds: float) -> list[TubeletBoxes]:
    """People who walk through the whole film, with a box in each frame."""
    rng = np.random.default_rng(0)
    times_s = np.arange(round(seconds * FPS)) / FPS
    found = []
    for number in range(count):
        left, top = rng.random(2) * (200, 60)
        x = left + 40 * np.sin(times_s + number)
        boxes = np.stack([x, 0 * x + top, x + 60, 0 * x + top + 150], 1)
        found.append(TubeletBoxes(str(number), times_s, boxes, 0.0, seconds))
    return found


class Stopwatch:
    """Adds up the time that a network takes."""

    def __init__(self, network: FeatureNetwork) -> None:
        self.seconds, self.calls = 0.0, 0
        network.backbone.register_forward_pre_hook(self._begin)
        network.backbone.register_forward_hook(self._end)

    def _begin(self, *_: object) -> None:
        self._synchronise()
        self._start = time.perf_counter()

    def _end(self, *_: object) -> None:
        self._synchronise()
        self.seconds += time.perf_counter() - self._start
        self.calls += 1

    @staticmethod
    def _synchronise() -> None:
        if torch.cuda.is_available():
            torch.cuda.synchronize()


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='config of features')
    parser.add_argument('--seconds', type=float, default=12.0, help='length of the film (default: 12)')
    parser.add_argument(
        '--people', type=int, default=10, help='how many the film of one is compared with (default: 10)'
    )
    parser.add_argument('--memory', type=float, nargs='+', metavar='S', help='compare memory of films of these lengths')
    parser.add_argument('--short-side', type=int, help="of the frames (default: the config's)")
    parser.add_argument('--device', default='cpu')
    parser.add_argument('--stride', type=int, help="frames from window to window (default: the config's)")
    parser.add_argument('--child', action='store_true', help=argparse.SUPPRESS)
    args = parser.parse_args()
    cfg = load_config(args.config)
    cfg.model.update({key: value for key in ('short_side', 'stride') if (value := getattr(args, key))})
    if args.memory and not args.child:
        for seconds in args.memory:
            more = [
                f'--{key}={value}'
                for key in ('short-side', 'stride')
                if (value := getattr(args, key.replace('-', '_')))
            ]
            command = [sys.executable, __file__, args.config, '--child', '--memory', str(seconds), *more]
            print(
                subprocess.run([*command, f'--device={args.device}'], check=True, text=True, stdout=-1).stdout, end=''
            )
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        torch.manual_seed(0)
        network = FeatureNetwork(cfg.model.network)
        torch.save(network.state_dict(), folder / 'w.pth')
        del network
        extractor = load_extractor(cfg, str(folder / 'w.pth'), args.device)
        seconds = args.memory[0] if args.memory else args.seconds
        film = write_film(folder / 'film.mp4', seconds)

        def run(count: int) -> dict[str, TubeletFeatures]:
            job = FeatureJob('film', film, folder / 'film.npz', people(count, seconds), SIZE)
            return run_job(job, extractor)

        if args.memory:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            found = run(1)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            rows = sum(features.features.nbytes for features in found.values())
            told = f'rows {rows / 1e6:.0f} MB, peak {peak / 1024:.0f} MB ({(peak - before) / 1024:.0f} MB by the film)'
            print(f'film of {seconds:.0f} s: {told}')
            return
        stopwatch = Stopwatch(extractor.network)
        costs = {}
        for count in (1, 1, args.people):  # the first pass warms up
            stopwatch.seconds, stopwatch.calls = 0.0, 0
            start = time.process_time() if args.device == 'cpu' else time.perf_counter()
            wall = time.perf_counter()
            run(count)
            wall = time.perf_counter() - wall
            costs[count] = (time.process_time() if args.device == 'cpu' else time.perf_counter()) - start
            share = stopwatch.seconds / wall
            speed = f'{stopwatch.calls / wall:.2f} windows/s, {wall / seconds:.2f} s for a second of film'
            print(f'{count:3d} people: {speed}, {share:.1%} of the time in the backbone')
        print(f'{args.people} people cost {costs[args.people] / costs[1]:.3f} of what one costs')


if __name__ == '__main__':
    exit_on_input_error(main)
