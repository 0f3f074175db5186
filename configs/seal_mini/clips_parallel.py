_base_ = ['./clips_head.py']

# AlphAction's parallel structure.
model = dict(
    roi_head=dict(
        interaction=dict(
            type='InteractionAggregation',
            structure='parallel',
            blocks='POMPOM',
            in_channels=96,
            channels=128,
            num_seconds=21,
            mask_padding=True,
        ),
        memory=dict(past_s=10, future_s=10),
    )
)
