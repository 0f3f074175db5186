"""The command line of the annotation's steps."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from typing import Any

from mmengine.config import DictAction

CONFIG = 'seal/annotation'
SUMMARIES = {
    'coarse': 'step 1: films, or what was found in them, to tubelets',
    'short-refine': 'step 2: put ID switches right and delete tubelets that are obviously no person',
    'long-merge': 'step 3: give the tubelets of a person one ID',
    'long-refine': 'step 4: apply the decisions of a reviewer and choose the subjects',
    'export-cvat': 'write a CVAT XML for each film, and the labels of a CVAT project',
    'import-cvat': 'read what came back from CVAT, traced back to what was exported',
}


def annotation_parser(description: str | None, runs: Mapping[str, Callable[..., Any]]) -> argparse.ArgumentParser:
    """Return the parser.

    Args:
        description (str | None): What the tool does.
        runs (Mapping[str, Callable]): What each step runs; it becomes ``args.run``.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest='step', required=True, metavar='STEP')
    for name, summary in SUMMARIES.items():
        command = commands.add_parser(name, help=summary, description=summary)
        command.set_defaults(run=runs[name])
        _ARGUMENTS[name](command)
        command.add_argument(
            '--out', required=True, help='folder to write' if name == 'export-cvat' else 'file to write'
        )
        if name not in ('export-cvat', 'import-cvat'):
            command.add_argument('--config', default=CONFIG, help='pipeline config (default: %(default)s)')
            command.add_argument(
                '--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE', help='such as linker.max_cost=0.3'
            )
    return parser


def _coarse(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--films', help='folder of films, or a film')
    parser.add_argument(
        '--detections', metavar='DIR', help='MOT text of boxes for each film: nothing is detected again'
    )
    parser.add_argument('--tracks', metavar='DIR', help='MOT text of tubelets for each film: nothing is tracked again')
    parser.add_argument('--results', metavar='DIR', help='results of the pipeline: their tubes are the tubelets')
    parser.add_argument('--videos', help='table of the films with their shots, where no films are given')
    parser.add_argument('--split', default='train', help='split of films that are in no table (default: %(default)s)')
    parser.add_argument('--device', default='cpu', help='where the detector runs')


def _decisions(parser: argparse.ArgumentParser) -> None:
    group = parser.add_mutually_exclusive_group()
    group.add_argument('--propose', action='store_true', help='only write what would be changed')
    group.add_argument('--decisions', metavar='FILE', help='changes in which somebody decided: do what is accepted')


def _short_refine(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('input', help='annotations of stage 1')
    _decisions(parser)
    parser.add_argument(
        '--corrected', metavar='CVAT', help='films that an annotator corrected in CVAT, made of the input'
    )


def _long_merge(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('input', help='annotations of stage 2')
    parser.add_argument('--films', required=True, help='folder of the films')
    _decisions(parser)


def _long_refine(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('input', help='annotations of stage 3')
    parser.add_argument(
        '--decisions', metavar='FILE', help='the changes of long-merge: the accepted merges hold, no others'
    )
    parser.add_argument(
        '--corrected', metavar='CVAT', help='films that a reviewer corrected in CVAT, made of the input'
    )


def _export_cvat(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('input', help='annotations of any stage')


def _import_cvat(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('input', help='"CVAT for video 1.1" XML, or a folder of them')
    parser.add_argument('--exported', required=True, help='annotations that were exported')
    parser.add_argument('--before', help='of stage 2 and 4: the step before, to check against')


_ARGUMENTS = {
    'coarse': _coarse,
    'short-refine': _short_refine,
    'long-merge': _long_merge,
    'long-refine': _long_refine,
    'export-cvat': _export_cvat,
    'import-cvat': _import_cvat,
}
