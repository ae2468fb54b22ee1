"""The best class of one photo, in a process of its own: predict.py PHOTO CHECKPOINT SIDE."""

import sys

import torch
from checkpoints import model_from_checkpoint
from photos import load_photo

photo, checkpoint, side = sys.argv[1:]
model = model_from_checkpoint(checkpoint)
with torch.inference_mode():
    scores = model(torch.from_numpy(load_photo(photo, int(side)))[None]).softmax(dim=1)
score, index = scores[0].max(dim=0)
print(int(index), float(score))
