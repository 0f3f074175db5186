_base_ = ['../seal/tube_pipeline.py']

# SEAL's step 3 on coarse tubelets of step 1: their ID switches are short and mended as runs, and every tubelet counts.
splitter = None
tube_filter = None
