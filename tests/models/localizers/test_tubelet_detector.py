"""The stage of the pipeline: rows of one or two networks become segments on the right tube at the right time."""

import numpy as np
import pytest
import torch
from torch import nn

from mmtube.errors import InputError, MissingCheckpointError
from mmtube.models.localizers.base import Candidates, TemporalLocalizer
from mmtube.models.localizers.tubelet_detector import TubeletActionDetector
from mmtube.registry import MODELS
from mmtube.structures import Tube, TubeletRows

META = dict(stream='tiny', fps=25.0, window=8, stride=8, dim=2, checkpoint='abc')
RATE = 25 / 8


@MODELS.register_module(force=True)
class BareStem(nn.Module):
    """Features as they are."""

    def __init__(self):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(1))

    def forward(self, features, mask):
        return features * self.gain * mask[:, None], [features]


@MODELS.register_module(force=True)
class AboveHalf(TemporalLocalizer):
    """An instance of class c is from the first to the last row in which channel c is above a half."""

    def losses(self, base, mask, truths, parts):
        return {'loss': base.sum()}

    def find(self, base, mask):
        found = []
        for rows in base:
            spans = [(c, channel.gt(0.5).nonzero()) for c, channel in enumerate(rows)]
            spans = [(c, at[0, 0] - 0.5, at[-1, 0] + 0.5) for c, at in spans if len(at)]
            labels = torch.tensor([c for c, _, _ in spans], dtype=torch.int64)
            segments = torch.tensor([[first, last] for _, first, last in spans]).reshape(-1, 2)
            found.append(Candidates(segments, torch.full((len(labels),), 0.9), labels))
        return found


def config(task='atomic', rescale=None, **kwargs):
    steps = [dict(type='LoadTubeletFeatures'), dict(type='PackTubelet')]
    if rescale:
        steps.insert(1, dict(type='TubeletRescale', rows=rescale))
    streams = [dict(folder='features/tiny', **{key: META[key] for key in ('stream', 'fps', 'window', 'stride')})]
    dataset = dict(type='SEALTubes', task=task, features=streams, pipeline=steps)
    model = dict(type='AboveHalf', stem=dict(type='BareStem'), num_classes=2, **kwargs)
    return dict(default_scope='mmtube', model=model, test_dataloader=dict(dataset=dataset))


def weights(path, names=('walk', 'wave')):
    state = {'stem.gain': torch.ones(1)}
    torch.save({'state_dict': state, 'meta': {'dataset_meta': {'classes': list(names)}}}, path)
    return str(path)


def tube(track_id, first, count):
    frames = np.arange(first, first + count)
    return Tube(track_id, frames, frames / 25, np.tile(np.float32([0, 0, 9, 9]), (count, 1)))


def rows(track_id, offset_s, count, active, channel=0, meta=META):
    features = np.zeros((count, 2), np.float32)
    features[active, channel] = 1
    return TubeletRows(track_id, offset_s + np.arange(count) / RATE, features, dict(meta))


def test_a_step_in_a_tubelet_that_begins_mid_film_comes_back_at_its_time(tmp_path):
    stage = TubeletActionDetector([dict(config=config(), checkpoint=weights(tmp_path / 'a.pth'))])
    people = [tube(4, 150, 500), tube(7, 0, 100)]
    found = stage.detect(people, [rows(4, 6.4, 60, slice(10, 20)), rows(7, 0.16, 10, slice(3, 5), channel=1)])
    (one,), (other,) = (person.segments for person in found)
    assert (one.label, one.task, one.score) == (0, 'atomic', pytest.approx(0.9))
    assert one.start_s == pytest.approx(6.4 + 9.5 / RATE)
    assert one.end_s == pytest.approx(6.4 + 19.5 / RATE)
    assert other.label == 1
    assert other.start_s == pytest.approx(0.16 + 2.5 / RATE)
    assert [person.track_id for person in found] == [4, 7]
    assert people[0].segments == []
    assert stage.label_maps == {'atomic': ['walk', 'wave']}


def test_two_networks_with_their_own_pipelines(tmp_path):
    stage = TubeletActionDetector(
        [
            dict(config=config(), checkpoint=weights(tmp_path / 'a.pth')),
            dict(config=config('complex', rescale=120), checkpoint=weights(tmp_path / 'c.pth', ('party', 'work'))),
        ]
    )
    (found,) = stage.detect([tube(0, 0, 500)], [rows(0, 0.16, 60, slice(10, 20))])
    atomic, activity = sorted(found.segments, key=lambda segment: segment.task)
    assert (atomic.task, activity.task) == ('atomic', 'complex')
    assert stage.label_maps['complex'] == ['party', 'work']
    assert activity.start_s == pytest.approx(atomic.start_s, abs=0.5 / RATE)  # rows of half the length
    assert activity.end_s == pytest.approx(atomic.end_s, abs=0.5 / RATE)


def test_nobody_and_nothing(tmp_path):
    stage = TubeletActionDetector([dict(config=config(), checkpoint=weights(tmp_path / 'a.pth'))])
    assert stage.detect([], []) == []
    short = TubeletRows(3, np.zeros(0), np.zeros((0, 2)), dict(META))
    (found,) = stage.detect([tube(3, 0, 1)], [short])
    assert found.segments == []
    strict = TubeletActionDetector([dict(config=config(), checkpoint=weights(tmp_path / 'a.pth'))], min_score=0.95)
    assert strict.detect([tube(0, 0, 500)], [rows(0, 0.16, 60, slice(10, 20))])[0].segments == []


def test_what_does_not_fit_is_refused(tmp_path):
    good = weights(tmp_path / 'a.pth')
    with pytest.raises(MissingCheckpointError, match='no weights'):
        TubeletActionDetector([dict(config=config())])
    with pytest.raises(InputError, match='3 class names, the network has 2'):
        TubeletActionDetector([dict(config=config(), checkpoint=weights(tmp_path / 'b.pth', 'abc'))])
    with pytest.raises(InputError, match='atomic actions, and so does another'):
        TubeletActionDetector([dict(config=config(), checkpoint=good)] * 2)
    with pytest.raises(InputError, match='is not the config of a temporal detector'):
        TubeletActionDetector([dict(config=dict(default_scope='mmtube'), checkpoint=good)])
    with pytest.raises(ValueError, match='no network'):
        TubeletActionDetector([])
    stage = TubeletActionDetector([dict(config=config(), checkpoint=good)])
    with pytest.raises(InputError, match="trained on features 'tiny', the rows are slowfast_t"):
        stage.detect([tube(0, 0, 50)], [rows(0, 0.16, 5, slice(1, 2), meta=dict(META, stream='slowfast_t'))])
    with pytest.raises(InputError, match='stride of tiny is 4, trained on 8'):
        stage.detect([tube(0, 0, 50)], [rows(0, 0.16, 5, slice(1, 2), meta=dict(META, stride=4))])


def test_a_network_takes_its_own_of_several_streams(tmp_path):
    stage = TubeletActionDetector([dict(config=config(), checkpoint=weights(tmp_path / 'a.pth'))])
    own = rows(0, 0.16, 60, slice(10, 20), channel=1)
    other = TubeletRows(0, own.times_s, np.ones((60, 3)), {})
    meta = dict(streams=[dict(META, stream='other', dim=3), META])
    both = TubeletRows(0, own.times_s, np.concatenate([other.rows, own.rows], 1), meta)
    (found,), (wanted,) = (stage.detect([tube(0, 0, 500)], [one]) for one in (both, own))
    assert found.segments == wanted.segments
    assert found.segments[0].label == 1
