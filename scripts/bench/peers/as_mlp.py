"""AS-MLP (Lian et al., ICLR 2022) for classification, in PyTorch, with the parameter names of the published checkpoints."""

import torch
from torch import nn
from torch.nn import functional as F


def norm(channels):
    return nn.GroupNorm(1, channels)


def pointwise(inputs, outputs, bias=True):
    return nn.Conv2d(inputs, outputs, kernel_size=1, bias=bias)


def axial_shift(x, size, dim):
    """Moves channel group g by g - size // 2 cells along `dim`; zeros come in from outside (section 3.2)."""
    moved = []
    length = x.shape[dim]
    for group, part in enumerate(x.chunk(size, dim=1)):
        d = max(-length, min(length, group - size // 2))
        # A negative padding cuts off what leaves the map.
        moved.append(F.pad(part, (d, -d, 0, 0) if dim == 3 else (0, 0, d, -d)))
    return torch.cat(moved, dim=1)


def pad_to_multiple(x, multiple):
    height, width = x.shape[2:]
    return F.pad(x, (0, -width % multiple, 0, -height % multiple))


class DropPath(nn.Module):
    """Stochastic depth: leaves a residual out for whole samples."""

    def __init__(self, rate):
        super().__init__()
        self.rate = rate

    def forward(self, x):
        if not self.training or self.rate == 0:
            return x
        keep = 1 - self.rate
        return x * x.new_empty(x.shape[0], 1, 1, 1).bernoulli_(keep).div_(keep)


class AxialShift(nn.Module):
    def __init__(self, channels, shift_size):
        super().__init__()
        self.shift_size = shift_size
        self.conv1 = pointwise(channels, channels)
        self.conv2_1 = pointwise(channels, channels)
        self.conv2_2 = pointwise(channels, channels)
        self.conv3 = pointwise(channels, channels)
        self.norm1 = norm(channels)
        self.norm2 = norm(channels)

    def forward(self, x):
        x = F.gelu(self.norm1(self.conv1(x)))
        horizontal = F.gelu(self.conv2_1(axial_shift(x, self.shift_size, 3)))
        vertical = F.gelu(self.conv2_2(axial_shift(x, self.shift_size, 2)))
        return self.conv3(self.norm2(horizontal + vertical))


class Mlp(nn.Module):
    def __init__(self, channels, hidden):
        super().__init__()
        self.fc1 = pointwise(channels, hidden)
        self.fc2 = pointwise(hidden, channels)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x)))


class Block(nn.Module):
    def __init__(self, channels, shift_size, drop_path):
        super().__init__()
        self.norm1 = norm(channels)
        self.axial_shift = AxialShift(channels, shift_size)
        self.norm2 = norm(channels)
        self.mlp = Mlp(channels, 4 * channels)
        self.drop_path = DropPath(drop_path)

    def forward(self, x):
        x = x + self.drop_path(self.axial_shift(self.norm1(x)))
        return x + self.drop_path(self.mlp(self.norm2(x)))


class PatchEmbed(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.proj = nn.Conv2d(3, channels, kernel_size=4, stride=4)
        self.norm = norm(channels)

    def forward(self, x):
        return self.norm(self.proj(pad_to_multiple(x, 4)))


class PatchMerging(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.reduction = pointwise(4 * channels, 2 * channels, bias=False)
        self.norm = norm(4 * channels)

    def forward(self, x):
        x = pad_to_multiple(x, 2)
        # The row varies fastest, as in the published weights.
        parts = [x[:, :, row::2, column::2] for column in (0, 1) for row in (0, 1)]
        return self.reduction(self.norm(torch.cat(parts, dim=1)))


class Stage(nn.Module):
    def __init__(self, channels, shift_size, rates, is_last):
        super().__init__()
        self.blocks = nn.ModuleList(Block(channels, shift_size, rate) for rate in rates)
        self.downsample = None if is_last else PatchMerging(channels)

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return x if self.downsample is None else self.downsample(x)


class AsMlp(nn.Module):
    """`[B, 3, H, W]` -> logits `[B, num_classes]`."""

    def __init__(self, embed_dim=96, depths=(2, 2, 6, 2), shift_size=5, num_classes=1000, drop_path=0.2):
        super().__init__()
        rates = iter(torch.linspace(0, drop_path, sum(depths)).tolist())
        widths = [embed_dim * 2**stage for stage in range(len(depths))]
        self.patch_embed = PatchEmbed(embed_dim)
        self.layers = nn.ModuleList(
            Stage(width, shift_size, [next(rates) for _ in range(depth)], width == widths[-1])
            for width, depth in zip(widths, depths)
        )
        self.norm = norm(widths[-1])
        self.head = nn.Linear(widths[-1], num_classes)

    def forward(self, x):
        x = self.patch_embed(x)
        for layer in self.layers:
            x = layer(x)
        return self.head(self.norm(x).mean(dim=(2, 3)))
