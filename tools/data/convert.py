"""Turn annotations of one format into another; what the other one cannot hold is counted.

    python tools/data/convert.py --from ava ava_train.csv --to cvat cvat/ --videos films/ --label-map atomic.json

Formats (docs/formats.md says more):
    seal         annotation file in the SEAL schema (.json, boxes in an .npz beside it)
    result       folder of results of the pipeline (.json), or one
    ava          AVA csv
    mot          folder of MOTChallenge text
    act          pickle of UCF101-24, JHMDB or MultiSports
    activitynet  ActivityNet json
    cvat         folder of "CVAT for video 1.1" XML, or one such file
"""

from __future__ import annotations

import argparse
from pathlib import Path

from mmtube.errors import InputError, exit_on_input_error
from mmtube.fileio import check_writable
from mmtube.structures.seal import (
    Finding,
    LabelMap,
    SEALAnnotations,
    VideoRecord,
    convert,
    label_maps_beside,
    read_label_map,
    read_seal_json,
    write_label_map,
    write_seal_json,
)

FORMATS = ('seal', 'result', 'ava', 'mot', 'act', 'activitynet', 'cvat')
FOLDERS = ('result', 'mot', 'cvat')


def films(path: str, split: str) -> dict[str, VideoRecord]:
    """Read a table of films, or what the containers in a folder say."""
    if not Path(path).is_dir():
        return convert.read_videos(path)
    from mmtube.datasets.film_facts import film_record
    from mmtube.datasets.film_folder import list_films

    return {film.stem: film_record(film, split) for film in list_films(path)}


def read(args: argparse.Namespace, maps: dict[str, LabelMap], found: list[Finding] | None) -> SEALAnnotations:
    """Read the source; label maps that it holds and the command line does not are added to ``maps``."""
    kind, src = args.source
    videos = films(args.videos, args.split) if args.videos else None
    if kind == 'seal':
        maps.update({**label_maps_beside(src), **maps})
        annotations = read_seal_json(src, findings=found)
        return annotations if found is None else convert.without_broken(annotations)
    if kind == 'result':
        maps.update({**convert.result_label_maps(src), **maps})
        return convert.read_results(src, split=args.split, label_map=maps.get('atomic'))
    if kind == 'ava':
        if videos is None:
            raise InputError(f'{src}: AVA boxes are fractions of the frame, tell the films with --videos')
        return convert.read_ava_csv(src, videos, label_map=maps.get('atomic'), start_s=args.start_s, findings=found)
    if kind == 'mot':
        return convert.read_mot(src, videos, fps=args.fps, split=args.split, findings=found)
    if kind == 'cvat':
        maps.update({**convert.cvat_label_maps(src), **maps})
        return convert.read_cvat(src, videos, fps=args.fps, label_maps=maps, split=args.split, findings=found)
    if args.task not in maps:
        names = convert.act_pkl_label_map if kind == 'act' else convert.activitynet_label_map
        maps[args.task] = names(src, args.task)
    named = {'label_map': maps[args.task], 'task': args.task, 'findings': found}
    if kind == 'act':
        options = {'fps': args.fps, 'inclusive': args.inclusive, 'split_index': args.split_index}
        return convert.read_act_pkl(src, videos, **options, **named)
    return convert.read_activitynet(src, videos, fps=args.fps or 25.0, frame_size=args.size, **named)


def write(annotations: SEALAnnotations, args: argparse.Namespace, maps: dict[str, LabelMap]) -> dict[str, int]:
    """Write the destination and return what it does not hold, counted."""
    kind, dst = args.destination
    if kind == 'seal':
        write_seal_json(annotations, dst)
        for task, label_map in maps.items():
            write_label_map(label_map, Path(dst).with_name(f'{Path(dst).stem}_label_map_{task}.json'))
        return {}
    if kind == 'result':
        return convert.write_results(annotations, dst, label_maps=maps)
    if kind == 'ava':
        return convert.write_ava_csv(annotations, dst, start_s=args.start_s)
    if kind == 'mot':
        return convert.write_mot(annotations, dst, layout=args.layout)
    if kind == 'cvat':
        return convert.write_cvat(annotations, dst, label_maps=maps)
    named = {'label_map': maps.get(args.task), 'task': args.task}
    if kind == 'act':
        return convert.write_act_pkl(annotations, dst, inclusive=args.inclusive, **named)
    return convert.write_activitynet(annotations, dst, per_person=args.per_person, **named)


def size(text: str) -> tuple[int, int]:
    """Parse WIDTHxHEIGHT."""
    width, height = map(int, text.lower().split('x'))
    return width, height


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--from', dest='source', nargs=2, metavar=('FORMAT', 'SRC'), required=True)
    parser.add_argument('--to', dest='destination', nargs=2, metavar=('FORMAT', 'DST'), required=True)
    parser.add_argument('--videos', help='folder of the films, or a table of them: the "videos" of the SEAL schema')
    parser.add_argument('--label-map', action='append', default=[], help='label map, for atomic and complex each one')
    parser.add_argument('--task', choices=['atomic', 'complex'], help='act: default atomic; activitynet: complex')
    parser.add_argument('--split', default='train', help='split of films that say none (default: train)')
    parser.add_argument('--only-split', metavar='SPLIT', help='films of this split only')
    parser.add_argument('--fps', type=float, help='frames per second of films that say none')
    parser.add_argument('--size', type=size, help='activitynet: WIDTHxHEIGHT of films that say none')
    parser.add_argument('--start-s', type=float, default=0.0, help='ava: timestamp at which films begin, 900 for AVA')
    parser.add_argument('--split-index', type=int, default=0, help='act: which split of the data set, from 0')
    parser.add_argument('--inclusive', action='store_true', help='act: x2 and y2 are the last pixels of the box')
    parser.add_argument('--layout', choices=['challenge', 'plain'], default='challenge', help='mot')
    parser.add_argument('--per-person', action='store_true', help='activitynet: an entry for each person')
    parser.add_argument('--skip-bad', action='store_true', help='leave wrong rows out and list them')
    args = parser.parse_args()
    for kind, _ in (args.source, args.destination):
        if kind not in FORMATS:
            parser.error(f'{kind!r} is no format, there are: {", ".join(FORMATS)}')
    if args.fps is not None and not 0 < args.fps < float('inf'):
        parser.error('--fps must be positive')
    kind, dst = args.destination
    check_writable(Path(dst, 'file') if kind in FOLDERS else dst)
    args.task = args.task or ('complex' if 'activitynet' in (args.source[0], kind) else 'atomic')
    maps = {label_map.task: label_map for label_map in map(read_label_map, args.label_map)}
    found: list[Finding] | None = [] if args.skip_bad else None
    annotations = read(args, maps, found)
    for finding in found or ():
        print(f'left out: {finding}')
    if args.only_split:
        vids = {vid for vid, video in annotations.videos.items() if video.split == args.only_split}
        annotations = annotations.only(vids).with_own_boxes()
    losses = write(annotations, args, maps)
    counts = [f'{len(annotations.videos)} films', f'{len(annotations.tubelets)} tubelets']
    counts += [f'{convert.own_boxes(annotations).sum()} boxes', f'{len(annotations.aa)} atomic instances']
    print(f'{dst}: from {", ".join(counts)} and {len(annotations.ca)} complex instances')
    for what, count in losses.items():
        print(f'not held by {kind}: {count} {what}')


if __name__ == '__main__':
    exit_on_input_error(main)
