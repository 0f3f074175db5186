"""Link boxes to tubelets: MOT text in, MOT text out. With --video also by appearance, and never across a cut."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mmtube.apis import StageClock, build_stage, load_pipeline, pipeline_parser, refine_tubes, track_people
from mmtube.errors import InputError, exit_on_input_error
from mmtube.fileio import check_writable
from mmtube.structures import FrameDetections, VideoInfo, VideoResult
from mmtube.structures.io import read_mot_detections, write_mot_txt, write_result_json

MAX_FRAMES = 10_000_000  # four days of film; a larger number is a slip


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


def main() -> None:
    """Command line."""
    parser = pipeline_parser(__doc__, None)
    parser.add_argument('--detections', required=True, help='MOT text with boxes; the ID column is ignored')
    parser.add_argument('--output', required=True, help='MOT text to write, or a result if it ends in .json')
    parser.add_argument('--video', help='the film, for appearance and shot changes (config with these stages)')
    parser.add_argument('--fps', type=float, default=25.0, help='frames per second where no film is given')
    args = parser.parse_args()
    if not 0 < args.fps < float('inf'):
        raise InputError(f'--fps must be positive, got {args.fps}')
    check_writable(args.output)
    config = args.config or ('seal/tube_pipeline' if args.video else 'tracking/motion')
    required = ('tracker', 'frame_source') if args.video else ('tracker',)
    cfg = load_pipeline(config, args.cfg_options, required)
    stages = {key: build_stage(key, cfg[key]) for key in ('tracker', 'gap_filler', 'tube_filter') if cfg.get(key)}
    detections, clock = read_mot_detections(args.detections, fps=args.fps), StageClock()
    for found in detections:
        found.scores[found.scores == -1] = 1  # MOTChallenge's "not given"
    if args.video:
        watching = {key: build_stage(key, cfg[key]) for key in ('shot_detector', 'appearance') if cfg.get(key)}
        with build_stage('frame_source', cfg.frame_source, path=args.video) as source:
            detected = beside_frames(source, detections, args.detections)
            tubelets, shots, times_s = track_people(
                detected, stages['tracker'], watching.get('shot_detector'), watching.get('appearance'), clock
            )
            video = source.info
    else:
        detected = ((None, found) for found in detections)
        tubelets, _, _ = track_people(detected, stages['tracker'], None, None, clock)
        frames = detections[-1].frame_ind + 1 if detections else 0
        if frames > MAX_FRAMES:
            raise InputError(f'{args.detections}: has boxes in frame {frames}, more than {MAX_FRAMES} cannot be')
        times_s, shots = np.arange(frames) / args.fps, [(0, frames)] if frames else []
        video = VideoInfo(args.detections, 0, 0, args.fps, frames, frames / args.fps)
    tubes, links, dropped = refine_tubes(tubelets, shots, times_s, stages, clock)
    write = write_result_json if args.output.endswith('.json') else write_mot_txt
    write(VideoResult(video, tubes, shots, links), args.output)
    print(
        f'{args.output}: {len(tubes)} tubelets, {sum(map(len, tubes))} boxes'
        + (f'; dropped: {dropped}' if dropped else '')
    )


if __name__ == '__main__':
    exit_on_input_error(main)
