import pytest

import mmtube  # noqa: F401


def test_the_models_of_mmaction_can_be_imported_and_drn_says_what_is_missing():
    import mmaction.models
    from mmaction.models.localizers.drn.drn import DRN

    assert mmaction.models.BMN is not None
    if DRN.__module__ != 'mmtube.compat.mmaction_drn':
        pytest.skip('this mmaction2 has its own DRN')
    with pytest.raises(RuntimeError, match='mmaction2 from source'):
        DRN(vocab_size=3)


def test_a_config_with_drn_fails_with_the_same_message():
    import mmaction.models  # noqa: F401
    from mmaction.registry import MODELS

    if MODELS.get('DRN').__module__ != 'mmtube.compat.mmaction_drn':
        pytest.skip('this mmaction2 has its own DRN')
    with pytest.raises(RuntimeError, match='mmaction2 from source'):
        MODELS.build({'type': 'DRN'})
