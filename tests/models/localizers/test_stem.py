import pytest
import torch

from mmtube.models.localizers.stem import StreamStem


def batch(dims, rows=12):
    mask = torch.ones(2, rows, dtype=torch.bool)
    mask[1, 8:] = False
    return torch.randn(2, dims, rows), mask


def test_streams_become_one_of_the_width_asked_for():
    base, parts = StreamStem((5, 3), channels=8)(*batch(8))
    assert base.shape == (2, 8, 12)
    assert [part.shape for part in parts] == [(2, 8, 12)] * 2


def test_each_stream_has_its_own_part_of_the_channels():
    stem, (features, mask) = StreamStem((5, 3), channels=8).eval(), batch(8)
    _, before = stem(features, mask)
    features[:, 5:] = torch.randn(2, 3, 12)
    _, after = stem(features, mask)
    torch.testing.assert_close(before[0], after[0])
    assert not torch.allclose(before[1], after[1])


def test_the_scale_of_a_stream_does_not_matter():
    stem, (features, mask) = StreamStem((5, 3), channels=8).eval(), batch(8)
    louder = torch.cat([features[:, :5], 1000 * features[:, 5:]], 1)
    torch.testing.assert_close(stem(features, mask)[0], stem(louder, mask)[0], atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize('dims', [(8,), (5, 3)])
def test_a_masked_row_is_as_one_beyond_the_end(dims):
    stem, (features, mask) = StreamStem(dims, channels=8).eval(), batch(8)
    base, _ = stem(features, mask)
    torch.testing.assert_close(base[1:, :, :8], stem(features[1:, :, :8], mask[1:, :8])[0])
    assert (base[1, :, 8:] == 0).all()


def test_auxiliary_streams_are_dropped_in_training_as_a_whole():
    torch.manual_seed(0)
    stem = StreamStem((5, 3), channels=8, stream_dropout=0.5)
    features, mask = torch.randn(1, 8, 12).expand(200, -1, -1), torch.ones(200, 12, dtype=torch.bool)
    base, parts = stem(features, mask)
    whole = stem.eval()(features[:1], mask[:1])[0]
    without = stem.fuse(torch.cat([parts[0], 0 * parts[1]], 1), mask)[:1]
    dropped = (base - without).abs().amax((1, 2)) < 1e-5
    assert 60 < dropped.sum() < 140
    assert ((base - whole).abs().amax((1, 2)) < 1e-5).equal(~dropped)
    assert (parts[1] == parts[1][:1]).all()  # what the auxiliary loss sees is there


def test_wrong_channels_and_settings_are_refused():
    with pytest.raises(ValueError, match='features have 7 channels'):
        StreamStem((5, 3))(*batch(7))
    with pytest.raises(ValueError, match='no streams'):
        StreamStem(())
