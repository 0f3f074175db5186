"""Score predictions by a protocol: prints the protocol's name with the numbers.

tools/evaluate.py PROTOCOL --gt FILE --pred FILE [--json OUT.json] [--plots DIR]
tools/evaluate.py PROTOCOL --help        shows what files the protocol reads and its options
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path
from typing import Any

from mmtube.errors import exit_on_input_error
from mmtube.evaluation.protocols import PROTOCOLS, protocol
from mmtube.fileio import check_writable

COMMON = ('protocol', 'gt', 'pred', 'json', 'plots')


def facts(path: str) -> dict[str, Any]:
    """Return a file's path and hash; of a folder the path only."""
    if not Path(path).is_file():
        return {'path': path}
    digest = hashlib.sha256()
    with open(path, 'rb') as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return {'path': path, 'sha256': digest.hexdigest()}


def parse_args() -> argparse.Namespace:
    """Parse the command line; each protocol adds its own options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest='protocol', required=True, metavar='PROTOCOL')
    for name, summary in PROTOCOLS.items():
        command = commands.add_parser(name, help=summary, formatter_class=argparse.RawDescriptionHelpFormatter)
        command.add_argument('--gt', required=True, metavar='FILE', help='ground truth')
        command.add_argument('--pred', required=True, metavar='FILE', help='predictions')
        command.add_argument('--json', metavar='OUT', help='write all numbers, for tools/analysis')
        command.add_argument('--plots', metavar='DIR', help='draw the curves and tables')
        if name in sys.argv[1:2]:
            module = protocol(name)
            command.description = module.__doc__
            module.add_arguments(command)
    return parser.parse_args()


def main() -> None:
    """Command line."""
    args = parse_args()
    if args.json:
        check_writable(args.json)
    result = protocol(args.protocol).evaluate(args)
    options = {
        key: value for key, value in vars(args).items() if key not in ('protocol', 'gt', 'pred', 'json', 'plots')
    }
    result.inputs = {'gt': facts(args.gt), 'pred': facts(args.pred), 'options': options, **result.inputs}
    print(result.text())
    if args.json:
        result.write(args.json)
    if args.plots:
        from mmtube.visualization.evaluation import draw_result  # matplotlib takes a second to import

        for path in draw_result(result.document(), args.plots).values():
            print(path)


if __name__ == '__main__':
    exit_on_input_error(main)
