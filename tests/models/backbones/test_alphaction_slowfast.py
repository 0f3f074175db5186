"""The backbone against a literal computation, a count by hand and MMAction2's own network."""

import pytest
import torch
import torch.nn.functional as F

from mmtube.errors import InputError
from mmtube.models.backbones import AlphActionSlowFast

BLOCKS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}


def build(**options):
    torch.manual_seed(0)
    return AlphActionSlowFast(**options)


def shaken(model):
    """Give all batch norms and biases other values than those they begin with."""
    generator = torch.Generator().manual_seed(1)
    for name, value in model.state_dict().items():
        if name.endswith(('bn.weight', 'running_var')):
            value.copy_(torch.rand(value.shape, generator=generator) + 0.5)
        elif name.endswith(('bias', 'running_mean')):
            value.copy_(torch.randn(value.shape, generator=generator) * 0.1)
        elif name.endswith('conv.weight'):
            value.copy_(torch.randn(value.shape, generator=generator) * (2 / value[0].numel()) ** 0.5)
    return model


def count_by_hand(depth):
    """Weights of convolutions without bias, two per channel of a batch norm, a bias per channel of a lateral."""
    total = 0
    for base, stem, temporal, laterals in ((64, 1, (1, 1, 3, 3), (16, 64, 128, 256)), (8, 5, (3, 3, 3, 3), (0,) * 4)):
        total += 3 * base * stem * 49 + 2 * base
        width = base
        for stage, (blocks, kernel, lateral) in enumerate(zip(BLOCKS[depth], temporal, laterals)):
            inner, outer = base * 2**stage, base * 2**stage * 4
            total += (width + lateral) * outer + 2 * outer  # the shortcut
            for block in range(blocks):
                entering = width + lateral if block == 0 else outer
                total += entering * inner * kernel + inner * inner * 9 + inner * outer + 4 * inner + 2 * outer
            width = outer
    return total + sum(5 * fast * 2 * fast + 2 * fast for fast in (8, 32, 64, 128))


@pytest.mark.parametrize('depth', [50, 101])
def test_it_has_as_many_parameters_as_a_count_by_hand(depth):
    assert sum(parameter.numel() for parameter in build(depth=depth).parameters()) == count_by_hand(depth)


@pytest.mark.parametrize('options, slow', [({}, 4), (dict(resample_rate=8, speed_ratio=4), 8)])
def test_sixteen_pixels_make_a_cell_and_the_channels_are_2304(options, slow):
    with torch.no_grad():
        maps = build(**options).eval()(torch.zeros(1, 3, 64, 64, 80))
    assert [tuple(m.shape) for m in maps] == [(1, 2048, slow, 4, 5), (1, 256, 32, 4, 5)]


def normed(x, state, name):
    mean, var, weight, bias = (state[f'{name}.bn.{key}'] for key in ('running_mean', 'running_var', 'weight', 'bias'))
    shape = (-1, 1, 1, 1)
    return (x - mean.view(shape)) / (var.view(shape) + 1e-5).sqrt() * weight.view(shape) + bias.view(shape)


def conv(x, state, name, stride=(1, 1, 1), dilation=1):
    weight = state[f'{name}.conv.weight']
    kernel = weight.shape[2:]
    padding = [(k - 1) // 2 * d for k, d in zip(kernel, (1, dilation, dilation))]
    return F.conv3d(x, weight, state.get(f'{name}.conv.bias'), stride, padding, (1, dilation, dilation))


def stem(x, state, path):
    return F.max_pool3d(
        normed(conv(x, state, f'{path}.conv1', (1, 2, 2)), state, f'{path}.conv1').relu(), (1, 3, 3), (1, 2, 2)
    )


def stage(x, state, path, number, blocks):
    for block in range(blocks):
        name = f'{path}.layer{number}.{block}'
        stride = 2 if block == 0 and number in (2, 3) else 1
        inner = normed(conv(x, state, f'{name}.conv1'), state, f'{name}.conv1').relu()
        inner = conv(inner, state, f'{name}.conv2', (1, stride, stride), 2 if number == 4 else 1)
        inner = normed(inner, state, f'{name}.conv2').relu()
        inner = normed(conv(inner, state, f'{name}.conv3'), state, f'{name}.conv3')
        if block == 0:
            x = normed(conv(x, state, f'{name}.downsample', (1, stride, stride)), state, f'{name}.downsample')
        x = (x + inner).relu()
    return x


def test_it_computes_what_the_paper_describes():
    model = shaken(build().double().eval())
    state = model.state_dict()
    film = torch.rand(1, 3, 32, 40, 36, dtype=torch.float64)
    slow, fast = film[:, :, [7, 23]], film[:, :, range(0, 32, 2)]
    slow, fast = stem(slow, state, 'slow_path'), stem(fast, state, 'fast_path')
    laterals = ('conv1_lateral', 'layer1_lateral', 'layer2_lateral', 'layer3_lateral')
    for number, (blocks, lateral) in enumerate(zip(BLOCKS[50], laterals), 1):
        slow = torch.cat((slow, conv(fast, state, f'slow_path.{lateral}', (8, 1, 1))), dim=1)
        slow, fast = (stage(x, state, p, number, blocks) for x, p in ((slow, 'slow_path'), (fast, 'fast_path')))
    with torch.no_grad():
        found = model(film)
    torch.testing.assert_close(found[0], slow, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(found[1], fast, rtol=1e-9, atol=1e-9)


def test_a_lateral_is_a_sum_over_five_frames_and_a_bias():
    lateral = shaken(build(resample_rate=8, speed_ratio=4).double()).slow_path.conv1_lateral
    x = torch.randn(1, 8, 8, 1, 1, dtype=torch.float64)
    weight, bias = lateral.conv.weight, lateral.conv.bias
    with torch.no_grad():
        found = lateral(x)[0, :, :, 0, 0]
    assert found.shape == (16, 2) and (found < 0).any()  # no activation cuts it
    for channel in (0, 15):
        for time in range(2):
            expected = bias[channel].item()
            for tap in range(5):
                frame = 4 * time + tap - 2
                if 0 <= frame < 8:
                    expected += sum(
                        weight[channel, c, tap, 0, 0].item() * x[0, c, frame, 0, 0].item() for c in range(8)
                    )
            assert found[channel, time].item() == pytest.approx(expected, rel=1e-12)


def test_slow_frames_stand_in_the_middle_of_their_steps():
    frames = torch.arange(64.0).view(1, 1, 64, 1, 1)
    slow, fast = build().eval().sample(frames)
    assert slow.flatten().tolist() == [7, 23, 39, 55] and fast.flatten().tolist() == list(range(0, 64, 2))
    slow, fast = build(resample_rate=8, speed_ratio=4).eval().sample(frames)
    assert slow.flatten().tolist() == list(range(3, 64, 8)) and fast.shape[2] == 32
    assert build(slow_offset=0).eval().sample(frames)[0].flatten().tolist() == [0, 16, 32, 48]


def test_in_training_each_clip_has_its_own_first_slow_frame():
    frames = torch.arange(64.0).view(1, 1, 64, 1, 1).repeat(200, 1, 1, 1, 1)
    slow, fast = build().train().sample(frames)
    firsts = slow[:, 0, 0, 0, 0]
    assert set(firsts.tolist()) == set(range(16))  # each is missed by 200 draws once in 25,000 seeds
    assert torch.equal(slow[:, 0, :, 0, 0], firsts[:, None] + torch.arange(0, 64, 16))
    assert torch.equal(fast, frames[:, :, ::2])
    assert set(build(slow_jitter=False).train().sample(frames)[0][:, 0, 0, 0, 0].tolist()) == {7}


def test_frozen_norms_neither_learn_nor_follow_the_data():
    model = build().train()
    norm = model.slow_path.layer1[0].conv1.bn
    assert not norm.training and not norm.weight.requires_grad and norm.eps == 1e-5
    assert model.slow_path.layer4[2].conv3.bn.weight.eq(1).all()
    before = norm.running_mean.clone()
    sum(m.sum() for m in model(torch.rand(2, 3, 16, 32, 32))).backward()
    assert torch.equal(norm.running_mean, before)
    learning = [name for name, p in model.named_parameters() if p.grad is not None and p.grad.abs().sum() > 0]
    assert 'slow_path.conv1_lateral.conv.bias' in learning and 'fast_path.conv1.conv.weight' in learning
    assert not [name for name in learning if '.bn.' in name]


def test_norms_that_learn_follow_the_data():
    model = build(frozen_norm=False, norm_eps=1e-3).train()
    norm = model.slow_path.conv1.bn
    assert norm.training and norm.weight.requires_grad and norm.eps == 1e-3
    before = norm.running_mean.clone()
    model(torch.rand(2, 3, 16, 32, 32))
    assert not torch.equal(norm.running_mean, before)
    model.init_weights()
    assert model.fast_path.layer2[0].conv3.bn.weight.eq(0).all()


def test_frozen_stages_hold_the_biases_of_their_laterals():
    model = build(frozen_stages=1)
    held = {name for name, p in model.slow_path.named_parameters() if not p.requires_grad and 'lateral' in name}
    assert held == {'layer1_lateral.conv.weight', 'layer1_lateral.conv.bias'}


def test_with_mmaction2s_options_it_is_mmaction2s_network():
    from mmaction.models import ResNet3dSlowFast  # after mmtube, which fills the gap of its wheel

    shared = dict(type='resnet3d', depth=50, pretrained=None, conv1_stride_t=1, pool1_stride_t=1, norm_eval=True)
    shared |= dict(spatial_strides=(1, 2, 2, 1))
    theirs = ResNet3dSlowFast(
        resample_rate=8,
        speed_ratio=4,
        slow_pathway=dict(lateral=True, conv1_kernel=(1, 7, 7), inflate=(0, 0, 1, 1), fusion_kernel=7, **shared),
        fast_pathway=dict(lateral=False, base_channels=8, conv1_kernel=(5, 7, 7), **shared),
    )
    shaken(theirs.eval())
    ours = build(
        resample_rate=8, speed_ratio=4, dilation=1, fusion_kernel=7, lateral_bias=False, pool_padding=1, slow_offset=0
    ).eval()
    ours.load_state_dict(theirs.state_dict())
    film = torch.rand(1, 3, 16, 32, 48)
    with torch.no_grad():
        for a, b in zip(ours(film), theirs(film)):
            torch.testing.assert_close(a, b)


def test_pretrained_weights_of_a_whole_model_are_taken_and_others_refused(tmp_path):
    path = tmp_path / 'k700.pth'
    state = {f'backbone.{name}': value + 1 for name, value in build().state_dict().items()}
    torch.save(dict(state_dict={**state, 'cls_head.fc_cls.weight': torch.zeros(2, 2)}), path)
    model = build(pretrained=str(path))
    model.init_weights()
    assert torch.equal(model.fast_path.conv1.conv.weight, state['backbone.fast_path.conv1.conv.weight'])
    with pytest.raises(InputError, match=r'k700.pth: is of another model, .* the first is slow_path.layer3.6'):
        build(depth=101, pretrained=str(path)).init_weights()
    with pytest.raises(InputError, match=r'absent.pth: cannot be read'):
        build(pretrained=str(tmp_path / 'absent.pth')).init_weights()


def test_arguments_and_lengths_that_do_not_fit_are_refused():
    for options in (dict(depth=18), dict(speed_ratio=3), dict(fusion_kernel=4), dict(pool_padding=2)):
        with pytest.raises(ValueError, match=next(iter(options))):
            build(**options)
    with pytest.raises(ValueError, match=r'slow_offset must lie in \[0, 16\)'):
        build(slow_offset=16)
    with pytest.raises(ValueError, match='20 frames are no multiple of the 16'):
        build().sample(torch.zeros(1, 3, 20, 8, 8))
