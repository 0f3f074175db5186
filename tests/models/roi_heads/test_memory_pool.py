"""What the memory of a clip holds, in which order, and how old features are damped."""

import pytest
import torch

from mmtube.models.roi_heads import MemoryEntry, MemoryPool


def entry(values, scores=None, loss=0.0):
    features = torch.tensor(values, dtype=torch.float32)[:, None]
    scores = torch.ones(len(features)) if scores is None else torch.tensor(scores)
    return MemoryEntry(torch.zeros(len(features), 4), features, scores, loss)


def pool_of(entries, **options):
    pool = MemoryPool(**{**dict(past_s=2, future_s=1, per_second=2), **options})
    pool.write(entries)
    return pool


def read(pool, number=5, people=(7.0,), scores=None, training=False):
    people = torch.tensor(people, dtype=torch.float32)[:, None]
    scores = torch.ones(len(people)) if scores is None else torch.tensor(scores)
    memory, valid = pool.read('a', number, people, scores, training)
    return memory[:, 0].tolist(), valid.int().tolist()


def test_past_comes_first_then_the_clip_then_the_future():
    pool = pool_of(
        {
            ('a', 3): entry([3.0, 3.5]),
            ('a', 5): entry([99.0]),  # an older look at the clip itself: not read
            ('a', 6): entry([6.0]),
            ('a', 7): entry([99.0]),  # too far
            ('b', 4): entry([99.0]),  # another film
        }
    )
    assert read(pool) == ([3.0, 3.5, 0, 0, 7.0, 0, 6.0, 0], [1, 1, 0, 0, 1, 0, 1, 0])


def test_a_step_of_several_clips_goes_on_in_seconds():
    pool = pool_of({('a', n): entry([float(n)]) for n in range(12)}, step_s=1.0, clip_stride_s=0.25, per_second=1)
    assert pool.step == 4 and pool.number(1.25) == 5
    assert read(pool, 5, (50.0,))[0] == [0, 1.0, 50.0, 9.0]


def test_key_times_at_half_seconds_have_numbers_of_their_own():
    pool = MemoryPool()
    assert [pool.number(k + 0.5) for k in range(6)] == [1, 2, 3, 4, 5, 6]
    assert [pool.number(k + 0.5 - 1e-9) for k in range(6)] == [1, 2, 3, 4, 5, 6]
    assert [pool.number(float(k)) for k in range(6)] == list(range(6))
    tenth = MemoryPool(clip_stride_s=0.1)
    assert [tenth.number(k * 0.1) for k in range(1000)] == list(range(1000))


def test_in_testing_the_most_confident_are_read_in_their_order():
    scores = [0.2, 0.9, 0.5, 0.9]
    pool = pool_of({('a', 4): entry([1.0, 2.0, 3.0, 4.0], scores)})
    for _ in range(3):
        assert read(pool, 5, (1.0, 2.0, 3.0, 4.0), scores)[0] == [0, 0, 2.0, 4.0, 2.0, 4.0, 0, 0]


def test_in_training_a_random_choice_is_read():
    torch.manual_seed(0)
    pool = pool_of({('a', 4): entry([1.0, 2.0, 3.0, 4.0], [0.2, 0.9, 0.5, 0.9])})
    seen = [tuple(read(pool, training=True)[0][2:4]) for _ in range(100)]
    assert set(seen) == {(a, b) for a in (1.0, 2.0, 3.0, 4.0) for b in (1.0, 2.0, 3.0, 4.0) if a < b}


@pytest.mark.parametrize(('then', 'now'), [(4.0, 1.0), (1.0, 4.0)])
def test_old_features_are_damped_by_the_ratio_of_losses_and_the_clip_itself_is_not(then, now):
    pool = pool_of({('a', 4): entry([8.0], loss=then), ('a', 6): entry([8.0], loss=now)})
    pool.loss_now = now
    assert read(pool, training=True)[0] == [0, 0, 2.0, 0, 7.0, 0, 8.0, 0]
    assert read(pool, training=False)[0] == [0, 0, 8.0, 0, 7.0, 0, 8.0, 0]
    pool.penalty = False
    assert read(pool, training=True)[0] == [0, 0, 8.0, 0, 7.0, 0, 8.0, 0]


def test_nothing_has_a_gradient():
    features = torch.ones(1, 3, requires_grad=True) * 2
    pool = pool_of({('a', 4): MemoryEntry(torch.zeros(1, 4), features, torch.ones(1))})
    assert not pool.entry('a', 4).features.requires_grad
    memory, _ = pool.read('a', 5, features, torch.ones(1), training=True)
    assert not memory.requires_grad


def test_what_is_written_again_is_replaced_and_what_is_saved_comes_back(tmp_path):
    pool = pool_of({('a', 4): entry([8.0, 9.0], loss=2.0)})
    pool.write({('a', 4): entry([1.0], loss=3.0)})
    pool.loss_now = 1.5
    assert len(pool) == 1
    torch.save(pool.state(), tmp_path / 'pool.pth')
    other = MemoryPool(past_s=2, future_s=1, per_second=2)
    other.write({('b', 0): entry([1.0])})
    other.load_state(torch.load(tmp_path / 'pool.pth', weights_only=True))
    assert len(other) == 1 and other.loss_now == 1.5 and other.entry('a', 4).loss == 3.0
    assert read(other, training=True)[0] == [0, 0, 0.5, 0, 7.0, 0, 0, 0]


def test_a_pool_filled_anew_is_another_one():
    pool = pool_of({('a', 4): entry([8.0])})
    other = pool.filled([{('a', 6): entry([1.0])}, {('b', 2): entry([2.0]), ('a', 6): entry([3.0])}])
    assert len(pool) == 1 and pool.entry('a', 6) is None and other.entry('a', 4) is None
    assert len(other) == 2 and other.entry('a', 6).features.item() == 3 and len(other.filled([])) == 0
    assert other.num_seconds == pool.num_seconds == 4


def test_a_clip_without_people_reads_its_neighbours():
    pool = pool_of({('a', 4): entry([8.0])})
    memory, valid = pool.read('a', 5, torch.zeros(0, 1), torch.zeros(0))
    assert memory[:, 0].tolist() == [0, 0, 8.0, 0, 0, 0, 0, 0] and valid.sum() == 1


@pytest.mark.parametrize(
    'options', [dict(past_s=-1), dict(future_s=-1), dict(per_second=0), dict(step_s=0.1), dict(clip_stride_s=0.3)]
)
def test_bad_settings_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        MemoryPool(**options)
