"""Testing in two passes against loops over films, and what it leaves alone."""

import pytest
import torch
from small_clips import SmallClips, model_cfg, quiet, runner_of

from mmtube.models.roi_heads import MemoryEntry

PAST, FUTURE, SLOTS = 2, 1, 2


@pytest.fixture(autouse=True)
def nothing_printed(monkeypatch):
    quiet(monkeypatch)


def literal(runner):
    """Scores of each clip: its features, and of each second around it the most confident people, one by one."""
    model = runner.model.eval()
    head, clips = model.roi_head, {}
    dataset = runner.test_loop.dataloader.dataset
    for number in range(len(dataset)):
        item = dataset[number]
        with torch.no_grad():
            ((features,), _) = model.extract_clips({'inputs': [item['inputs']], 'data_samples': [item['data_samples']]})
        clips[features.keys[0]] = features
    scores = {}
    for (film, second), features in clips.items():
        memory, valid = [], []
        for other in range(int(second) - PAST, int(second) + FUTURE + 1):
            people = clips[film, float(other)].people if (film, float(other)) in clips else torch.zeros(0, 6)
            order = clips[film, float(other)].scores.tolist() if len(people) else []
            best = sorted(sorted(range(len(people)), key=lambda row: -order[row])[:SLOTS])
            memory += [people[row] for row in best] + [torch.zeros(6)] * (SLOTS - len(best))
            valid += [True] * len(best) + [False] * (SLOTS - len(best))
        with torch.no_grad():
            added = head.interaction(
                features.people,
                features.clip_inds,
                1,
                features.objects,
                features.objects_valid,
                torch.stack(memory)[None],
                torch.tensor(valid)[None],
            )
            scores[film, second] = head.head(features.people + added).sigmoid()
    return scores


@pytest.mark.parametrize('structure', ['serial', 'dense', 'parallel'])
def test_two_passes_are_the_loops(tmp_path, structure):
    runner = runner_of(tmp_path, model=model_cfg(structure=structure))
    runner.test()
    found = runner.test_loop.evaluator.metrics[0].last
    expected = literal(runner)
    assert [row[:2] for row in found] == sorted(expected, key=lambda key: key[1])
    assert sum(len(row[3]) for row in found) > 15
    for film, second, boxes, scores in found:
        torch.testing.assert_close(scores, expected[film, second], rtol=0, atol=1e-6)
        assert boxes.shape == (len(scores), 4) and (boxes <= 1).all()


def test_two_tests_are_the_same_to_the_bit(tmp_path):
    first = runner_of(tmp_path / 'a')
    first.test()
    second = runner_of(tmp_path / 'b')
    second.model.load_state_dict(first.model.state_dict())
    torch.manual_seed(99)  # nothing is drawn
    second.test()
    one, other = (runner.test_loop.evaluator.metrics[0].last for runner in (first, second))
    assert all(torch.equal(a[3], b[3]) and torch.equal(a[2], b[2]) for a, b in zip(one, other))


def test_a_validation_leaves_the_memory_of_the_training_alone(tmp_path):
    runner = runner_of(tmp_path, model=model_cfg())
    mine = MemoryEntry(torch.zeros(1, 4), torch.full((1, 6), 3.0), torch.ones(1), 2.0)
    pool = runner.model.roi_head.memory
    pool.write({('a', 0): mine})
    pool.loss_now = 1.0
    runner.val()
    assert len(pool) == 1 and pool.loss_now == 1.0 and torch.equal(pool.entry('a', 0).features, mine.features)
    before = runner.val_loop.evaluator.metrics[0].last
    pool.clear()
    runner.val_loop.run()
    assert all(torch.equal(a[3], b[3]) for a, b in zip(before, runner.val_loop.evaluator.metrics[0].last))


def test_a_memory_of_nobody_is_not_that_of_the_training(tmp_path):
    """An empty memory is a memory: what the head read in training must not stand in for it."""
    runner = runner_of(tmp_path)
    head = runner.model.eval().roi_head
    item = SmallClips(test_mode=True)[1]
    data = {'inputs': [item['inputs']], 'data_samples': [item['data_samples']]}
    ((features,), _) = runner.model.extract_clips(data)
    empty = head.memory.filled([])
    before = head.classify(features, empty)
    head.memory.write({('a', 0): MemoryEntry(torch.zeros(1, 4), torch.full((1, 6), 30.0), torch.ones(1))})
    assert torch.equal(head.classify(features, empty), before)
    assert not torch.equal(head.classify(features), before)


def test_a_model_without_memory_gets_the_scores_of_one_pass(tmp_path):
    runner = runner_of(tmp_path, model=model_cfg('PO'))
    runner.test()
    found = runner.test_loop.evaluator.metrics[0].last
    for number, batch in enumerate(runner.test_loop.dataloader):
        for place, sample in enumerate(runner.model.test_step(batch)):
            torch.testing.assert_close(found[number * 2 + place][3], sample.pred_instances.scores, rtol=0, atol=1e-6)


def test_the_first_pass_can_run_in_half_precision(tmp_path):
    runner = runner_of(tmp_path, model=model_cfg())
    runner.test()
    single = runner.test_loop.evaluator.metrics[0].last
    runner.test_loop.fp16 = True
    runner.test()
    for one, other in zip(single, runner.test_loop.evaluator.metrics[0].last):
        assert other[3].dtype == torch.float32
        torch.testing.assert_close(one[3], other[3], rtol=0, atol=0.03)


def test_a_first_pass_with_objects_serves_heads_that_ask_for_them(tmp_path):
    asking = runner_of(tmp_path / 'asking', model=model_cfg('O'))
    asking.test()
    plain = runner_of(tmp_path / 'plain', model=model_cfg(''))
    plain.model.load_state_dict(asking.model.state_dict(), strict=False)
    plain.test()
    assert all(features.objects is None for features, _ in plain.test_loop.look())
    plain.test_loop.with_objects = True
    expected = {key[:2]: key[3] for key in asking.test_loop.evaluator.metrics[0].last}
    for features, sample in plain.test_loop.look():
        with torch.inference_mode():
            found = asking.model.predict_clips(features, sample).pred_instances.scores
        torch.testing.assert_close(found, expected[features.keys[0]])
