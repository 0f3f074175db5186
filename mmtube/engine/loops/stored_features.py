"""Training of a head on features that are made once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from mmengine.device import get_device
from mmengine.dist import all_gather_object, get_rank, get_world_size
from mmengine.model import is_model_wrapper
from mmengine.runner import EpochBasedTrainLoop, Runner, set_random_seed
from torch import nn
from torch.utils.data import DataLoader, Dataset

from mmtube.engine.hooks import MemoryPoolHook
from mmtube.errors import InputError
from mmtube.fileio import atomic_path, check_writable
from mmtube.models.roi_heads import ClipActionDetector, ClipFeatures, FeatureBank
from mmtube.registry import DATA_SAMPLERS, LOOPS

KIND = 'mmtube stored features'
# Clips of which the memory is filled at once.
CHUNK = 256


@LOOPS.register_module()
class StoredFeatureTrainLoop(EpochBasedTrainLoop):
    """Look at every training clip once, then train interactions and head on what was seen.

    Backbone and neck are frozen: their parameters ask for no gradient and they look at clips in evaluation mode. Their
    weights must come from somewhere (``load_from`` or ``init_cfg``). In the first pass ``train_dataloader`` is gone
    through in order; people and objects of each clip and the labels stay on the CPU. Then follow the epochs, in batches
    of ``batch_size`` clips in the order of the loader's own ``sampler``, seeded by the runner. Parameter schedulers,
    hooks, validation, checkpoints and resuming are those of MMEngine; a checkpoint holds the whole model.

    The memory of M blocks is filled from the first pass. It is complete in the first epoch and as old as all features
    are, so nothing is damped, and ``MemoryPoolHook`` is refused. Boxes that the pipeline moves at random and clips that
    it flips are what they were in the first pass: ``copies`` looks several times, and epochs take the copies in turn;
    the memory is of the first.

    On several ranks each looks at its share of the clips and gets those of the others; a step takes ``batch_size``
    clips on each.

    Args:
        runner (Runner): The runner.
        dataloader (dict): Clips.
        max_epochs (int): Epochs on the features.
        batch_size (int): Clips of a step, which ``auto_scale_lr`` counts. Defaults to 32.
        copies (int): How often each clip is looked at; each costs 4 bytes per person or object and channel. Defaults
            to 1.
        cache (str | None): File in which the features are kept for other heads on the same backbone. One that was made
            with other weights of the backbone, another data set or other settings is made anew. Films are told apart by
            name and size. Defaults to None, no file.
        val_begin (int): First epoch with validation. Defaults to 1.
        val_interval (int): Epochs from validation to validation. Defaults to 1.
        dynamic_intervals (list[tuple[int, int]] | None): As MMEngine's. Defaults to None.

    Raises:
        ValueError: If the settings or the model do not fit.
        InputError: If ``cache`` cannot be written or is another kind of file.
    """

    def __init__(
        self,
        runner: Runner,
        dataloader: Any,
        max_epochs: int,
        batch_size: int = 32,
        copies: int = 1,
        cache: str | None = None,
        val_begin: int = 1,
        val_interval: int = 1,
        dynamic_intervals: list[tuple[int, int]] | None = None,
    ) -> None:
        if batch_size < 1 or copies < 1:
            raise ValueError(f'batch_size and copies must be at least 1, got {batch_size} and {copies}')
        if not isinstance(dataloader, Mapping):
            raise ValueError('train_dataloader must be a config here: it is built to go through the clips in order')
        self.copies = copies
        self.cache = None if cache is None else Path(cache)
        if self.cache is not None:
            check_writable(self.cache)
        self._dataset_cfg = dataloader['dataset']
        self._looks = runner.build_dataloader(_in_order(dataloader), seed=runner.seed)
        self._banks: list[FeatureBank] = []
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        if not isinstance(model, ClipActionDetector):
            raise ValueError(f'StoredFeatureTrainLoop trains a ClipActionDetector, got a {type(model).__name__}')
        self._model = model
        for part in self._frozen():
            part.requires_grad_(False)
        if is_model_wrapper(runner.model):  # it was told to wait for gradients of the backbone
            runner.model = runner.wrap_model(runner.cfg.get('model_wrapper_cfg'), model)
        numbers = _Numbers(self._looks.dataset)
        sampler = DATA_SAMPLERS.build(dataloader['sampler'], default_args=dict(dataset=numbers, seed=runner.seed))
        loader = DataLoader(numbers, batch_size, sampler=sampler, collate_fn=self._batch)
        runner._train_dataloader = loader  # its batches, not those of the looks, scale the rate with auto_scale_lr
        super().__init__(runner, loader, max_epochs, val_begin, val_interval, dynamic_intervals)

    def _frozen(self) -> list[nn.Module]:
        return [part for part in (self._model.backbone, self._model.neck) if part is not None]

    def run(self) -> nn.Module:
        """Look at the clips, then train."""
        if any(isinstance(hook, MemoryPoolHook) for hook in self.runner.hooks):
            raise ValueError('the memory is filled from stored features here: leave MemoryPoolHook out')
        self._banks = self._stored_banks()
        self._fill_memory()
        # The same training whether the features were made or read; it goes on with other numbers when resumed.
        set_random_seed(self.runner.seed + self._epoch, diff_rank_seed=True)
        return super().run()

    def run_iter(self, idx: int, data_batch: ClipFeatures) -> None:
        """Train on a batch of stored clips."""
        runner = self.runner
        runner.call_hook('before_train_iter', batch_idx=idx, data_batch=data_batch)
        with runner.optim_wrapper.optim_context(runner.model):
            losses = runner.model(data_batch.to(get_device()), mode='loss')
        loss, outputs = self._model.parse_losses(losses)
        runner.optim_wrapper.update_params(loss)
        runner.call_hook('after_train_iter', batch_idx=idx, data_batch=data_batch, outputs=outputs)
        self._iter += 1

    def _batch(self, numbers: Sequence[int]) -> ClipFeatures:
        return self._banks[self._epoch % self.copies].batch(numbers, self._model.roi_head.max_objects)

    def _fill_memory(self) -> None:
        head, bank = self._model.roi_head, self._banks[0]
        if head.memory is None:
            return
        head.memory.clear()
        for start in range(0, len(bank), CHUNK):
            clips = range(start, min(start + CHUNK, len(bank)))
            head.memory.write(head.entries(bank.batch(clips, head.max_objects)))

    def _stored_banks(self) -> list[FeatureBank]:
        """From the file where all ranks can read it and it is of this backbone and data set, else looked at."""
        if self.cache is None:
            return [self._look(copy) for copy in range(self.copies)]
        key = self._key()
        stored = _read(self.cache, key)
        if all(all_gather_object(stored is not None)):
            assert stored is not None
            self.runner.logger.info(f'took the features of {len(stored[0])} clips from {self.cache}')
            return stored
        banks = [self._look(copy) for copy in range(self.copies)]
        if get_rank() == 0:
            with atomic_path(self.cache) as temporary:
                torch.save({'kind': KIND, 'key': key, 'copies': [bank.state() for bank in banks]}, temporary)
        return banks

    @torch.no_grad()
    def _look(self, copy: int) -> FeatureBank:
        model, loader, logger = self._model, self._looks, self.runner.logger
        seeded = loader.worker_init_fn
        if copy and isinstance(seeded, partial) and 'seed' in seeded.keywords:
            # Workers that begin with the same seed would make the same copy.
            loader.worker_init_fn = partial(seeded, seed=self.runner.seed + copy)
        model.train()  # boxes to learn from are not enlarged
        for part in self._frozen():
            part.eval()
        clips: list[ClipFeatures] = []
        for number, data_batch in enumerate(loader, 1):
            clips += model.extract_clips(data_batch, labelled=True)[0]
            if number % 50 == 0 or number == len(loader):
                logger.info(f'copy {copy + 1} of {self.copies}: looked at batch {number} of {len(loader)}')
        shares = all_gather_object([clips] if get_world_size() > 1 else None)
        if get_world_size() > 1:
            # The sampler deals clips in turn.
            whole: list[ClipFeatures | None] = [None] * len(self._looks.dataset)
            for rank, (share,) in enumerate(shares):
                whole[rank :: len(shares)] = share
            clips = [clip for clip in whole if clip is not None]
        if len(clips) != len(self._looks.dataset):
            raise ValueError(
                f'the loader gave {len(clips)} samples for {len(self._looks.dataset)} clips; features are stored once '
                'a clip, without RepeatTransforms'
            )
        return FeatureBank.from_clips(clips)

    def _key(self) -> str:
        """What the features depend on."""
        digest = hashlib.sha256(f'{self.copies} {self._dataset_cfg}'.encode())
        head = self._model.roi_head
        digest.update(f'{head.max_objects} {head.positive_iou}'.encode())
        for module in (self._model.data_preprocessor, *self._frozen(), head.roi_extractor):
            settings = {name: value for name, value in vars(module).items() if isinstance(value, (int, float, str))}
            digest.update(f'{module} {sorted((settings | {"training": None}).items(), key=str)}'.encode())
            for name, tensor in (*module.named_parameters(), *module.named_buffers()):
                digest.update(f'{name} {tensor.dtype} {tuple(tensor.shape)}'.encode())
                digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
        for content in _files(self._dataset_cfg):
            digest.update(content)
        return digest.hexdigest()


class _Numbers(Dataset):
    """The numbers of the clips of a data set; what samplers and the runner ask of it is answered by the set itself."""

    def __init__(self, dataset: Any) -> None:
        self._dataset = dataset

    def __len__(self) -> int:
        return len(self._dataset)

    def __getitem__(self, number: int) -> int:
        return number

    def __getattr__(self, name: str) -> Any:
        if name.startswith('_'):  # before the data set is there, when copied
            raise AttributeError(name)
        return getattr(self._dataset, name)


def _in_order(dataloader: Mapping[str, Any]) -> dict[str, Any]:
    """The config of a loader that goes through its data set once, dealt out to the ranks."""
    sampler = dict(type='DefaultSampler', shuffle=False, round_up=False)
    loader = {name: value for name, value in dataloader.items() if name not in ('batch_sampler', 'drop_last')}
    return {**loader, 'sampler': sampler}


def _strings(config: Any) -> Iterator[str]:
    if isinstance(config, str):
        yield config
    elif isinstance(config, Mapping):
        yield from (text for key in sorted(config) for text in _strings(config[key]))
    elif isinstance(config, (list, tuple)):
        yield from (text for part in config for text in _strings(part))


def _files(config: Mapping[str, Any], root: str = '') -> Iterator[bytes]:
    """The content of the files that a data set names, and names and sizes of what is in the folders."""
    root = str(config.get('data_root') or root)
    wrapped = [config['dataset']] if 'dataset' in config else []  # as that of RepeatDataset
    for part in (*config.get('datasets', ()), *wrapped):
        yield from _files(part, root)
    own = {key: value for key, value in config.items() if key not in ('datasets', 'dataset', 'pipeline')}
    for name in _strings(own):
        path = Path(root, name)
        if path.is_file():
            yield path.read_bytes()
        elif path.is_dir() and name != root:
            yield repr(sorted((file.name, file.stat().st_size) for file in path.iterdir() if file.is_file())).encode()


def _read(path: Path, key: str) -> list[FeatureBank] | None:
    """The features in a file, None if there is no file or it is of something else."""
    if not path.exists():
        return None
    try:
        content = torch.load(path, map_location='cpu', weights_only=True)
    except Exception as error:  # a damaged pickle or archive can raise nearly anything
        raise InputError(f'{path}: cannot be read as stored features ({type(error).__name__}); remove it') from error
    if not isinstance(content, dict) or content.get('kind') != KIND:
        raise InputError(f'{path}: is a file of another kind, not of stored features')
    if content['key'] != key:
        return None
    return [FeatureBank.from_state(state) for state in content['copies']]
