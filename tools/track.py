"""Link boxes to tubelets: MOT text in, MOT text out. With --video also by appearance, and never across a cut.

With a folder of MOT texts as --detections, --output is a folder and --video a folder of films; a bad film is told at
the end and the others are done.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from mmengine.config import Config

from mmtube.apis import StageClock, build_stage, load_pipeline, pipeline_parser, refine_tubes, track_people
from mmtube.apis.annotation.films import BadFilms
from mmtube.datasets.film_folder import find_film
from mmtube.errors import InputError, exit_on_input_error
from mmtube.fileio import check_writable
from mmtube.structures import FrameDetections, VideoInfo, VideoResult
from mmtube.structures.io import read_mot_detections, write_mot_txt, write_result_json

MAX_FRAMES = 10_000_000  # four days of film; a larger number is a slip
WATCHING = ('shot_detector', 'appearance', 'camera_motion')
REFINING = ('gap_filler', 'switch_corrector', 'smoother', 'tube_filter')


def beside_frames(source: object, detections: list[FrameDetections], path: str) -> Iterator[tuple]:
    """Yield each frame of a film with its boxes."""
    by_frame = {found.frame_ind: found for found in detections}
    empty = np.zeros((0, 4)), np.zeros(0)
    for frame in source:
        found = by_frame.pop(frame.index, None)
        boxes_px, scores = (found.boxes_px, found.scores) if found is not None else empty
        yield frame, FrameDetections(frame.index, frame.time_s, boxes_px, scores)
    if by_frame:
        raise InputError(f'{path}: has boxes in frame {min(by_frame) + 1}, the film has {frame.index + 1} frames')


def track(path: str, film: str | None, fps: float, cfg: Config, stages: dict[str, Callable]) -> tuple[VideoResult, str]:
    """Return the tubelets of one film, and what was dropped and why."""
    detections, clock = read_mot_detections(path, fps=fps), StageClock()
    for found in detections:
        found.scores[found.scores == -1] = 1  # MOTChallenge's "not given"
    if film:
        watching = [stages.get(key) for key in ('shot_detector', 'appearance')]
        motion = stages.get('camera_motion')
        with build_stage('frame_source', cfg.frame_source, path=film) as source:
            detected = beside_frames(source, detections, path)
            tubelets, shots, times_s = track_people(detected, stages['tracker'], *watching, clock, camera_motion=motion)
            video = source.info
    else:
        tubelets, _, _ = track_people(((None, found) for found in detections), stages['tracker'], None, None, clock)
        frames = detections[-1].frame_ind + 1 if detections else 0
        if frames > MAX_FRAMES:
            raise InputError(f'{path}: has boxes in frame {frames}, more than {MAX_FRAMES} cannot be')
        times_s, shots = np.arange(frames) / fps, [(0, frames)] if frames else []
        video = VideoInfo(path, 0, 0, fps, frames, frames / fps)
    refining = {key: stages.get(key) for key in REFINING}
    tubes, links, dropped = refine_tubes(tubelets, shots, times_s, refining, clock)
    return VideoResult(video, tubes, shots, links), dropped


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = pipeline_parser(__doc__, None)
    parser.add_argument('--detections', required=True, help='MOT text with boxes; the ID column is ignored')
    parser.add_argument('--output', required=True, help='MOT text to write, or a result if it ends in .json')
    parser.add_argument('--video', help='the film, for appearance and shot changes (config with these stages)')
    parser.add_argument('--fps', type=float, default=25.0, help='frames per second where no film is given')
    args = parser.parse_args()
    if not 0 < args.fps < float('inf'):
        raise InputError(f'--fps must be positive, got {args.fps}')
    return args


def main() -> None:
    """Command line."""
    args = parse_args()
    many = Path(args.detections).is_dir()
    config = args.config or ('seal/tube_pipeline' if args.video else 'tracking/motion')
    cfg = load_pipeline(config, args.cfg_options, ('tracker', 'frame_source') if args.video else ('tracker',))
    unseen = [key for key in WATCHING if cfg.get(key) and not args.video]
    if unseen:
        print(f'note: without --video there is no {", no ".join(unseen)}')
    stages = {
        key: build_stage(key, cfg[key])
        for key in ('tracker', *REFINING, *(WATCHING if args.video else ()))
        if cfg.get(key)
    }

    def run(path: str, film: str | None, output: str) -> None:
        check_writable(output)
        result, dropped = track(path, film, args.fps, cfg, stages)
        (write_result_json if output.endswith('.json') else write_mot_txt)(result, output)
        told = f'{output}: {len(result.tubes)} tubelets, {sum(map(len, result.tubes))} boxes'
        print(told + (f'; dropped: {dropped}' if dropped else ''), flush=True)

    if not many:
        run(args.detections, args.video, args.output)
        return
    names = sorted(path.stem for path in Path(args.detections).glob('*.txt'))
    if not names:
        raise InputError(f'{args.detections}: no MOT text (.txt) in this folder')
    folder, bad = Path(args.output), BadFilms()
    if folder.is_file():
        raise InputError(f'{folder}: is a file, for a folder of detections it must be a folder')

    def run_named(name: str) -> None:
        film = str(find_film(args.video, name)) if args.video else None
        run(str(Path(args.detections) / f'{name}.txt'), film, str(folder / f'{name}.txt'))

    list(bad.each(names, run_named))
    bad.refuse()


if __name__ == '__main__':
    exit_on_input_error(main)
