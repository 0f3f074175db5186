_base_ = ['tsp_t.py']

# TSP on whole frames as it was trained: 171x128, the middle 112x112. The published ActivityNet features have stride 16.
model = dict(stream='tsp_frame', roi=None, size=(171, 128), crop=112, stride=16)
