from .grouped_focal import GroupedFocalLoss

__all__ = ['GroupedFocalLoss']
