"""Interaction blocks against loops over persons and slots, in float64."""

import math

import pytest
import torch

from mmtube.models.roi_heads import InteractionAggregation, InteractionBlock
from mmtube.models.roi_heads.interaction import MEMORY, OBJECT, PERSON

IN, D, SECONDS, PER_SECOND, OBJECTS = 6, 4, 3, 2, 3


def apply(layer, x):
    return [sum(w * v for w, v in zip(row, x)) + b for row, b in zip(layer.weight.tolist(), layer.bias.tolist())]


def block_of_one(block, query, others, valid):
    """One person, one number after another."""
    per_second = len(others) // len(block.key_time) if block.key_time is not None else 1
    keys, values = [], []
    for slot, other in enumerate(others):
        key, value = apply(block.key, other), apply(block.value, other)
        if block.key_time is not None:
            key = [a + b for a, b in zip(key, block.key_time[slot // per_second].tolist())]
            value = [a + b for a, b in zip(value, block.value_time[slot // per_second].tolist())]
        if not block.mask_padding or valid[slot]:
            keys.append(key)
            values.append(value)
    asked = apply(block.query, query)
    weights = [math.exp(sum(a * b for a, b in zip(asked, key)) / math.sqrt(len(query))) for key in keys]
    total = sum(weights)
    seen = [0.0] * len(query)
    for weight, value in zip(weights, values):
        seen = [a + weight / total * b for a, b in zip(seen, value)]
    mean = sum(seen) / len(seen)
    spread = math.sqrt(sum((a - mean) ** 2 for a in seen) / len(seen) + 1e-5)
    told = apply(block.out, [max((a - mean) / spread, 0.0) for a in seen])
    kept = apply(block.shortcut, query) if isinstance(block.shortcut, torch.nn.Linear) else query
    return [a + b for a, b in zip(told, kept)]


def random_weights(module, seed=0):
    generator = torch.Generator().manual_seed(seed)
    module.double().eval()
    for parameter in module.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
    return module


def close(found, expected):
    expected = torch.tensor(expected, dtype=torch.float64).reshape(found.shape)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize('seconds', [0, SECONDS])
@pytest.mark.parametrize('mask', [False, True])
@pytest.mark.parametrize('out', [None, 7])
def test_a_block_is_the_formula(seconds, mask, out):
    block = random_weights(InteractionBlock(D, out, seconds, mask_padding=mask))
    queries = torch.randn(4, D, dtype=torch.float64)
    others = torch.randn(3, 6, D, dtype=torch.float64)
    valid = torch.rand(3, 6) < 0.6
    valid[2] = False  # nobody to look at
    clip_inds = torch.tensor([0, 0, 2, 2])
    found = block(queries, others, valid, clip_inds)
    if mask:
        assert torch.isfinite(found).all()
    expected = [
        block_of_one(block, query.tolist(), others[clip].tolist(), valid[clip].tolist())
        for query, clip in zip(queries, clip_inds)
    ]
    close(found, expected)


def test_a_mask_over_all_slots_leaves_finite_gradients():
    block = random_weights(InteractionBlock(D, mask_padding=True))
    queries = torch.randn(2, D, dtype=torch.float64, requires_grad=True)
    valid = torch.tensor([[False, False], [True, False]])
    block(queries, torch.randn(2, 2, D).double(), valid, torch.tensor([0, 1])).sum().backward()
    grads = [queries.grad, *(parameter.grad for parameter in block.parameters())]
    assert all(torch.isfinite(grad).all() for grad in grads)


def test_a_new_block_changes_nothing():
    block = InteractionBlock(D, num_seconds=2).eval()
    queries = torch.randn(3, D)
    assert torch.equal(block(queries, torch.randn(1, 4, D), torch.ones(1, 4) > 0, torch.zeros(3).long()), queries)
    assert not block.key_time.any() and not block.value_time.any() and not block.out.weight.any()
    assert 0.001 < block.key.weight.std() < 0.02


def batch(counts, seed=0, slots=OBJECTS):
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    clips = len(counts)
    clip_inds = torch.arange(clips).repeat_interleave(torch.tensor(counts))
    objects_valid = torch.arange(slots)[None] < torch.arange(clips)[:, None] % (slots + 1)
    memory_valid = torch.rand(clips, SECONDS * PER_SECOND, generator=generator) < 0.5
    return dict(
        people=normal(len(clip_inds), IN),
        clip_inds=clip_inds,
        num_clips=clips,
        objects=normal(clips, slots, IN) * objects_valid[..., None],
        objects_valid=objects_valid,
        memory=normal(clips, SECONDS * PER_SECOND, IN) * memory_valid[..., None],
        memory_valid=memory_valid,
    )


def structure_of_one_clip(model, people, objects, objects_valid, memory, memory_valid):
    """The whole of one clip by its people, one after another; the people in slots after the first padded with zeros."""
    reduced = {
        OBJECT: [apply(model.reduce[OBJECT], row) for row in objects],
        MEMORY: [apply(model.reduce[MEMORY], row) for row in memory],
    }
    valid = {OBJECT: objects_valid, MEMORY: memory_valid}

    def run(block, kind, queries, persons):
        others, there = reduced.get(kind), valid.get(kind)
        if kind == PERSON:
            empty = model.max_persons - len(persons)
            others, there = persons + [[0.0] * D] * empty, [True] * len(persons) + [False] * empty
        return [block_of_one(block, query, others, there) for query in queries]

    queries = [apply(model.reduce_query, row) for row in people]
    keys = [apply(model.reduce[PERSON], row) for row in people]
    kinds = model.block_types
    if model.structure == 'parallel':
        half, branches = len(kinds) // 2, []
        for number in range(half):
            once = run(model.blocks[number], kinds[number], queries, keys)
            branches.append(run(model.blocks[half + number], kinds[number], once, once))
        return [[sum(parts) for parts in zip(*rows)] for rows in zip(*branches)]
    history = []
    for number, kind in enumerate(kinds):
        if model.structure == 'dense' and number >= 2:
            exps = model.mix[number - 2].exp().tolist()
            totals = [sum(column) for column in zip(*exps)]
            queries = [
                [sum(exps[j][c] / totals[c] * history[j][row][c] for j in range(number)) for c in range(D)]
                for row in range(len(people))
            ]
        if number and kind == PERSON:
            keys = queries
        queries = run(model.blocks[number], kind, queries, keys)
        history.append(queries)
    return queries


def aggregation(structure, mask=False, blocks='POMPOM', **options):
    model = InteractionAggregation(structure, blocks, IN, D, 5, SECONDS, mask_padding=mask, **options)
    return random_weights(model)


@pytest.mark.parametrize('structure', ['serial', 'dense', 'parallel'])
@pytest.mark.parametrize('mask', [False, True])
def test_a_structure_is_its_loops_clip_by_clip(structure, mask):
    model, data = aggregation(structure, mask), batch([2, 0, 3, 1])
    found = model(**data)
    assert found.shape == (6, IN)
    for clip in (0, 2, 3):
        mine = data['clip_inds'] == clip
        columns = (data[name][clip].tolist() for name in ('objects', 'objects_valid', 'memory', 'memory_valid'))
        if mask and not data['objects_valid'][clip].any():
            continue  # nothing to look at is tested with the block
        close(found[mine], structure_of_one_clip(model, data['people'][mine].tolist(), *columns))


@pytest.mark.parametrize('structure', ['serial', 'dense', 'parallel'])
def test_clips_of_a_batch_do_not_see_each_other(structure):
    model, data = aggregation(structure), batch([2, 0, 3, 1])
    whole = model(**data)
    for clip in range(4):
        mine = data['clip_inds'] == clip
        other = {name: data[name][clip : clip + 1] for name in data if name.startswith(('objects', 'memory'))}
        alone = model(data['people'][mine], data['clip_inds'][mine] * 0, 1, **other)
        torch.testing.assert_close(whole[mine], alone, rtol=0, atol=1e-10)


def test_dense_begins_as_serial_almost():
    torch.manual_seed(0)
    dense = InteractionAggregation('dense', 'POMPOM', IN, D, 5, SECONDS).double().eval()
    assert [tuple(logits.shape) for logits in dense.mix] == [(2, D), (3, D), (4, D), (5, D)]
    weights = dense.mix[3].softmax(dim=0)
    torch.testing.assert_close(weights[:-1], torch.full((4, D), 1e-5 / (1 + 4e-5)).double())


def test_padding_is_zero_after_the_reduction_of_people_and_before_that_of_others():
    """Without people beside and objects, slots of people are zeros, those of objects the bias of the reduction."""
    model = aggregation('serial', blocks='PO')
    seen = {}
    for number, block in enumerate(model.blocks):
        block.register_forward_hook(lambda block, args, out, number=number: seen.update({number: args[1]}))
    data = batch([2])
    model(**data)
    assert not seen[0][0, 2:].any() and seen[0][0, :2].all()
    close(seen[1][0], [model.reduce[OBJECT].bias.tolist()] * OBJECTS)


def test_of_more_people_than_slots_the_most_confident_are_seen_and_random_ones_in_training():
    model, data = aggregation('serial', blocks='P'), batch([9, 2])
    assert model._chosen(data['clip_inds'], 2)[0].tolist() == [0, 1, 2, 3, 4]
    scores = torch.tensor([0.3, 0.9, 0.5, 0.1, 0.8, 0.8, 0.2, 0.7, 0.6, 0.1, 0.9])
    assert model._chosen(data['clip_inds'], 2, scores).tolist() == [[1, 4, 5, 7, 8], [10, 9, -1, -1, -1]]
    sure = [1, 4, 5, 7, 8]
    some = {'people': data['people'][sure], 'clip_inds': data['clip_inds'][sure], 'num_clips': 1}
    torch.testing.assert_close(model(**data, scores=scores)[sure], model(**some))
    model.train()
    torch.manual_seed(0)
    drawn = [set(model._chosen(data['clip_inds'], 2)[0].tolist()) for _ in range(200)]
    assert all(len(some) == 5 and some <= set(range(9)) for some in drawn)
    counts = [sum(person in some for some in drawn) for person in range(9)]
    assert min(counts) > 70 and max(counts) < 150  # 111 of each are expected
    assert set(model._chosen(data['clip_inds'], 2)[1].tolist()) == {9, 10, -1}


@pytest.mark.parametrize('structure', ['serial', 'dense', 'parallel'])
def test_a_batch_with_nobody_gives_every_parameter_a_gradient_of_zero(structure):
    model, data = aggregation(structure), batch([0, 0])
    data['people'].requires_grad_()
    found = model(**data)
    assert found.shape == (0, IN)
    found.sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None and not parameter.grad.any(), name


@pytest.mark.parametrize('structure', ['serial', 'dense', 'parallel'])
def test_it_runs_in_half_precision(structure):
    model = InteractionAggregation(structure, 'POMPOM', IN, D, 5, SECONDS)
    data = {name: x.float() if torch.is_tensor(x) and x.is_floating_point() else x for name, x in batch([2, 1]).items()}
    with torch.autocast('cpu', torch.bfloat16):
        assert torch.isfinite(model(**data)).all()


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(structure='circular'), 'structure'),
        (dict(blocks='PXM'), 'letters'),
        (dict(blocks=''), 'letters'),
        (dict(structure='parallel', blocks='PPOO'), 'two rounds'),
    ],
)
def test_bad_settings_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        InteractionAggregation(**{**dict(structure='serial', blocks='P'), **options})


def test_features_that_a_block_needs_are_asked_for():
    data = batch([1])
    with pytest.raises(ValueError, match='block M'):
        aggregation('serial')(data['people'], data['clip_inds'], 1, data['objects'], data['objects_valid'])
