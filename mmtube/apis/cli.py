"""What the command lines of the pipeline's tools have in common."""

from __future__ import annotations

import argparse

from mmengine.config import DictAction


def pipeline_parser(description: str, config: str | None = 'seal/tube_pipeline') -> argparse.ArgumentParser:
    """Return a parser with the options that every tool of the pipeline takes.

    Args:
        description (str): What the tool does.
        config (str | None): The config used when none is given; None leaves the choice to the tool. Defaults to
            ``'seal/tube_pipeline'``.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument('--config', default=config, help='pipeline config: a path or a name below configs/')
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE', help='overrides, e.g. tracker.max_age=60'
    )
    return parser
