"""Find the people in each frame of a film and write their boxes as MOT text (ID -1)."""

from __future__ import annotations

from pathlib import Path

from mmtube.apis import (
    ProgressLine,
    StageClock,
    build_stage,
    count_people,
    detect_people,
    load_pipeline,
    pipeline_parser,
)
from mmtube.errors import exit_on_input_error
from mmtube.fileio import check_writable
from mmtube.structures.io import write_mot_detections


def main() -> None:
    """Command line."""
    parser = pipeline_parser(__doc__)
    parser.add_argument('video', help='film')
    parser.add_argument('--output', required=True, help='MOT text to write')
    parser.add_argument('--device', default='cpu', help='where the detector runs')
    args = parser.parse_args()
    check_writable(args.output)
    cfg = load_pipeline(args.config, args.cfg_options, required=('frame_source', 'detector'))
    detector = build_stage('detector', cfg.detector, device=args.device)
    selector = build_stage('selector', cfg.selector) if cfg.get('selector') else None
    with (
        build_stage('frame_source', cfg.frame_source, path=args.video) as source,
        ProgressLine(Path(args.video).name) as progress,
    ):
        found = []
        for frame, detections in detect_people(source, detector, selector, cfg.get('batch_size', 1), StageClock()):
            found.append(detections)
            progress('detect', frame.index + 1, source.info.num_frames or None, count_people(len(detections)))
    write_mot_detections(found, args.output)
    print(f'{args.output}: {sum(map(len, found))} boxes in {len(found)} frames')


if __name__ == '__main__':
    exit_on_input_error(main)
