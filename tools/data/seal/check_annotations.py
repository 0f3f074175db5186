"""Find what is wrong with annotation files, and repair what can only be meant in one way (--fix).

Prints one line for each finding and a table of counts. Exit code: 0 nothing found, 1 something found, 2 a file cannot
be used at all.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from mmtube.datasets.quality import (
    HINTS,
    Report,
    activitynet_findings,
    check_annotations,
    fix_annotations,
    leak_findings,
    rule_text,
)
from mmtube.errors import InputError, exit_on_input_error
from mmtube.fileio import write_text
from mmtube.structures.io.documents import read_json
from mmtube.structures.seal import (
    Finding,
    SEALAnnotations,
    label_maps_beside,
    read_label_map,
    read_seal_json,
    write_seal_json,
)


def fix(
    annotations: SEALAnnotations, read_findings: list[Finding], path: str, max_lines: int, force: bool
) -> SEALAnnotations:
    """Write repaired annotations and the list of repairs beside them, and return them; nothing if all is well."""
    lost = [finding for finding in read_findings if finding.rule in ('record', 'duplicate-id')]
    if lost:
        raise InputError(f'{path}: not written, {len(lost)} records would be lost; mend this one first: {lost[0]}')
    if Path(path).exists() and not force:
        raise InputError(f'{path}: is there already; give --force to replace it')
    fixed, changes = fix_annotations(annotations, read_findings)
    if not changes:
        print(f'{path}: not written, there is nothing to repair')
        return annotations
    write_seal_json(fixed, path)
    write_text(Path(path).with_suffix('.fixes.json'), json.dumps([asdict(change) for change in changes], indent=1))
    for change in changes[:max_lines]:
        print(change)
    print(f'{path}: {len(changes)} repairs{f", {max_lines} shown" if len(changes) > max_lines else ""}; what is left:')
    return read_seal_json(path, findings=[])


def subsets_of(path: str) -> dict[str, str]:
    """Return the subset of each film of an ActivityNet file."""
    return {vid: record['subset'].text() for vid, record in read_json(path)['database'].items()}


def print_report(report: Report, max_lines: int) -> None:
    """Print findings, at most ``max_lines`` of each rule, and the counts."""
    shown: Counter[str] = Counter()
    for finding in report.findings:
        if shown[finding.rule] < max_lines:
            print(finding)
        shown[finding.rule] += 1
    if report.counts:
        width = max(map(len, report.counts))
        for rule, count in report.counts.most_common():
            print(f'{count:10,d}  {rule:{width}s}  {"hint: " if rule in HINTS else ""}{rule_text(rule)}'.rstrip())


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('files', nargs='+', metavar='FILE.json', help='one, or all splits: then leaks are looked for')
    parser.add_argument('--coarse', nargs='+', default=[], metavar='FILE.json', help='the step before, for each file')
    parser.add_argument('--videos', metavar='DIR', help='films, to compare their containers with the file')
    parser.add_argument('--label-map-atomic', metavar='FILE', help='default: the one beside each file, if there is one')
    parser.add_argument('--label-map-complex', metavar='FILE', help='likewise')
    parser.add_argument('--activitynet', metavar='FILE.json', help="ActivityNet's annotations, to compare the splits")
    parser.add_argument('--json', metavar='OUT', help='write the findings, at most 1000 of each rule, and all counts')
    parser.add_argument(
        '--fix',
        metavar='OUT.json',
        help='write a repaired file (of one FILE) and what was changed, and report what is left',
    )
    parser.add_argument('--force', action='store_true', help='let --fix replace a file')
    parser.add_argument('--max-per-rule', type=int, default=20, help='lines to print for each rule (default: 20)')
    parser.add_argument('--ignore', nargs='+', default=[], metavar='RULE', help='rules that do not matter here')
    parser.add_argument('--strict', action='store_true', help='hints count as findings')
    args = parser.parse_args()
    if args.coarse and len(args.coarse) != len(args.files):
        raise InputError(f'--coarse: {len(args.coarse)} files for {len(args.files)} to check, each needs its own')
    if args.fix and len(args.files) > 1:
        raise InputError('--fix: one file at a time')
    maps = {'atomic': args.label_map_atomic, 'complex': args.label_map_complex}
    given = {task: read_label_map(path, task) for task, path in maps.items() if path}
    subsets = subsets_of(args.activitynet) if args.activitynet else {}
    report, unusable, files = Report(max_per_rule=max(1000, args.max_per_rule)), [], []
    for number, path in enumerate(args.files):
        found: list[Finding] = []
        try:
            annotations = read_seal_json(path, findings=found)
            coarse = read_seal_json(args.coarse[number], findings=[]) if args.coarse else None
            label_maps = {**label_maps_beside(path), **given}
        except InputError as error:
            unusable.append(str(error))
            continue
        if args.fix:
            fixed = fix(annotations, found, args.fix, args.max_per_rule, args.force)
            annotations, found = fixed, found if fixed is annotations else []
        files.append(annotations)
        report.merge(
            check_annotations(
                annotations,
                label_maps=label_maps,
                coarse=coarse,
                films=args.videos,
                read_findings=found,
                max_per_rule=report.max_per_rule,
            )
        )
        report.add(activitynet_findings(annotations, subsets))
    report.add(leak_findings(files))
    report.ignore(args.ignore)
    print_report(report, args.max_per_rule)
    if args.json:
        document = {'counts': dict(report.counts), 'findings': [asdict(finding) for finding in report.findings]}
        write_text(args.json, json.dumps(document, indent=1) + '\n')
    if files:
        counts = [(len(files), 'file'), (report.num_errors, 'finding'), (report.num_hints, 'hint')]
        checked, errors, hints = (f'{count} {noun}{"s" * (count != 1)}' for count, noun in counts)
        print(f'{checked} checked: {errors}, {hints}')
    if unusable:
        raise InputError('; '.join(unusable))
    return int(report.num_errors + (report.num_hints if args.strict else 0) > 0)


if __name__ == '__main__':
    exit_on_input_error(main)
