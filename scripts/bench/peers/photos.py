"""The official preprocessing of photos with Pillow."""

import numpy as np
from PIL import Image

MEAN = np.array([0.485, 0.456, 0.406], dtype=np.float32)
STD = np.array([0.229, 0.224, 0.225], dtype=np.float32)


def load_photo(path, side):
    """Decoded, short side resized (bicubic), centre cropped, normalised: `[3, side, side]`."""
    image = Image.open(path).convert("RGB")
    width, height = image.size
    short = int(side / 0.875)
    size = (short, short * height // width) if width <= height else (short * width // height, short)
    image = image.resize(size, Image.Resampling.BICUBIC)
    left, top = round((size[0] - side) / 2), round((size[1] - side) / 2)
    image = image.crop((left, top, left + side, top + side))
    values = (np.asarray(image, dtype=np.float32) / 255 - MEAN) / STD
    return np.ascontiguousarray(values.transpose(2, 0, 1))
