from .tsp_recognizer import TSPRecognizer

__all__ = ['TSPRecognizer']
