"""The four steps of SEAL's spatial annotation, and the way to CVAT and back between them.

    annotate.py coarse --films films/ --out a1.json           1: detector, central people, tracker; the longest tubelets
    annotate.py short-refine a1.json --out a2.json            2: ID switches put right, obviously false tubelets deleted
    annotate.py long-merge a2.json --films films/ --out a3.json    3: the tubelets of a person get one ID
    annotate.py long-refine a3.json --decisions a3.changes.json --out a4.json    4: decisions applied, subjects chosen
    annotate.py export-cvat a1.json --out cvat/               a CVAT XML for each film
    annotate.py import-cvat cvat/ --exported a1.json --out a2.json

A step writes what it changed beside its result (OUT.changes.json), where a reviewer decides, and checks the result
against the step before. Exit code: 0 all is well, 1 the check found something, 2 something cannot be used; a bad film
is left out and told at the end, and the same command goes on where it stopped.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path
from typing import Any

from mmtube.apis import annotation as steps
from mmtube.apis import build_stage, load_pipeline
from mmtube.datasets.quality import HINTS
from mmtube.errors import InputError, exit_on_input_error
from mmtube.fileio import check_writable
from mmtube.structures.seal import convert, label_maps_beside, read_seal_json

MAX_TOLD = 20


def stage(args: argparse.Namespace, key: str) -> Any:
    """Build a stage that the config may have; None where it has not."""
    cfg = load_pipeline(args.config, args.cfg_options)
    return build_stage(key, cfg[key]) if cfg.get(key) else None


def decisions(args: argparse.Namespace, step: str) -> steps.ChangeList | None:
    """Read the decisions of a reviewer, if they are given."""
    return steps.read_changes(args.decisions, step) if args.decisions else None


def told(name: str, count: int, is_new: bool) -> None:
    """Print that a film is done."""
    print(f'{name}: {count}{"" if is_new else " (done before)"}', flush=True)


def coarse(args: argparse.Namespace) -> tuple:
    """Step 1."""
    kinds = [(kind, getattr(args, kind)) for kind in ('detections', 'tracks', 'results') if getattr(args, kind)]
    if len(kinds) > 1:
        raise InputError('give one of --detections, --tracks and --results')
    cfg = load_pipeline(args.config, args.cfg_options)
    videos = convert.read_videos(args.videos) if args.videos else None
    step = steps.CoarseStep(cfg, args.films, kinds[0] if kinds else None, videos, args.split, args.device)
    result, bad = step.run(Path(args.out).with_suffix('.parts'), told)
    return result, None, None, bad


def short_refine(args: argparse.Namespace) -> tuple:
    """Step 2."""
    before = steps.read_stage(args.input, (1,), args.step)
    false = stage(args, 'tube_filter')
    verdict = false.verdict if false is not None else None
    result, changes = steps.short_refine(
        before, stage(args, 'switch_corrector'), verdict, decided=decisions(args, args.step), apply=not args.propose
    )
    if args.corrected:
        result, changes = steps.refine_by_hand(before, result, changes, args.corrected, label_maps_beside(args.input))
    return result, before, changes, None


def long_merge(args: argparse.Namespace) -> tuple:
    """Step 3."""
    before = steps.read_stage(args.input, (2,), args.step)
    cfg = load_pipeline(args.config, args.cfg_options, ('frame_source', 'appearance', 'linker'))
    result, changes, bad = steps.LongMergeStep(cfg, args.films).run(
        before,
        Path(args.out).with_suffix('.parts'),
        decided=decisions(args, args.step),
        apply=not args.propose,
        on_film=told,
    )
    return result, before, changes, bad


def long_refine(args: argparse.Namespace) -> tuple:
    """Step 4."""
    before = steps.read_stage(args.input, (3,), args.step)
    corrected = (args.corrected, label_maps_beside(args.input)) if args.corrected else None
    chooser = stage(args, 'subject_chooser')
    result, changes = steps.long_refine(before, chooser, decisions(args, 'long-merge'), corrected)
    return result, before, changes, None


def import_cvat(args: argparse.Namespace) -> tuple:
    """What came back from CVAT, traced back to what was exported."""
    exported = read_seal_json(args.exported)
    before = read_seal_json(args.before) if args.before else None
    result, changes, same = steps.import_corrected(args.input, exported, label_maps_beside(args.exported))
    return result, before if same else exported, steps.ChangeList(args.step, changes), None


def export_cvat(args: argparse.Namespace) -> int:
    """A file for CVAT for each film."""
    annotations = read_seal_json(args.input)
    check_writable(Path(args.out, 'file'))
    losses = convert.write_cvat(annotations, args.out, label_maps=label_maps_beside(args.input))
    print(f'{args.out}: {len(annotations.videos)} films, {len(annotations.tubelets)} tubelets')
    for what, count in losses.items():
        print(f'not held by cvat, found again on import: {count} {what}')
    return 0


def main() -> int:
    """Command line."""
    runs = (coarse, short_refine, long_merge, long_refine, import_cvat, export_cvat)
    named = {run.__name__.replace('_', '-'): run for run in runs}
    args = steps.annotation_parser(__doc__, named).parse_args()
    if args.step == 'export-cvat':
        return export_cvat(args)
    check_writable(args.out)
    source = getattr(args, 'exported', None) or getattr(args, 'input', None)
    if source is not None:
        steps.refuse_overwriting(args.out, source)
    result, before, changes, bad = args.run(args)
    report = steps.write_stage(result, args.out, before, source or args.out)
    if changes is not None:
        path = Path(args.out).with_suffix('.changes.json')
        steps.write_changes(changes, path)
        for change in changes.changes[:MAX_TOLD]:
            print(change)
        counts = Counter(f'{change.kind} {change.decision}' for change in changes.changes)
        told_counts = ', '.join(f'{count} {what}' for what, count in sorted(counts.items()))
        print(f'{path}: {len(changes.changes)} changes' + (f': {told_counts}' if counts else ''))
    for finding in [found for found in report.findings if found.rule not in HINTS][:MAX_TOLD]:
        print(finding)
    counted = f'{len(result.videos)} films, {len(result.tubelets)} tubelets, {len(result.boxes)} boxes'
    print(f'{args.out}: {counted}; {report.num_errors} findings, {report.num_hints} hints')
    if bad is not None:
        bad.refuse()
    return int(report.num_errors > 0)


if __name__ == '__main__':
    exit_on_input_error(main)
