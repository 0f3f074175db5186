"""Films made up by Hypothesis, and how two results are compared."""

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mmtube.structures import TASKS, Link, Segment, StageReport, Tube, VideoInfo, VideoResult

WIDTH, HEIGHT, CLASSES = 640, 480, 3
COLUMNS = ('frame_inds', 'times_s', 'boxes_px', 'scores', 'observed', 'tubelet_ids', 'clip_times_s', 'clip_scores')

probabilities = st.floats(0, 1, width=32)
# Words with what CSV, JSON, WebVTT and AVA's class names make difficult.
names = st.text(st.sampled_from('ab Zé漢,"\'&<>()/#:;-0'), min_size=1, max_size=12).map(str.strip).filter(bool)
segments = st.builds(
    lambda start_s, length_s, label, score, task: Segment(start_s, start_s + length_s, label, score, task),
    st.floats(0, 9e4),
    st.floats(0, 1e3),
    st.integers(0, CLASSES - 1),
    st.floats(0, 1),
    st.sampled_from(TASKS),
)


@st.composite
def tubes(draw, track_id):
    frame_inds = np.array(sorted(draw(st.sets(st.integers(0, 500), max_size=6))), np.int64)
    rows = len(frame_inds)
    near = draw(hnp.arrays(np.float32, (rows, 2), elements=st.floats(-50, 600, width=32)))
    side = draw(hnp.arrays(np.float32, (rows, 2), elements=st.floats(0.0009765625, 300, width=32)))
    far = np.maximum(near + side, np.nextafter(near, np.float32(np.inf)))
    clips = draw(st.integers(0, 4)) if rows else 0
    first_s = draw(st.floats(0, 20))
    embedding = draw(st.none() | hnp.arrays(np.float32, 4, elements=st.floats(-1, 1, width=32)))
    return Tube(
        track_id,
        frame_inds,
        frame_inds / 25 + draw(st.floats(0, 1e-3)),
        np.concatenate([near, far], axis=1),
        scores=draw(hnp.arrays(np.float32, rows, elements=probabilities)),
        observed=draw(hnp.arrays(bool, rows)),
        tubelet_ids=draw(hnp.arrays(np.int64, rows, elements=st.integers(0, 99))),
        embedding=embedding,
        clip_times_s=first_s + np.arange(clips) * draw(st.sampled_from([0.5, 1.0])),
        clip_scores=draw(hnp.arrays(np.float32, (clips, CLASSES), elements=probabilities)) if clips else None,
        segments=draw(st.lists(segments, max_size=4)),
    )


@st.composite
def video_results(draw):
    ids = draw(st.lists(st.integers(0, 99), unique=True, max_size=3))
    maps = st.lists(names, min_size=CLASSES, max_size=CLASSES, unique_by=lambda name: ' '.join(name.split()))
    states = st.sampled_from(['skipped', 'failed'])
    return VideoResult(
        VideoInfo(draw(names) + '.mp4', WIDTH, HEIGHT, 25.0, 501, 20.04),
        [draw(tubes(track_id)) for track_id in ids],
        shots=draw(st.lists(st.tuples(st.integers(0, 9), st.integers(10, 99)), max_size=2)),
        links=draw(st.lists(st.builds(Link, *[st.integers(0, 99)] * 2, *[st.floats(0, 9)] * 2, names), max_size=2)),
        stages=[StageReport('detect', 'run', seconds=0.1), StageReport('track', draw(states), draw(names))],
        label_maps={task: draw(maps) for task in draw(st.sets(st.sampled_from(['clip', *TASKS])))},
    )


def through(write, read, result, read_options=None, **write_options):
    """Write a result to a file and read it back."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'film.txt'
        write(result, path, **write_options)
        return read(path, **(read_options or {}))


def assert_same(one, two):
    """Two results are equal bit for bit."""
    assert (one.video, one.shots, one.links, one.stages) == (two.video, two.shots, two.links, two.stages)
    assert one.label_maps == two.label_maps
    assert len(one.tubes) == len(two.tubes)
    for a, b in zip(one.tubes, two.tubes):
        assert (a.track_id, a.segments) == (b.track_id, b.segments)
        assert (a.embedding is None) == (b.embedding is None)
        columns = [(getattr(a, name), getattr(b, name)) for name in COLUMNS]
        for left, right in columns if a.embedding is None else [*columns, (a.embedding, b.embedding)]:
            assert left.dtype == right.dtype
            np.testing.assert_array_equal(left, right)
