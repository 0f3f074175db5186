"""A small annotation of two films that the tests of the schema and of its converters share."""

import pytest

from mmtube.structures.seal import (
    BoxTable,
    InstanceTable,
    LabelMap,
    SEALAnnotations,
    TubeletRecord,
    VideoRecord,
)


@pytest.fixture
def label_maps():
    """Four atomic actions in three groups, two activities."""
    groups = {'pose': (0, 2), 'pp': (2, 3), 'po': (3, 4)}
    return {
        'atomic': LabelMap('atomic', ('walk', 'run', 'hug', 'lift'), groups),
        'complex': LabelMap('complex', ('greeting', 'moving boxes')),
    }


@pytest.fixture
def sample():
    """Film `street`, 4 s at 10 fps, 100 x 50: person 1 walks, lifts, is away in frames 15 to 19; person 2 hugs.

    Film `park` has nobody.
    """
    frames = [*range(15), *range(20, 40)]
    boxes = [[10.5 + frame, 10, 20.5 + frame, 40.25] for frame in frames]
    flags = [4] * 34 + [1]
    return SEALAnnotations(
        {
            'street': VideoRecord('web', 100, 50, 10.0, 40, 4.0, 'train', ((0, 30), (30, 40))),
            'park': VideoRecord('anet', 64, 48, 25.0, 50, 2.0, 'val'),
        },
        {
            'street.1': TubeletRecord('street', 1, (0, 40), 'street.1', ('c1', 'c2'), 4, True),
            'street.2': TubeletRecord('street', 2, (0, 20), 'street.2'),
        },
        InstanceTable.from_rows(
            [
                ('street.1', 0, 'pose', 0.5, 2.5),
                ('street.1', 3, 'po', 2.0, 3.5),
                ('street.2', 2, 'pp', 0.0, 1.5),
            ]
        ),
        InstanceTable.from_rows([('street.1', 1, '', 0.5, 3.5)]),
        BoxTable.from_tracks(
            {
                'street.1': (frames, boxes, [1.0] * 35, flags),
                'street.2': (range(20), [[60, 5, 80, 45]] * 20, [1.0] * 20, [0] * 20),
            }
        ),
    )
