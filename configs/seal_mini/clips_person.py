_base_ = ['./clips_head.py']

# People look at one another.
model = dict(
    roi_head=dict(
        interaction=dict(
            type='InteractionAggregation',
            structure='serial',
            blocks='PP',
            in_channels=96,
            channels=128,
            mask_padding=True,
        )
    )
)
