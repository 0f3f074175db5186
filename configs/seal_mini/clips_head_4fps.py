_base_ = ['./clips_head.py']

# As clips_head with four boxes a second: each part of the time is pooled where the person then is (SEAL, Table 3).
train_dataloader = dict(dataset=dict(boxes_per_s=4))
val_dataloader = dict(dataset=dict(boxes_per_s=4))
test_dataloader = dict(dataset=dict(boxes_per_s=4))
train_cfg = dict(cache='work_dirs/clips_features/train_4fps.pth')
