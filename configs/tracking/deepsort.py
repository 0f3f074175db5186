_base_ = ['../seal/tube_pipeline.py']

# DeepSORT as its authors' code has it, with colours in place of their network. Values: configs/_base_/deepsort.py.
tracker = dict(_delete_=True, type='DeepSORTTracker')
gap_filler = None
tube_filter = None
