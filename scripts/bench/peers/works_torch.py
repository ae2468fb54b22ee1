"""Work with PyTorch: forward passes, updates, loading, products of matrices."""

import time

import torch
from checkpoints import (
    model_from_checkpoint,
    model_from_safetensors,
    read_safetensors,
    write_checkpoint,
    write_onnx,
)
from torch.nn import functional as F


def prepare(model, channels_last):
    return model.to(memory_format=torch.channels_last) if channels_last else model


def random_images(batch, side, channels_last):
    images = torch.randn(batch, 3, side, side)
    return images.contiguous(memory_format=torch.channels_last) if channels_last else images


def inference(path, side, channels_last, bfloat16):
    model = prepare(model_from_checkpoint(path), channels_last)
    images = {}

    def run(batch):
        if batch not in images:
            images[batch] = random_images(batch, side, channels_last)
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            model(images[batch])

    return run


def training(path, side, channels_last, **_):
    """One update, with the numbers of the official recipe and a small learning rate."""
    model = prepare(model_from_checkpoint(path), channels_last).train()
    plain = [p for name, p in model.named_parameters() if p.ndim == 1 or name.endswith(".bias")]
    decayed = [p for name, p in model.named_parameters() if not (p.ndim == 1 or name.endswith(".bias"))]
    optimizer = torch.optim.AdamW([{"params": decayed, "weight_decay": 0.05}, {"params": plain, "weight_decay": 0}], lr=1e-5)
    classes = model.head.out_features
    images = {}

    def run(batch):
        if batch not in images:
            images[batch] = random_images(batch, side, channels_last)
        targets = torch.randint(classes, (batch,))
        loss = F.cross_entropy(model(images[batch]), targets, label_smoothing=0.1)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5)
        optimizer.step()
        loss.item()

    return run


def weights(path, side, **_):
    return lambda batch: model_from_checkpoint(path)


def nothing(path, side, **_):
    return lambda batch: None


WORKS = {"inference": inference, "training": training, "weights": weights, "gemm": nothing}


def gemm(rows, inner, columns, repeats=3):
    """The best of a few products, in floating-point operations a second."""
    a, b = torch.randn(rows, inner), torch.randn(inner, columns)
    best = float("inf")
    # The first one warms up.
    for i in range(repeats + 1):
        start = time.perf_counter()
        a @ b
        if i > 0:
            best = min(best, time.perf_counter() - start)
    return 2 * rows * inner * columns / best


def verify(weights, check, checkpoint, onnx, side):
    """The largest difference to the logits of this project; then writes the network in the other formats."""
    model, settings = model_from_safetensors(weights)
    expected, _ = read_safetensors(check)
    with torch.inference_mode():
        logits = model(expected["images"].permute(0, 3, 1, 2).contiguous())
    write_checkpoint(checkpoint, model, settings)
    write_onnx(onnx, model, side)
    return {"difference": float((logits - expected["logits"]).abs().max())}
