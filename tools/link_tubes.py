"""Merge the tubelets of one person over long gaps, or take one merge back (--undo).

Input is MOT text or a result (.json); appearance and shots come from the film where the input lacks them.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from mmtube.apis import (
    StageClock,
    build_stage,
    describe_tubelets,
    links_within,
    load_pipeline,
    pipeline_parser,
    refine_tubes,
)
from mmtube.errors import InputError, exit_on_input_error
from mmtube.fileio import check_writable
from mmtube.structures import VideoResult, without_link
from mmtube.structures.io import read_mot_txt, read_result_json, write_mot_txt, write_result_json


def link(result: VideoResult, args: object) -> VideoResult:
    """Link the tubelets of ``result``."""
    cfg = load_pipeline(args.config, args.cfg_options, required=('linker',))
    stages = {key: build_stage(key, cfg[key]) for key in ('linker', 'tube_filter') if cfg.get(key)}
    tubelets, shots = result.tubes, result.shots
    if any(tube.embedding is None for tube in tubelets):
        if not args.video:
            raise InputError(f'{args.tracks}: has tubelets without appearance; give the film with --video')
        cfg = load_pipeline(args.config, args.cfg_options, required=('linker', 'frame_source', 'appearance'))
        shot_detector = build_stage('shot_detector', cfg.shot_detector) if cfg.get('shot_detector') else None
        appearance = build_stage('appearance', cfg.appearance)
        with build_stage('frame_source', cfg.frame_source, path=args.video) as source:
            tubelets, shots = describe_tubelets(source, tubelets, appearance, shot_detector)
            result = replace(result, video=source.info)
    tubes, links, _ = refine_tubes(tubelets, shots, None, stages, StageClock())
    return replace(result, tubes=tubes, shots=shots, links=links_within(tubes, [*result.links, *links]))


def main() -> None:
    """Command line."""
    parser = pipeline_parser(__doc__)
    parser.add_argument('--tracks', required=True, help='tubelets: MOT text or a result (.json)')
    parser.add_argument('--output', required=True, help='MOT text to write, or a result if it ends in .json')
    parser.add_argument('--video', help='the film, needed for MOT text')
    parser.add_argument('--undo', type=int, metavar='N', help='take back merge N (from 1) of a result and do no more')
    args = parser.parse_args()
    check_writable(args.output)
    is_result = Path(args.tracks).suffix == '.json'
    result = read_result_json(args.tracks) if is_result else read_mot_txt(args.tracks)
    if args.undo is not None:
        if not 1 <= args.undo <= len(result.links):
            hint = '' if is_result else ' (only a result in JSON keeps its merges)'
            raise InputError(f'{args.tracks}: has {len(result.links)} merges, there is no merge {args.undo}{hint}')
        result = without_link(result, args.undo - 1)
    else:
        result = link(result, args)
    write = write_result_json if args.output.endswith('.json') else write_mot_txt
    write(result, args.output)
    for number, merge in enumerate(result.links, 1):
        print(f'merge {number}: {merge.earlier_id} + {merge.later_id}: {merge.reason}')
    print(f'{args.output}: {len(result.tubes)} tubes')


if __name__ == '__main__':
    exit_on_input_error(main)
