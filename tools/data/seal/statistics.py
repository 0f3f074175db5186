"""Count annotations as the SEAL paper does: Tables 1 and 2 and Figures 2 to 5, as text, JSON and PNG.

Several files are counted as one data set.
"""

import sys
import sysconfig
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

if __name__ == 'statistics':
    # Python looks for modules beside the tool that runs, so this file stands before the standard library's module of
    # the same name: hand that one out.
    spec = spec_from_file_location(__name__, Path(sysconfig.get_path('stdlib'), 'statistics.py'))
    sys.modules[__name__] = module_from_spec(spec)
    spec.loader.exec_module(sys.modules[__name__])


def main() -> None:
    """Command line."""
    import argparse
    import json

    from mmtube.datasets.statistics import PUBLISHED, annotation_statistics, merge_annotations, report_text
    from mmtube.fileio import write_text
    from mmtube.structures.seal import label_maps_beside, read_label_map, read_seal_json
    from mmtube.visualization.statistics import draw_statistics

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('files', nargs='+', metavar='FILE.json', help='annotations, such as all splits of a data set')
    parser.add_argument('--out', required=True, type=Path, metavar='DIR', help='where tables and figures go')
    parser.add_argument('--name', default='this set', help='what the rows and figures are called')
    parser.add_argument('--label-map-atomic', metavar='FILE', help='default: the one beside the first file')
    parser.add_argument('--label-map-complex', metavar='FILE', help='default: the one beside the first file')
    args = parser.parse_args()
    given = {'atomic': args.label_map_atomic, 'complex': args.label_map_complex}
    label_maps = label_maps_beside(args.files[0])
    label_maps.update({task: read_label_map(path, task) for task, path in given.items() if path})
    annotations = merge_annotations([read_seal_json(path) for path in args.files])
    statistics = annotation_statistics(annotations, label_maps, name=args.name)
    document = {**statistics.to_json(), 'published_table_1': PUBLISHED}
    write_text(args.out / 'statistics.json', json.dumps(document, indent=1) + '\n')
    write_text(args.out / 'statistics.txt', report_text(statistics))
    draw_statistics(statistics, args.out)
    print(report_text(statistics), end='')


if __name__ == '__main__':
    from mmtube.errors import exit_on_input_error

    exit_on_input_error(main)
