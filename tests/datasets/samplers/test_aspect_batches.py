"""mmdet's sampler of batches sees which clips are upright."""

from mmdet.datasets.samplers import AspectRatioBatchSampler
from mmengine.dataset import DefaultSampler

from mmtube.datasets.clip_dataset import ClipDataset
from mmtube.structures.seal import VideoRecord


class Films:
    """Clips of ten films, every third of them upright."""

    def __len__(self):
        return 10

    def get_data_info(self, idx):
        width, height = (360, 640) if idx % 3 == 0 else (640, 360)
        return ClipDataset.moment(None, 'a film', VideoRecord('web', width, height, 25.0, 50, 2.0, 'train'), 1.0, 2.0)


def test_upright_and_wide_clips_are_in_batches_of_their_own():
    sampler = DefaultSampler(Films(), shuffle=True, seed=0)
    batches = list(AspectRatioBatchSampler(sampler, batch_size=2))
    assert sorted(idx for batch in batches for idx in batch) == list(range(10)) and len(batches) == 5
    kinds = [{idx % 3 == 0 for idx in batch} for batch in batches]
    assert all(len(kind) == 1 for kind in kinds) and {True} in kinds and {False} in kinds
