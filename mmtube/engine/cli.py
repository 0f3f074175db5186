"""What the commands that train and test have in common."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mmengine.config import Config, DictAction

from mmtube.config import load_config
from mmtube.errors import InputError

if TYPE_CHECKING:
    from mmengine.runner import Runner


def make_parser(description: str) -> argparse.ArgumentParser:
    """A parser with the arguments that every command around MMEngine's runner takes."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument('config', help="path, name below configs/, or 'package::name'")
    parser.add_argument('--work-dir', help='folder of logs and checkpoints, by default work_dirs/CONFIG')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        help='overrides of the config as key=value, such as train_cfg.max_epochs=2',
    )
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)  # given by torch.distributed.launch
    return parser


def build_config(args: argparse.Namespace) -> Config:
    """Read the config that the command line names and put the command line's wishes into it.

    Args:
        args (argparse.Namespace): Parsed by a :func:`make_parser` parser.

    Raises:
        InputError: If the config is missing or cannot be read, or an override does not fit.
    """
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    cfg = load_config(args.config, args.cfg_options)
    if 'model' not in cfg:
        raise InputError(f'{args.config}: has no model, it cannot be trained or tested')
    cfg.launcher = args.launcher
    cfg.work_dir = args.work_dir or cfg.get('work_dir') or str(Path('work_dirs', Path(cfg.filename).stem))
    return cfg


@contextmanager
def readable_errors(config: str) -> Iterator[None]:
    """Turn what a runner raises over a wrong config or a missing file into an :class:`InputError`.

    Args:
        config (str): Name of the config, for the message.

    Raises:
        InputError: If a file is missing, or a name or an argument is unknown. Other errors pass unchanged.
    """
    try:
        yield
    except FileNotFoundError as error:
        # A worker process sends the traceback as text; its last line is the message.
        message = f'{error.filename}: no such file' if error.filename else str(error).strip().splitlines()[-1]
        raise InputError(message) from error
    except TypeError as error:
        wrong = re.search(r"(\w+)\.__init__\(\) got an unexpected keyword argument '(\w+)'", str(error))
        if wrong is None:
            raise
        raise InputError(f'{config}: {wrong[1]} has no argument {wrong[2]!r}') from error
    except KeyError as error:
        unknown = re.search(r'([\w.]+) is not in the (\S+) registry', str(error))
        if unknown is None:
            raise
        raise InputError(f'{config}: {unknown[1]} is not in the registry {unknown[2]}') from error


def build_runner(cfg: Config) -> Runner:
    """Build the runner that the config asks for, MMEngine's own unless it names a ``runner_type``."""
    from mmengine.registry import RUNNERS
    from mmengine.runner import Runner

    return RUNNERS.build(cfg) if 'runner_type' in cfg else Runner.from_cfg(cfg)
