_base_ = ['../seal/tube_pipeline.py']

# Tubelets of the pipeline's own tracker linked by the re-identification network of SEAL-mini, whose distances are about
# twice those of colour histograms.
appearance = dict(_delete_=True, type='ReIDAppearance')
linker = dict(max_cost=0.5, scale_cost=0.4, weak_cost=0.1, near_bonus=0.3, min_margin=0.04)
