"""Draw annotations over their films, for a person to look at: boxes, IDs and action bars, a timeline, subtitles.

Reviewers see the boundaries of each action as bars (SEAL, Sec. 3.2, "Quality Assurance").
"""

from __future__ import annotations

import argparse
from pathlib import Path

from mmtube.apis import ProgressLine
from mmtube.apis.outputs import write_outputs
from mmtube.datasets import FrameSource
from mmtube.datasets.film_folder import find_film
from mmtube.errors import InputError, exit_on_input_error
from mmtube.structures.seal import label_maps_beside, read_label_map, read_seal_json
from mmtube.structures.seal.convert.results import to_results


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('annotations', help='annotation file in the SEAL schema')
    parser.add_argument('--videos', required=True, help='folder of the films')
    parser.add_argument('--label-map', action='append', default=[], help='default: those beside the file')
    parser.add_argument('--out', required=True, help='folder; each film gets a folder in it')
    parser.add_argument('--only', nargs='+', metavar='VID', help='these films only')
    args = parser.parse_args()
    given = {label_map.task: label_map for label_map in map(read_label_map, args.label_map)}
    label_maps = {**label_maps_beside(args.annotations), **given}
    annotations = read_seal_json(args.annotations)
    wanted = args.only or list(annotations.videos)
    unknown = sorted(set(wanted) - set(annotations.videos))
    if unknown:
        raise InputError(f'{args.annotations}: has no video {unknown[0]!r}')
    films = {vid: find_film(args.videos, vid) for vid in wanted}
    for result in to_results(annotations.only(set(wanted)), label_maps):
        film = films[Path(result.video.name).stem]
        with FrameSource(film) as frames, ProgressLine(film.name) as progress:
            files = write_outputs(result, frames, Path(args.out, film.stem), progress)
        print(f'written: {", ".join(map(str, files))}')


if __name__ == '__main__':
    exit_on_input_error(main)
