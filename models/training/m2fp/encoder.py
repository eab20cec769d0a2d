# SPDX-License-Identifier: Apache-2.0
"""Pixel decoder: multi-scale deformable attention over three levels, then one FPN step."""
import math

import torch
import torch.nn as nn
import torch.nn.functional as F

from .norm import normalise
from .sample import sample

POINTS = 4
LEVELS = 3
_sines = {}


def sine_position(height, width, channels, like):
    """The sine embedding of every cell, [height * width, channels]: y first, then x."""
    key = (height, width, channels, like.device)
    if key not in _sines:
        half = channels // 2
        k = torch.arange(half, dtype=torch.float64)
        t = 10000 ** (2 * torch.div(k, 2, rounding_mode="floor") / half)

        def axis(n):
            v = torch.arange(1, n + 1, dtype=torch.float64) / (n + 1e-6) * 2 * math.pi
            v = v[:, None] / t
            return torch.where(k.long() % 2 == 0, v.sin(), v.cos())

        y, x = axis(height), axis(width)
        both = torch.cat([y[:, None].expand(-1, width, -1), x[None].expand(height, -1, -1)], -1)
        _sines[key] = both.reshape(height * width, channels).float().to(like.device)
    return _sines[key].to(like.dtype)


class DeformableAttention(nn.Module):
    """Each cell looks at a few learned places of all levels."""

    def __init__(self, channels, heads):
        super().__init__()
        self.heads = heads
        self.sampling_offsets = nn.Linear(channels, heads * LEVELS * POINTS * 2)
        self.attention_weights = nn.Linear(channels, heads * LEVELS * POINTS)
        self.value_proj = nn.Linear(channels, channels)
        self.output_proj = nn.Linear(channels, channels)
        # Heads start by looking in different directions, points at growing distances.
        nn.init.zeros_(self.sampling_offsets.weight)
        angle = torch.arange(heads) * (2 * math.pi / heads)
        ray = torch.stack([angle.cos(), angle.sin()], -1)
        ray = ray / ray.abs().max(-1, keepdim=True)[0]
        reach = torch.arange(1, POINTS + 1).float()
        self.sampling_offsets.bias.data = (ray[:, None, None] * reach[None, None, :, None]).expand(-1, LEVELS, -1, -1).reshape(-1).clone()
        nn.init.zeros_(self.attention_weights.weight)
        nn.init.zeros_(self.attention_weights.bias)
        for linear in (self.value_proj, self.output_proj):
            nn.init.xavier_uniform_(linear.weight)
            nn.init.zeros_(linear.bias)

    def forward(self, query, x, grid):
        batch, count, channels = x.shape
        heads, depth = self.heads, channels // self.heads
        value = self.value_proj(x).view(batch, count, heads, depth)
        offsets = self.sampling_offsets(query).view(batch, count, heads, LEVELS, POINTS, 2)
        logits = self.attention_weights(query).view(batch, count, heads, LEVELS * POINTS)
        out = sample(value, grid["place"], offsets, logits, grid["levels"])
        return self.output_proj(out.reshape(batch, count, channels))


class EncoderLayer(nn.Module):
    """Deformable attention and a feed-forward network, normalised afterwards."""

    def __init__(self, channels, heads, hidden):
        super().__init__()
        self.self_attn = DeformableAttention(channels, heads)
        self.norm1 = nn.LayerNorm(channels)
        self.linear1 = nn.Linear(channels, hidden)
        self.linear2 = nn.Linear(hidden, channels)
        self.norm2 = nn.LayerNorm(channels)

    def forward(self, x, place, grid):
        x = self.norm1(x + self.self_attn(x + place, x, grid))
        return self.norm2(x + self.linear2(F.relu(self.linear1(x))))


class Encoder(nn.Module):
    def __init__(self, layers, *args):
        super().__init__()
        self.layers = nn.ModuleList(EncoderLayer(*args) for _ in range(layers))


class Transformer(nn.Module):
    """Holds the level embedding and the encoder, as the key names want it."""

    def __init__(self, channels, *args):
        super().__init__()
        self.level_embed = nn.Parameter(torch.randn(LEVELS, channels) * 0.02)
        self.encoder = Encoder(*args)


class ConvGroup(nn.Conv2d):
    """A convolution without bias followed by group norm."""

    def __init__(self, inputs, outputs, size):
        super().__init__(inputs, outputs, size, 1, size // 2, bias=False)
        self.norm = nn.GroupNorm(32, outputs)
        nn.init.kaiming_uniform_(self.weight, a=1)

    def forward(self, x, relu=False):
        return normalise(self.norm, super().forward(x), relu=relu)


class PixelDecoder(nn.Module):
    """Backbone maps to three memories and the finest feature map."""

    def __init__(self, channels, config):
        super().__init__()
        d = config["conv_dim"]
        projections = []
        for inputs in channels[:0:-1]:  # res5, res4, res3
            conv = nn.Conv2d(inputs, d, 1)
            nn.init.xavier_uniform_(conv.weight)
            nn.init.zeros_(conv.bias)
            projections.append(nn.Sequential(conv, nn.GroupNorm(32, d)))
        self.input_proj = nn.ModuleList(projections)
        self.transformer = Transformer(d, config["transformer_enc_layers"], d, config["transformer_nheads"], config["transformer_dim_feedforward"])
        self.adapter_1 = ConvGroup(channels[0], d, 1)
        self.layer_1 = ConvGroup(d, d, 3)
        self.mask_features = nn.Conv2d(d, config["mask_dim"], 1)
        self._grids = {}

    def _grid(self, sizes, device):
        """Where each cell's centre lies in every level, in cells; sizes and starts of levels."""
        key = (tuple(sizes), device)
        if key not in self._grids:
            rx, ry = [], []
            for a, b in sizes:
                y, x = torch.meshgrid((torch.arange(a) + 0.5) / a, (torch.arange(b) + 0.5) / b, indexing="ij")
                rx.append(x.reshape(-1))
                ry.append(y.reshape(-1))
            high = torch.tensor([float(a) for a, _ in sizes])
            wide = torch.tensor([float(b) for _, b in sizes])
            levels, start = [], 0
            for a, b in sizes:
                levels.append((b, a, start))
                start += a * b
            px, py = torch.cat(rx)[:, None] * wide - 0.5, torch.cat(ry)[:, None] * high - 0.5
            self._grids[key] = dict(place=torch.stack([px, py], -1).to(device), levels=levels)
        return self._grids[key]

    def forward(self, features):
        levels = [normalise(norm, conv(f)) for (conv, norm), f in zip(self.input_proj, features[:0:-1])]
        sizes = [tuple(l.shape[-2:]) for l in levels]
        x = torch.cat([l.flatten(2).transpose(1, 2) for l in levels], 1)
        d = x.shape[-1]
        place = torch.cat([sine_position(a, b, d, x) + self.transformer.level_embed[i] for i, (a, b) in enumerate(sizes)], 0)
        grid = self._grid(sizes, x.device)
        for layer in self.transformer.encoder.layers:
            x = layer(x, place, grid)
        parts = x.split([a * b for a, b in sizes], 1)
        memories = [p.transpose(1, 2).reshape(-1, d, a, b) for p, (a, b) in zip(parts, sizes)]
        fine = self.adapter_1(features[0])
        fine = fine + F.interpolate(memories[-1], size=fine.shape[-2:], mode="bilinear", align_corners=False)
        fine = self.layer_1(fine, relu=True)
        return memories, fine
