from .checker import check_dataset
from .report import Check, DatasetReport

__all__ = ['Check', 'DatasetReport', 'check_dataset']
