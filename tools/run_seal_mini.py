"""The whole chain on SEAL-mini, from rendering to a report: every stage trained, run on what the last one made, scored.

    tools/run_seal_mini.py                      the default set, in data/seal_mini and work_dirs/seal_mini
    tools/run_seal_mini.py --smoke              eight little films and a few steps of training, to see that all works

What is done is not done again: an interrupted command goes on when it is given again; a stage whose command has changed
is run anew, and so is what builds on it. Logs are in OUT/stages/. The report is OUT/report.html.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from mmtube.apis.chain import Chain, Stage
from mmtube.config import load_config
from mmtube.errors import InputError, exit_on_input_error

TOOLS = Path(__file__).parent
# People of the training split, whose number the head of re-identification needs: of the sets with seed 0.
IDENTITIES = {'default': 291, 'smoke': 13}
STREAMS = {'clips': 'clips_baseline', 'activities': 'clips_activities'}
DETECTORS = {'atomic': 'atomic_tubes', 'complex': 'complex_tubes', 'two_stream': 'complex_tubes_two_stream'}


def tool(name: str, *arguments: object, options: Sequence[str] = ()) -> tuple[str, ...]:
    """Return a command of this folder."""
    given = [str(argument) for argument in arguments]
    return (sys.executable, str(TOOLS / name), *given, *(['--cfg-options', *options] if options else []))


class SealMiniChain:
    """The stages, for one place of the data and one of the results.

    Args:
        data (Path): Folder of the set.
        out (Path): Folder of checkpoints and results.
        smoke (bool): Whether the set is the small one and training one epoch.
    """

    def __init__(self, data: Path, out: Path, smoke: bool) -> None:
        self.data, self.out, self.smoke = data, out, smoke
        self.epochs: dict[str, int] = {}

    def train(self, config: str, folder: str, options: Sequence[str] = (), data: Path | None = None) -> tuple[str, ...]:
        """Return the command that trains a config of SEAL-mini, which goes on where it was."""
        epochs = 1 if self.smoke or config == 'person_detector' else load_config(f'seal_mini/{config}').max_epochs
        self.epochs[folder] = epochs
        few = [
            f'train_cfg.max_epochs={epochs}',
            f'train_cfg.val_interval={epochs}',
            'default_hooks.checkpoint.interval=1',
        ]
        root = [f'data_root={data or self.data}/']
        return tool(
            'train.py', f'seal_mini/{config}', '--work-dir', self.out / folder, '--resume',
            options=[*root, *few, *options],
        )  # fmt: skip

    def weights(self, folder: str) -> Path:
        """Return the last checkpoint of a training."""
        return self.out / folder / f'epoch_{self.epochs[folder]}.pth'

    def extract(self, stream: str, ann: Path, features: Path) -> tuple[str, ...]:
        """Return the command that makes the features of the people of an annotation file."""
        return tool(
            'extract_features.py', f'seal_mini/features_{stream}', '--checkpoint', self.weights(stream), '--ann', ann,
            '--videos', self.data / 'videos', '--out', features,
        )  # fmt: skip

    def stages(self) -> list[Stage]:
        """Return all stages in order."""
        data, out, videos = self.data, self.out, self.data / 'videos'
        annotations = data / 'annotations'
        identities = IDENTITIES['smoke' if self.smoke else 'default']
        crops = out / 'crops'
        render = tool('data/seal_mini/render.py', '--out', data, *(['--smoke'] if self.smoke else []))
        people = [annotations / f'people_{split}.json' for split in ('train', 'test')]
        found = [
            Stage('render', (render,)),
            *(Stage(stream, (self.train(config, stream),), ('render',)) for stream, config in STREAMS.items()),
            Stage('detector', (self.train('person_detector', 'detector'),), ('render',)),
            Stage(
                'reid',
                (
                    tool(
                        'data/seal/crop_people.py', '--videos', videos, '--out', crops,
                        '--train', people[0], '--test', people[1],
                    ),
                    self.train('reid', 'reid', [f'model.num_identities={identities}'], crops),
                ),
                ('render',),
                crops,
            ),
        ]  # fmt: skip
        for stream in STREAMS:
            splits = [
                self.extract(stream, annotations / f'{split}.json', data / 'features' / stream)
                for split in ('train', 'val', 'test')
            ]
            found.append(Stage(f'features {stream}', tuple(splits), (stream,)))
        track = tool('track.py', '--detections', out / 'boxes', '--video', videos, '--output', out / 'tracks')
        detector = [
            'selector=None',
            'detector.model=mmtube::seal_mini/person_detector',
            f'detector.checkpoint={self.weights("detector")}',
        ]
        found += [
            Stage(
                'detect',
                (tool('detect_people.py', videos, '--only', 'test_*', '--output', out / 'boxes', options=detector),),
                ('detector',),
            ),
            Stage('track', (track,), ('detect',)),
            Stage(
                'link',
                (
                    tool(
                        'link_tubes.py', '--config', 'seal_mini/link_reid', '--tracks', out / 'tracks',
                        '--video', videos, '--output', out / 'tubes',
                        options=[f'appearance.checkpoint={self.weights("reid")}'],
                    ),
                    tool(
                        'data/convert.py', '--from', 'result', out / 'tubes', '--to', 'seal', out / 'found/test.json',
                        '--videos', videos, '--split', 'test',
                    ),
                ),
                ('track', 'reid'),
            ),
        ]  # fmt: skip
        for stream in STREAMS:
            command = self.extract(stream, out / 'found/test.json', out / 'found/features' / stream)
            found.append(Stage(f'found {stream}', (command,), ('link', stream)))
        for name, config in DETECTORS.items():
            needs = ('features clips',) if name == 'atomic' else ('features activities',)
            if name == 'two_stream':
                needs = ('features clips', 'features activities')
            command = self.train(config, name)
            test = tool(
                'test.py', f'seal_mini/{config}', self.weights(name), '--work-dir', out / name,
                options=[f'data_root={data}/', f'test_evaluator.out_file={out / name}.json'],
            )  # fmt: skip
            found.append(Stage(name, (command, test), needs))
        networks = [('atomic_tubes', 'atomic'), ('complex_tubes_two_stream', 'two_stream')]
        given = [word for config, name in networks for word in ('--network', f'seal_mini/{config}', self.weights(name))]
        scored = [
            tool(
                'evaluate.py', 'tubelet-predicted', '--gt', annotations / 'test.json', '--pred', out / 'actions',
                '--task', task, '--json', out / f'found_{task}.json',
            )
            for task in ('atomic', 'complex')
        ]  # fmt: skip
        features = [out / 'found/features' / stream for stream in STREAMS]
        actions = tool(
            'detect_actions.py', '--tracks', out / 'tubes', '--features', *features, '--out', out / 'actions', *given
        )
        found.append(Stage('actions', (actions, *scored), ('found clips', 'found activities', 'atomic', 'two_stream')))
        runs = [out / f'{name}.json' for name in (*DETECTORS, 'found_atomic', 'found_complex')]
        report = tool('analysis/report.py', *runs, '--out', out / 'report.html', '--title', 'SEAL-mini')
        found.append(Stage('report', (report,), (*DETECTORS, 'actions')))
        return found


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        '--data', type=Path, help='folder of the set (default: data/seal_mini, or data/seal_mini_smoke)'
    )
    parser.add_argument('--out', type=Path, help='folder of results (default: work_dirs/ and the name of the set)')
    parser.add_argument(
        '--smoke', action='store_true', help='the small set, and training that only shows that it works'
    )
    parser.add_argument(
        '--workers', type=int, default=len(os.sched_getaffinity(0)), help='stages at a time (default: all cores)'
    )
    return parser.parse_args()


def main() -> int:
    """Command line; returns 1 if a stage failed."""
    args = parse_args()
    if args.workers < 1:
        raise InputError(f'--workers must be positive, got {args.workers}')
    data = args.data or Path('data/seal_mini_smoke' if args.smoke else 'data/seal_mini')
    out = args.out or Path('work_dirs') / data.name
    chain = Chain(SealMiniChain(data, out, args.smoke).stages(), out, args.workers, {'OMP_NUM_THREADS': '1'})
    failed = chain.run()
    for name, line in failed.items():
        print(f'error: stage {name}: {line} (see {chain.log(name)})', file=sys.stderr)
    if not failed:
        minutes = sum(chain.seconds().values()) / 60
        print(f'{out / "report.html"}: {len(chain.stages)} stages, {minutes:.1f} minutes of work')
    return int(bool(failed))


if __name__ == '__main__':
    exit_on_input_error(main)
