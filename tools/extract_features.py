"""Write the features of people in films, or of whole films, one npz for each film.

    tools/extract_features.py features/slowfast_t --checkpoint seal_clips.pth --ann train.json --videos DIR --out DIR
    tools/extract_features.py features/tsp_frame --checkpoint tsp.pth --videos DIR --out DIR

The people are those of annotations in the SEAL schema: annotated by hand, or tracked and linked. A config with
roi=None, or --whole-frame, looks at whole frames and needs no annotations. A film whose file is there is passed over,
so that an interrupted command goes on when it is given again; a file of another extractor is refused unless --force is
given. A bad film is told at the end, and the rest is done.
"""

from __future__ import annotations

import argparse
import fnmatch
import sys
from pathlib import Path

from mmengine.config import DictAction

from mmtube.apis import ProgressLine
from mmtube.apis.features import FORMATS, FeatureJob, is_done, load_extractor, run_jobs, tubelet_job
from mmtube.config import load_config
from mmtube.datasets.film_facts import film_record
from mmtube.datasets.film_folder import find_film, list_films
from mmtube.errors import InputError, exit_on_input_error
from mmtube.fileio import check_writable
from mmtube.structures.seal import read_seal_json


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='config whose model is a TubeletExtractor: a path or a name below configs/')
    parser.add_argument('--ann', metavar='FILE.json', help='people, in the SEAL schema')
    parser.add_argument('--videos', required=True, type=Path, metavar='DIR', help='folder of films')
    parser.add_argument('--out', required=True, type=Path, metavar='DIR', help='folder of feature files')
    parser.add_argument('--checkpoint', metavar='FILE', help="weights (default: the config's)")
    parser.add_argument('--whole-frame', action='store_true', help='features of whole frames, whatever the config says')
    parser.add_argument(
        '--format', choices=FORMATS, default='npz', help='csv is for whole frames, as MMAction2 reads it'
    )
    parser.add_argument('--only', metavar='GLOB', help="films by name, such as 'v_a*'")
    parser.add_argument('--workers', type=int, default=1, metavar='N', help='processes (default: 1)')
    parser.add_argument('--threads', type=int, default=1, metavar='N', help='threads of each (default: 1)')
    parser.add_argument('--device', help="where the network runs (default: the config's)")
    parser.add_argument('--force', action='store_true', help='make all files anew')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE', help='overrides')
    return parser.parse_args()


def find_jobs(args: argparse.Namespace, whole: bool) -> tuple[list[FeatureJob], dict[str, str]]:
    """Return the films that are asked for, and what is wrong with others."""
    errors: dict[str, str] = {}
    jobs = []
    annotations = read_seal_json(args.ann) if args.ann else None
    if not args.videos.is_dir():
        raise InputError(f'{args.videos}: is no folder of films')
    vids = list(annotations.videos) if annotations else [path.stem for path in list_films(args.videos)]
    vids = [vid for vid in dict.fromkeys(vids) if fnmatch.fnmatchcase(vid, args.only or '*')]
    if not vids:
        raise InputError(f'{args.ann or args.videos}: has no film {args.only or ""}'.rstrip())
    for vid in vids:
        out = args.out / f'{vid}.{args.format}'
        try:
            film = find_film(args.videos, vid)
            if whole or annotations is None:
                jobs.append(FeatureJob(vid, film, out, None, num_frames=film_record(film).num_frames))
            else:
                jobs.append(tubelet_job(annotations, vid, film, out))
        except InputError as error:
            errors[vid] = str(error)
    return jobs, errors


def main() -> int:
    """Command line; returns 2 if a film could not be used."""
    args = parse_args()
    if args.workers < 1 or args.threads < 1:
        raise InputError(f'--workers and --threads must be positive, got {args.workers} and {args.threads}')
    cfg = load_config(args.config, args.cfg_options)
    if args.whole_frame and 'model' in cfg:
        cfg.model.roi = None
    extractor = load_extractor(cfg, args.checkpoint, args.device)
    whole = extractor.roi is None
    if not whole and args.ann is None:
        raise InputError(f'{args.config}: makes features of people, give them with --ann, or say --whole-frame')
    if args.format == 'csv' and not whole:
        raise InputError('--format csv is for whole frames')
    check_writable(args.out / 'x.npz')
    jobs, errors = find_jobs(args, whole)
    todo = [job for job in jobs if args.force or not is_done(job, extractor.meta)]
    if len(todo) < len(jobs):
        print(f'{len(jobs) - len(todo)} of {len(jobs)} films are there')
    if todo:
        del extractor
        with ProgressLine(str(args.out)) as progress:
            workers = min(args.workers, len(todo))
            errors.update(run_jobs(todo, cfg, args.checkpoint, args.device, workers, args.threads, progress))
    for vid, error in errors.items():
        print(f'error: {vid}: {error}', file=sys.stderr)
    bad = sum(job.vid in errors for job in todo)
    print(f'{args.out}: {len(todo) - bad} films written, {len(errors)} could not be used')
    return 2 if errors else 0


if __name__ == '__main__':
    exit_on_input_error(main)
