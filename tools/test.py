"""Test a checkpoint: ``python tools/test.py CONFIG CHECKPOINT [--out RESULTS.pkl]``."""

from __future__ import annotations

import argparse

from mmtube.engine.cli import build_config, build_runner, make_parser, readable_errors
from mmtube.errors import InputError, exit_on_input_error


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = make_parser('Test a checkpoint.')
    parser.add_argument('checkpoint', help='file, address or mmtube:// name of the weights')
    parser.add_argument('--out', help='pickle file for the raw predictions')
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    """Test as the command line says."""
    args = parse_args(arguments)
    cfg = build_config(args)
    cfg.load_from, cfg.resume = args.checkpoint, False
    if args.out:
        if not args.out.endswith(('.pkl', '.pickle')):
            raise InputError(f'{args.out}: the name of the predictions must end in .pkl or .pickle')
        metrics = cfg.test_evaluator if isinstance(cfg.test_evaluator, list) else [cfg.test_evaluator]
        cfg.test_evaluator = [*metrics, dict(type='DumpResults', out_file_path=args.out)]

    from mmengine.model import is_model_wrapper

    from mmtube.models.checkpoint import load_weights

    with readable_errors(args.config):
        runner = build_runner(cfg)
        # The runner itself loads whatever happens to fit; a checkpoint of another model is refused here.
        load_weights(runner.model.module if is_model_wrapper(runner.model) else runner.model, args.checkpoint)
        runner.test()


if __name__ == '__main__':
    exit_on_input_error(main)
