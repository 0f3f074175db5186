from .stored_features import StoredFeatureTrainLoop
from .two_pass import TwoPassTestLoop, TwoPassValLoop

__all__ = ['StoredFeatureTrainLoop', 'TwoPassTestLoop', 'TwoPassValLoop']
