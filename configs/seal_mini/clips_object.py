_base_ = ['./clips_head.py']

# People look at objects.
model = dict(
    roi_head=dict(
        interaction=dict(
            type='InteractionAggregation',
            structure='serial',
            blocks='OO',
            in_channels=96,
            channels=128,
            mask_padding=True,
        )
    )
)
