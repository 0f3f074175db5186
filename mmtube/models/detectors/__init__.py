from .person_detector import PersonDetector

__all__ = ['PersonDetector']
