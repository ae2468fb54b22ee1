"""Weights from safetensors files and from PyTorch's own."""

import json

import numpy as np
import torch
from as_mlp import AsMlp


def read_safetensors(path):
    """The float32 tensors of a file by name, and its metadata."""
    data = np.fromfile(path, dtype=np.uint8)
    length = int(data[:8].view(np.uint64)[0])
    header = json.loads(data[8 : 8 + length].tobytes())
    metadata = header.pop("__metadata__", {})
    values = data[8 + length :]
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        floats = values[begin:end].view(np.float32).reshape(entry["shape"])
        tensors[name] = torch.from_numpy(floats.copy())
    return tensors, metadata


def model_from_safetensors(path):
    """The network that a file of this project holds, and the settings that rebuild it."""
    state, metadata = read_safetensors(path)
    settings = {
        "embed_dim": int(metadata["embed_dim"]),
        "depths": [int(depth) for depth in metadata["depths"].split(",")],
        "shift_size": int(metadata["shift_size"]),
        "num_classes": int(metadata["num_classes"]),
    }
    model = AsMlp(**settings)
    model.load_state_dict(state)
    return model.eval(), settings


def model_from_checkpoint(path):
    checkpoint = torch.load(path, weights_only=True)
    model = AsMlp(**checkpoint["settings"])
    model.load_state_dict(checkpoint["model"])
    return model.eval()


def write_checkpoint(path, model, settings):
    torch.save({"model": model.state_dict(), "settings": settings}, path)


def write_onnx(path, model, side):
    images = torch.zeros(2, 3, side, side)
    batch = torch.export.Dim("batch", min=1, max=1024)
    torch.onnx.export(
        model, (images,), path, input_names=["images"], output_names=["logits"], dynamic_shapes=({0: batch},), verbose=False
    )
