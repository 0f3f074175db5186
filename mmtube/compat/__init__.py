"""Stand-ins for what the released wheels of mmcv-lite, mmdet, mmaction2 and mmengine lack; one small file per gap.

Nothing heavy is imported here: every stand-in waits in an import hook until the library that it mends is imported.
"""

from . import import_hooks, mmaction_drn, mmcv_ext, mmdet_assignment, mmengine_checkpoint, mmengine_packages

__all__ = ['install']


def install() -> None:
    """Put every stand-in in place; a second call changes nothing."""
    for gap in (mmcv_ext, mmaction_drn):
        for name, fill in gap.MODULES.items():
            import_hooks.supply(name, fill)
    for gap in (mmdet_assignment, mmengine_checkpoint, mmengine_packages):
        for name, patch in gap.PATCHES.items():
            import_hooks.after_import(name, patch)
    import_hooks.install()
