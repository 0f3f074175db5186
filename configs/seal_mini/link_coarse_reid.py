_base_ = ['link_reid.py']

# SEAL's step 3 on coarse tubelets of step 1: see link_coarse.py.
splitter = None
tube_filter = None
