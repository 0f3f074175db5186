"""Merge the tubelets of one person over long gaps; propose merges for review, apply them, or take one back (--undo).

Input is MOT text, a result (.json), a folder of either, or annotations in the SEAL schema. Appearance comes from the
film, and shots too where the input lacks them. Many films need folders for --video and --output; a bad film is told at
the end and the rest is done.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from dataclasses import replace
from pathlib import Path

from mmtube.apis import load_pipeline, pipeline_parser
from mmtube.apis.linking import FilmLinker, apply_proposals, film_beside, is_annotations, tubelet_films
from mmtube.errors import InputError, exit_on_input_error
from mmtube.fileio import check_writable, write_text
from mmtube.structures import VideoResult, without_link
from mmtube.structures.io import (
    LinkProposals,
    read_link_proposals,
    write_link_proposals,
    write_mot_txt,
    write_result_json,
)
from mmtube.visualization.link_review import link_review_page


def link(result: VideoResult, name: str, linker: FilmLinker, args: Namespace) -> VideoResult:
    """Link the tubelets of ``result``, and write proposals where they are asked for."""
    film, looks, crops = film_beside(args.video, name), None, {} if args.propose else None
    if film is not None:
        result, looks = linker.describe(result, film, crops)
    elif any(tube.embedding is None for tube in result.tubes):
        raise InputError(f'{args.tracks}: has tubelets without appearance; give the film with --video')
    linked = linker.link(result, looks, crops)
    for split in linked.splits:
        print(f'{name}: tubelet {split.earlier_id} becomes {split.later_id} at frame index {split.frame_ind}')
    if args.propose:
        overlap = linker.linker.max_overlap_frames
        document = LinkProposals(result.video.name, linked.proposals, linked.splits, overlap)
        path = Path(args.propose) / f'{name}.proposals.json'
        write_link_proposals(document, path)
        page = link_review_page(result.video.name, linked.proposals, linked.crops, linked.spans_s, linked.splits)
        write_text(path.with_suffix('.html'), page)
        print(f'{path}: {len(linked.proposals)} proposals, to be looked at in {path.with_suffix(".html").name}')
    if linked.dropped:
        print(f'{name}: dropped: {linked.dropped}')
    return linked.result


def apply(result: VideoResult, name: str, args: Namespace) -> VideoResult:
    """Make the accepted merges of a file of proposals."""
    path = Path(args.apply)
    path = path / f'{name}.proposals.json' if path.is_dir() else path
    document = read_link_proposals(path)
    if args.numbers:
        beyond = [number for number in args.numbers if not 1 <= number <= len(document.proposals)]
        if beyond:
            raise InputError(f'{path}: has {len(document.proposals)} proposals, there is no {beyond[0]}')
        accepted = [document.proposals[number - 1] for number in args.numbers]
    else:
        accepted = [proposal for proposal in document.proposals if proposal.accepted or args.all]
    try:
        return apply_proposals(result, document, accepted)
    except InputError as error:
        raise InputError(f'{path}: {error}') from None


def undo(result: VideoResult, args: Namespace) -> VideoResult:
    """Take one merge back."""
    if not 1 <= args.undo <= len(result.links):
        hint = '' if args.tracks.endswith('.json') else ' (only a result in JSON keeps its merges)'
        raise InputError(f'{args.tracks}: has {len(result.links)} merges, there is no merge {args.undo}{hint}')
    return without_link(result, args.undo - 1)


def main() -> int:
    """Command line; returns 2 if a film of many could not be used."""
    parser = pipeline_parser(__doc__)
    parser.add_argument('--tracks', required=True, help='tubelets of one film or of many')
    parser.add_argument('--output', required=True, help='MOT text, or a result if it ends in .json; or a folder')
    parser.add_argument('--video', help='the film, or a folder of films')
    parser.add_argument('--propose', metavar='DIR', help='write <film>.proposals.json and .html for review')
    parser.add_argument(
        '--apply', metavar='PATH', help='make the accepted merges of a file or folder of proposals, no more'
    )
    parser.add_argument('--numbers', nargs='+', type=int, metavar='N', help='with --apply: these proposals instead')
    parser.add_argument('--all', action='store_true', help='with --apply: all proposals')
    parser.add_argument('--undo', type=int, metavar='N', help='take back merge N (from 1) of a result and do no more')
    args = parser.parse_args()
    if (args.numbers or args.all) and not args.apply:
        raise InputError('--numbers and --all choose among the proposals of --apply')
    many = Path(args.tracks).is_dir() or is_annotations(args.tracks)
    if many and args.video and not Path(args.video).is_dir():
        raise InputError(f'{args.tracks}: has many films, --video must be a folder of films')
    if many and args.apply and not Path(args.apply).is_dir():
        raise InputError(f'{args.tracks}: has many films, --apply must be a folder of proposals')
    check_writable(Path(args.output) / 'x.json' if many else args.output)
    linker = None
    if not args.apply and args.undo is None:
        linker = FilmLinker(load_pipeline(args.config, args.cfg_options, required=('linker',)))
    bad, done = [], 0
    for name, read in tubelet_films(args.tracks):
        try:
            result = read()
            if args.undo is not None:
                result = undo(result, args)
            else:
                result = apply(result, name, args) if args.apply else link(result, name, linker, args)
            if many and not Path(result.video.name).stem:
                result = replace(result, video=replace(result.video, name=name))
            output = Path(args.output) / f'{name}.json' if many else Path(args.output)
            (write_result_json if output.suffix == '.json' else write_mot_txt)(result, output)
        except InputError as error:
            if not many:
                raise
            bad.append(f'{name}: {error}')
            continue
        done += 1
        if not many:
            for number, merge in enumerate(result.links, 1):
                print(f'merge {number}: {merge.earlier_id} + {merge.later_id}: {merge.reason}')
        print(f'{output}: {len(result.tubes)} tubes, {len(result.links)} merges')
    for error in bad:
        print(f'error: {error}', file=sys.stderr)
    if many:
        print(f'{done} of {done + len(bad)} films done')
    return 2 if bad else 0


if __name__ == '__main__':
    exit_on_input_error(main)
