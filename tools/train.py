"""Train a model: ``python tools/train.py CONFIG [--resume] [--cfg-options key=value ...]``."""

from __future__ import annotations

import argparse

from mmengine.config import Config

from mmtube.engine.cli import build_config, build_runner, make_parser, readable_errors
from mmtube.errors import InputError, exit_on_input_error


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = make_parser('Train a model.')
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='PATH',
        help='continue from this checkpoint; without PATH, from the last one in the work folder if there is one',
    )
    parser.add_argument('--amp', action='store_true', help='automatic mixed precision, on a GPU')
    return parser.parse_args(arguments)


def set_resume(cfg: Config, resume: str | None) -> None:
    """Let the config continue a run.

    With ``'auto'`` and an empty work folder the run starts anew with the ``load_from`` of the config, where MMEngine
    would drop it.
    """
    from mmengine.runner import find_latest_checkpoint

    checkpoint = find_latest_checkpoint(cfg.work_dir) if resume == 'auto' else resume
    if checkpoint is not None:
        cfg.resume, cfg.load_from = True, checkpoint


def set_amp(cfg: Config) -> None:
    """Let the config train in mixed precision.

    Raises:
        InputError: If there is no GPU.
    """
    import torch

    if not torch.cuda.is_available():
        raise InputError("--amp needs a GPU, MMEngine's mixed precision does not train on a CPU")
    cfg.optim_wrapper.type = 'AmpOptimWrapper'
    cfg.optim_wrapper.setdefault('loss_scale', 'dynamic')


def main(arguments: list[str] | None = None) -> None:
    """Train as the command line says."""
    args = parse_args(arguments)
    cfg = build_config(args)
    if args.amp:
        set_amp(cfg)
    if args.resume:
        set_resume(cfg, args.resume)
    with readable_errors(args.config):
        build_runner(cfg).train()


if __name__ == '__main__':
    exit_on_input_error(main)
