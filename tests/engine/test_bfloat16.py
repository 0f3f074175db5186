"""Training in bfloat16 on the CPU."""

import torch
from torch import nn

from mmtube.engine.optim import bfloat16
from mmtube.registry import OPTIM_WRAPPERS


def test_forward_runs_in_bfloat16_and_weights_and_gradients_stay_single(monkeypatch):
    monkeypatch.setattr(bfloat16, 'processor_has_bfloat16', lambda: True)
    model = nn.Linear(4, 2)
    wrapper = OPTIM_WRAPPERS.build(
        dict(type='BFloat16OptimWrapper', optimizer=torch.optim.SGD(model.parameters(), lr=0.5))
    )
    before = model.weight.detach().clone()
    inputs = torch.tensor([[1.0, 1.001, 0.0, 0.0]])
    with wrapper.optim_context(model):
        found = model(inputs)
        loss = found.float().sum()
    assert found.dtype == torch.bfloat16
    wrapper.update_params(loss)
    assert model.weight.dtype == torch.float32
    # d loss / d weight is the input, rounded to 8 bits of mantissa: 1.001 becomes 1.
    torch.testing.assert_close(before - model.weight, 0.5 * torch.tensor([[1.0, 1.0, 0, 0]] * 2), atol=1e-6, rtol=0)
    with torch.no_grad():
        assert model(inputs).dtype == torch.float32  # only inside the context


def test_gradients_are_gathered_over_steps_as_the_wrapper_of_mmengine_does():
    model = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(model.weight)
    wrapper = OPTIM_WRAPPERS.build(
        dict(
            type='BFloat16OptimWrapper',
            optimizer=torch.optim.SGD(model.parameters(), lr=1.0),
            accumulative_counts=2,
        )
    )
    wrapper.initialize_count_status(model, 0, 2)
    for value in (2.0, 4.0):
        with wrapper.optim_context(model):
            loss = model(torch.tensor([[value]])).float().sum()
        wrapper.update_params(loss)
    assert model.weight.item() == -3.0


def test_a_processor_without_bfloat16_computes_in_single_precision(monkeypatch):
    monkeypatch.setattr(torch.cpu, 'get_capabilities', lambda: {'avx2': True, 'avx512_bf16': False, 'amx_bf16': False})
    model = nn.Linear(1, 1)
    wrapper = OPTIM_WRAPPERS.build(
        dict(type='BFloat16OptimWrapper', optimizer=torch.optim.SGD(model.parameters(), lr=1.0))
    )
    with wrapper.optim_context(model):
        assert model(torch.ones(1, 1)).dtype == torch.float32
    monkeypatch.setattr(torch.cpu, 'get_capabilities', lambda: {'avx512_bf16': False, 'amx_bf16': True})
    with wrapper.optim_context(model):
        assert model(torch.ones(1, 1)).dtype == torch.bfloat16
