"""A correct little set in each format that can be checked, for faults to be planted in."""

import json

import numpy as np
import pytest
from mmengine.config import Config

from mmtube.apis.dataset_check import check_dataset
from mmtube.config import load_config
from mmtube.structures.seal import (
    BoxTable,
    InstanceTable,
    LabelMap,
    SEALAnnotations,
    TubeletRecord,
    VideoRecord,
    convert,
    write_label_map,
    write_seal_json,
)
from mmtube.testing import make_film

NAMES = ('walk', 'sit', 'wave', 'jump')
WIDTH, HEIGHT, SECONDS = 128, 96, 8
RATES = {'a': 25, 'b': 20}


def person(rate, first_s, end_s, x, y=20.0):
    """Boxes of 16x48 pixels, a pixel to the right each second."""
    frames = np.arange(round(first_s * rate), round(end_s * rate))
    left = x + frames / rate
    boxes = np.stack([left, 0 * left + y, left + 16, 0 * left + y + 48], 1)
    return frames, boxes, np.ones(len(frames)), np.zeros(len(frames))


@pytest.fixture(scope='session')
def clean_set(tmp_path_factory):
    """Folder with videos/, val.json in the SEAL schema, val.csv as AVA, val.pkl as UCF101-24, map.json, labels.txt.

    In film a (25 fps) ``a.0`` and ``a.1`` are seen all the 8 s, ``a.1`` at the right edge; in b (20 fps) ``b.0``.
    """
    root = tmp_path_factory.mktemp('clean')
    (root / 'videos').mkdir()
    for vid, rate in RATES.items():
        make_film(root / 'videos' / f'{vid}.mp4', SECONDS * rate, (WIDTH, HEIGHT), rate)
    videos = {
        vid: VideoRecord('web', WIDTH, HEIGHT, float(rate), SECONDS * rate, float(SECONDS), 'val')
        for vid, rate in RATES.items()
    }
    tracks = {'a.0': person(25, 0, 8, 10), 'a.1': person(25, 0, 8, 100), 'b.0': person(20, 0, 8, 90)}
    tubelets = {
        tid: TubeletRecord(tid[0], int(tid[2]), (int(track[0][0]), int(track[0][-1]) + 1), tid)
        for tid, track in tracks.items()
    }
    rows = [
        *(('a.0', 0, 'pose', 0.0, 4.0), ('a.0', 3, 'po', 2.0, 6.0), ('a.1', 1, 'pose', 1.0, 7.5)),
        *(('b.0', 2, 'pp', 0.5, 3.0), ('b.0', 0, 'pose', 3.0, 8.0)),
    ]
    annotations = SEALAnnotations(videos, tubelets, InstanceTable.from_rows(rows), boxes=BoxTable.from_tracks(tracks))
    label_map = LabelMap('atomic', NAMES, {'pose': (0, 2), 'pp': (2, 3), 'po': (3, 4)})
    write_seal_json(annotations, root / 'val.json')
    write_label_map(label_map, root / 'map.json')
    (root / 'labels.txt').write_text('\n'.join(NAMES) + '\n')
    convert.write_ava_csv(annotations, root / 'val.csv')
    convert.write_act_pkl(annotations, root / 'val.pkl', label_map=label_map)
    return root


@pytest.fixture
def copy_of(clean_set, tmp_path):
    """A copy of the set to spoil; films are links."""
    root = tmp_path / 'set'
    root.mkdir()
    (root / 'videos').symlink_to(clean_set / 'videos')
    for path in clean_set.iterdir():
        if path.is_file():
            (root / path.name).write_bytes(path.read_bytes())
    return root


CONFIGS = {
    'clips': ('seal_clips', 'val.json', dict(label_map='map.json'), dict(type='FrameMAP')),
    'tubes': ('seal_tubes', 'val.json', dict(label_map='map.json'), dict(type='TubeletMAP')),
    'ava': ('ava_style', 'val.csv', dict(label_file='labels.txt', exclude_file=None), dict(type='FrameMAP')),
}


@pytest.fixture
def config_of():
    """Return the config of a kind of data set over a folder, as a user derives it from ours."""

    def make(kind, root, evaluator=None, **options):
        base, ann_file, own, metric = CONFIGS[kind]
        cfg = load_config(f'_base_/datasets/{base}')
        options = {'data_root': str(root), 'ann_file': ann_file, **own, **options}
        cfg.val_dataloader.dataset.update(options)
        if 'data_prefix' in cfg.val_dataloader.dataset:
            cfg.val_dataloader.dataset.data_prefix = dict(video='videos')
        cfg.val_evaluator = evaluator or metric
        return cfg

    return make


@pytest.fixture
def act_config():
    """Return a config of action tubes over a folder."""

    def make(root, **options):
        pipeline = [
            dict(type='SampleSEALClip', clip_len=4, frame_interval=2),
            dict(type='DecodeWindow', short_side=48),
            dict(type='mmaction.FormatShape', input_format='NCTHW', collapse=True),
            dict(type='PackSEALClip'),
        ]
        dataset = dict(
            type='ActionTubes',
            data_root=str(root),
            ann_file='val.pkl',
            split='test',
            test_mode=True,
            frame_interval=10,
            data_prefix=dict(video='videos'),
            pipeline=pipeline,
        )
        return Config(dict(val_dataloader=dict(dataset={**dataset, **options}), val_evaluator=dict(type='FrameMAP')))

    return make


@pytest.fixture
def edit_json():
    """Change a JSON file by a function of its content."""

    def edit(path, change):
        document = json.loads(path.read_text())
        change(document)
        path.write_text(json.dumps(document))

    return edit


@pytest.fixture
def edit_csv():
    """Change the rows of a csv, each a list of text, by a function of a row and its number from 1."""

    def edit(path, change):
        rows = [line.split(',') for line in path.read_text().splitlines()]
        path.write_text('\n'.join(','.join(map(str, change(row, n))) for n, row in enumerate(rows, 1)) + '\n')

    return edit


@pytest.fixture
def check():
    """Check a config without reading films."""
    return lambda cfg, **options: check_dataset(cfg, name='my.py', **{'decode': 0, **options})


@pytest.fixture
def rules_of():
    """Return the findings of a report by rule."""
    return lambda report: {finding.rule: finding for finding in report.findings}
