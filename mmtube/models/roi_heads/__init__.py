from .clip_classifier import ClipClassifier

__all__ = ['ClipClassifier']
