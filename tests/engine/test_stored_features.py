"""A head learns from stored features what it learns from clips."""

import pytest
import torch
from small_clips import KeepAll, SmallClips, model_cfg, quiet, runner_of

from mmtube.engine.loops.stored_features import _files
from mmtube.errors import InputError
from mmtube.models.checkpoint import read_checkpoint
from mmtube.models.roi_heads import ClipActionDetector, ClipFeatures, FeatureBank


@pytest.fixture(autouse=True)
def nothing_printed(monkeypatch):
    quiet(monkeypatch)


@pytest.fixture
def looks(monkeypatch):
    """How many batches a backbone looked at in training."""
    seen = []
    extract = ClipActionDetector.extract_clips

    def counted(self, data, labelled=False, with_objects=False):
        seen.extend([len(data['inputs'])] if labelled else [])
        return extract(self, data, labelled, with_objects)

    monkeypatch.setattr(ClipActionDetector, 'extract_clips', counted)
    return seen


def loop_cfg(**options):
    return dict(type='StoredFeatureTrainLoop', **{'max_epochs': 3, 'batch_size': 4, 'val_interval': 3, **options})


def weights(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


def clip(people, objects, key):
    """A clip with features that tell the person."""
    valid = torch.arange(3)[None] < objects
    return ClipFeatures(
        torch.arange(people * 2.0).view(people, 2) + 100 * key[1],
        torch.rand(people, 4),
        torch.rand(people),
        torch.zeros(people, dtype=torch.int64),
        [key],
        torch.rand(1, 3, 2) * valid[..., None],
        valid,
        (torch.rand(people, 5) < 0.5).float(),
    )


def test_a_bank_gives_back_the_clips_in_any_order():
    clips = [clip(2, 1, ('a', 0.0)), clip(0, 0, ('a', 1.0)), clip(3, 3, ('b', 0.0)), clip(1, 2, ('b', 1.0))]
    bank = FeatureBank.from_state(FeatureBank.from_clips(clips).state())
    assert len(bank) == 4
    batch = bank.batch([3, 1, 2], max_objects=3)
    assert batch.clip_inds.tolist() == [0, 2, 2, 2] and batch.keys == [('b', 1.0), ('a', 1.0), ('b', 0.0)]
    for found, whole in zip(batch.split(), (clips[3], clips[1], clips[2])):
        for name, column in vars(whole).items():
            if name != 'keys':
                torch.testing.assert_close(getattr(found, name), column)
        assert found.keys == whole.keys
    fewer = bank.batch([2], max_objects=2)
    torch.testing.assert_close(fewer.objects, clips[2].objects[:, :2])


def test_every_clip_is_looked_at_once_and_the_backbone_stands_still(tmp_path, looks):
    runner = runner_of(tmp_path, loop_cfg())
    before = weights(runner.model)
    runner.train()
    assert sum(looks) == 9 and runner.iter == 9  # nine clips in steps of four, three times
    for name, value in runner.model.state_dict().items():
        same = torch.equal(value, before[name])
        assert same or not name.startswith('backbone'), name
    assert not torch.equal(runner.model.roi_head.head.classifier.weight, before['roi_head.head.classifier.weight'])
    assert not any(parameter.requires_grad for parameter in runner.model.backbone.parameters())


def test_a_step_is_that_of_the_ordinary_loop_with_a_frozen_backbone(tmp_path):
    """No dropout, no memory, one batch of all clips: both loops must end with the same weights."""
    cfg = model_cfg('PO')
    cfg['roi_head']['head']['dropout'] = cfg['roi_head']['interaction']['dropout'] = 0.0
    whole = dict(batch_size=9, sampler=dict(type='DefaultSampler', shuffle=False))
    stored = runner_of(tmp_path / 'a', loop_cfg(batch_size=9), cfg, train=whole)
    plain = runner_of(tmp_path / 'b', dict(type='EpochBasedTrainLoop', max_epochs=3), cfg, train=whole)
    plain.model.backbone.requires_grad_(False)
    plain.model.load_state_dict(stored.model.state_dict())
    train = plain.model.train
    plain.model.train = lambda mode=True: train(mode).backbone.eval() and plain.model
    stored.train()
    plain.train()
    for (name, one), other in zip(stored.model.state_dict().items(), plain.model.state_dict().values()):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-6, msg=name)


def test_the_memory_of_the_first_epoch_holds_all_clips_undamped(tmp_path):
    runner = runner_of(tmp_path, loop_cfg(max_epochs=1))
    runner.train()
    pool = runner.model.roi_head.memory
    assert len(pool) == 9 and pool.loss_now == 0
    bank = runner.train_loop._banks[0]
    torch.testing.assert_close(pool.entry('b', 6).features, bank.batch([6], 1).people)
    memory, valid = pool.read('a', 2, torch.zeros(1, 6), torch.ones(1), training=True)
    assert torch.equal(memory[6], pool.entry('a', 3).features[0]) and valid[6]


def test_a_memory_hook_is_refused(tmp_path):
    with pytest.raises(ValueError, match='MemoryPoolHook'):
        runner_of(tmp_path, loop_cfg(), hooks=[dict(type='MemoryPoolHook')]).train()


def test_two_runs_are_alike_and_another_seed_is_not(tmp_path):
    ends, begin = [], weights(runner_of(tmp_path / 'begin').model)
    for number, seed in enumerate((7, 7, 8)):
        runner = runner_of(tmp_path / str(number), loop_cfg(), noise=30.0)
        runner._randomness_cfg['seed'] = seed
        runner.set_randomness(seed=seed)
        runner.model.load_state_dict(begin)
        runner.train()
        ends.append(weights(runner.model)['roi_head.head.classifier.weight'])
    assert torch.equal(ends[0], ends[1]) and not torch.equal(ends[0], ends[2])


@pytest.mark.parametrize('workers', [0, 2])
def test_copies_differ_and_are_taken_in_turn(tmp_path, workers):
    runner = runner_of(tmp_path, loop_cfg(copies=2), noise=40.0, workers=workers)
    runner.train()
    loop = runner.train_loop
    first, second = loop._banks
    assert first.keys == second.keys and torch.equal(first.labels, second.labels)
    assert not torch.equal(first.people, second.people)
    loop._epoch = 4
    assert torch.equal(loop._batch([3]).people, first.batch([3], 5).people)
    loop._epoch = 5
    assert torch.equal(loop._batch([3]).people, second.batch([3], 5).people)


def test_a_cache_serves_other_heads_and_not_other_backbones(tmp_path, looks):
    cache = tmp_path / 'features.pth'
    first = runner_of(tmp_path / 'a', loop_cfg(cache=str(cache), copies=2), noise=30.0)
    first.train()
    assert sum(looks) == 18
    state = {f'backbone.{name}': value for name, value in first.model.backbone.state_dict().items()}

    def again(name, change=None, **options):
        model = model_cfg('POPO', 'dense')
        runner = runner_of(tmp_path / name, loop_cfg(cache=str(cache), **options), model, noise=30.0)
        runner.model.load_state_dict(state, strict=False)
        if change:
            change(runner)
        del looks[:]
        runner.train()
        return sum(looks), runner.train_loop._banks

    count, banks = again('b', copies=2)
    assert count == 0
    for one, other in zip(first.train_loop._banks, banks):
        assert torch.equal(one.people, other.people) and torch.equal(one.objects, other.objects)
    assert again('c', copies=1)[0] == 9  # and the file is that of one copy now
    assert again('d', copies=1)[0] == 0
    assert again('e', lambda runner: runner.model.backbone.norm.running_mean.add_(1), copies=1)[0] == 9


def test_the_same_training_follows_from_made_and_from_read_features(tmp_path):
    ends = []
    for name in 'ab':
        runner = runner_of(tmp_path / name, loop_cfg(cache=str(tmp_path / 'features.pth')), noise=30.0)
        runner.train()
        ends.append(weights(runner.model))
    assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0])


def test_a_file_of_another_kind_is_neither_read_nor_overwritten(tmp_path):
    cache = tmp_path / 'mine.pth'
    torch.save({'state_dict': {'a': torch.zeros(1)}}, cache)
    content = cache.read_bytes()
    with pytest.raises(InputError, match=r'mine\.pth: is a file of another kind'):
        runner_of(tmp_path / 'a', loop_cfg(cache=str(cache))).train()
    assert cache.read_bytes() == content
    cache.write_bytes(b'nothing')
    with pytest.raises(InputError, match=r'mine\.pth: cannot be read'):
        runner_of(tmp_path / 'b', loop_cfg(cache=str(cache))).train()


def test_a_checkpoint_holds_all_and_a_training_goes_on(tmp_path):
    def schedule():
        return [dict(type='MultiStepLR', milestones=[1, 3], gamma=0.1, by_epoch=True, convert_to_iter_based=True)]

    runner = runner_of(tmp_path, loop_cfg(max_epochs=4, val_interval=2), param_scheduler=schedule())
    runner.train()
    assert runner.optim_wrapper.get_lr()['lr'] == [pytest.approx(5e-4)]
    saved = read_checkpoint(str(tmp_path / 'epoch_1.pth'))
    assert set(saved['state_dict']) == set(runner.model.state_dict())
    resumed = runner_of(
        tmp_path,
        loop_cfg(max_epochs=4),
        resume=True,
        load_from=str(tmp_path / 'epoch_1.pth'),
        param_scheduler=schedule(),
    )
    resumed.train()
    assert resumed.epoch == 4 and resumed.iter == 4 * 3
    assert resumed.optim_wrapper.get_lr()['lr'] == [pytest.approx(5e-4)]


def test_validation_reads_a_memory_of_its_own(tmp_path):
    runner = runner_of(tmp_path, loop_cfg(max_epochs=1, val_interval=1))
    runner.train()
    metric = runner.val_loop.evaluator.metrics[0]
    assert isinstance(metric, KeepAll) and len(metric.last) == 9
    bank = runner.train_loop._banks[0]
    assert torch.equal(runner.model.roi_head.memory.entry('a', 0).features, bank.batch([0], 1).people)


@pytest.mark.parametrize('options', [dict(batch_size=0), dict(copies=0)])
def test_bad_settings_are_refused(tmp_path, options):
    with pytest.raises(ValueError, match='at least 1'):
        runner_of(tmp_path, loop_cfg(**options)).train()


def test_several_samples_of_a_clip_are_refused(tmp_path, monkeypatch):
    once = SmallClips.prepare_data
    monkeypatch.setattr(SmallClips, 'prepare_data', lambda self, index: [once(self, index), once(self, index)])
    runner = runner_of(tmp_path, loop_cfg(), train=dict(collate_fn=dict(type='mmtube.repeat_collate')))
    with pytest.raises(ValueError, match=r'the loader gave 18 samples for 9 clips.*RepeatTransforms'):
        runner.train()


def test_the_rate_is_scaled_by_the_clips_of_a_step_not_by_those_of_a_look(tmp_path):
    scale = dict(enable=True, base_batch_size=16)
    runner = runner_of(tmp_path, loop_cfg(batch_size=4, max_epochs=1), auto_scale_lr=scale)
    runner.train()
    assert runner.optim_wrapper.get_lr()['lr'] == [pytest.approx(0.05 * 4 / 16)]


def test_annotations_of_a_wrapped_data_set_are_part_of_the_key(tmp_path):
    (tmp_path / 'train.json').write_text('one')
    inner = dict(data_root=str(tmp_path), ann_file='train.json', pipeline=[dict(type='train.json')])
    assert list(_files(inner)) == [b'one']
    assert list(_files(dict(type='RepeatDataset', dataset=inner, times=1))) == [b'one']
    assert list(_files(dict(datasets=[dict(dataset=inner), inner]))) == [b'one', b'one']
