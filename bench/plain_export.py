# SPDX-License-Identifier: Apache-2.0
"""What torch.onnx.export makes of M2FP written the usual way in PyTorch's own modules.

    models/training/.venv/bin/python bench/plain_export.py CHECKPOINT OUT.onnx [--size 640 960]

The network of ModelScope's CIHP model (ResNet-101), written from its description:
nn.MultiheadAttention, F.grid_sample, every layer's masks at full size and then resized, repeated
for every head. bench/plain-formulation.ts is checked against this graph, operator by operator; no
bench runs it. Needs the PyTorch of models/training; `node bench/write-checkpoint.ts FILE` writes a
checkpoint of the right size.
"""
import argparse
import math

import torch
import torch.nn as nn
import torch.nn.functional as F

D, HEADS, POINTS, LEVELS, QUERIES, CLASSES = 256, 8, 4, 3, 100, 21


class ConvNorm(nn.Conv2d):
    def __init__(self, inputs, outputs, size, stride=1, norm=nn.BatchNorm2d):
        super().__init__(inputs, outputs, size, stride, size // 2, bias=False)
        self.norm = norm(outputs)

    def forward(self, x):
        return self.norm(super().forward(x))


class Stem(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2, self.conv3 = ConvNorm(3, 64, 3, 2), ConvNorm(64, 64, 3), ConvNorm(64, 128, 3)

    def forward(self, x):
        x = F.relu(self.conv3(F.relu(self.conv2(F.relu(self.conv1(x))))))
        return F.max_pool2d(x, 3, 2, 1)


class Bottleneck(nn.Module):
    def __init__(self, inputs, middle, outputs, stride):
        super().__init__()
        self.shortcut = ConvNorm(inputs, outputs, 1, stride) if inputs != outputs else None
        self.conv1, self.conv2, self.conv3 = ConvNorm(inputs, middle, 1), ConvNorm(middle, middle, 3, stride), ConvNorm(middle, outputs, 1)

    def forward(self, x):
        y = self.conv3(F.relu(self.conv2(F.relu(self.conv1(x)))))
        return F.relu(y + (x if self.shortcut is None else self.shortcut(x)))


class ResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, inputs = Stem(), 128
        for i, blocks in enumerate((3, 4, 23, 3)):
            stage = []
            for j in range(blocks):
                stage.append(Bottleneck(inputs, 64 << i, 256 << i, 2 if i and not j else 1))
                inputs = 256 << i
            setattr(self, f"res{i + 2}", nn.Sequential(*stage))

    def forward(self, x):
        x, out = self.stem(x), []
        for name in ("res2", "res3", "res4", "res5"):
            x = getattr(self, name)(x)
            out.append(x)
        return out


def sine(height, width, channels=D):
    """[1, channels, height, width]"""
    half = channels // 2
    y = torch.arange(1, height + 1).float()[:, None, None] / (height + 1e-6) * 2 * math.pi
    x = torch.arange(1, width + 1).float()[None, :, None] / (width + 1e-6) * 2 * math.pi
    t = 10000 ** (2 * torch.div(torch.arange(half), 2, rounding_mode="floor").float() / half)
    waves = []
    for v in (y / t, x / t):
        v = torch.stack((v[..., 0::2].sin(), v[..., 1::2].cos()), -1).flatten(-2)
        waves.append(v.expand(height, width, half))
    return torch.cat(waves, -1).permute(2, 0, 1)[None]


class DeformableAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.sampling_offsets, self.attention_weights = nn.Linear(D, HEADS * LEVELS * POINTS * 2), nn.Linear(D, HEADS * LEVELS * POINTS)
        self.value_proj, self.output_proj = nn.Linear(D, D), nn.Linear(D, D)

    def forward(self, query, references, content, sizes):
        n, length, _ = query.shape
        value = self.value_proj(content).view(n, length, HEADS, D // HEADS)
        offsets = self.sampling_offsets(query).view(n, length, HEADS, LEVELS, POINTS, 2)
        weights = self.attention_weights(query).view(n, length, HEADS, LEVELS * POINTS)
        weights = F.softmax(weights, -1).view(n, length, HEADS, LEVELS, POINTS)
        extent = torch.tensor([[w, h] for h, w in sizes], dtype=torch.float32)
        places = references[:, :, None, :, None, :] + offsets / extent[None, None, None, :, None, :]
        grids = 2 * places - 1
        sampled = []
        for level, (values, (h, w)) in enumerate(zip(value.split([h * w for h, w in sizes], 1), sizes)):
            maps = values.flatten(2).transpose(1, 2).reshape(n * HEADS, D // HEADS, h, w)
            grid = grids[:, :, :, level].transpose(1, 2).flatten(0, 1)
            sampled.append(F.grid_sample(maps, grid, mode="bilinear", padding_mode="zeros", align_corners=False))
        weights = weights.transpose(1, 2).reshape(n * HEADS, 1, length, LEVELS * POINTS)
        out = (torch.stack(sampled, -2).flatten(-2) * weights).sum(-1).view(n, D, length)
        return self.output_proj(out.transpose(1, 2).contiguous())


class EncoderLayer(nn.Module):
    def __init__(self):
        super().__init__()
        self.self_attn = DeformableAttention()
        self.norm1, self.norm2 = nn.LayerNorm(D), nn.LayerNorm(D)
        self.linear1, self.linear2 = nn.Linear(D, 1024), nn.Linear(1024, D)

    def forward(self, x, place, references, sizes):
        x = self.norm1(x + self.self_attn(x + place, references, x, sizes))
        return self.norm2(x + self.linear2(F.relu(self.linear1(x))))


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(EncoderLayer() for _ in range(6))


class Transformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.level_embed = nn.Parameter(torch.empty(LEVELS, D))
        self.encoder = Encoder()


class PixelDecoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.input_proj = nn.ModuleList(nn.Sequential(nn.Conv2d(c, D, 1), nn.GroupNorm(32, D)) for c in (2048, 1024, 512))
        self.transformer = Transformer()
        group = lambda c: nn.GroupNorm(32, c)
        self.adapter_1, self.layer_1 = ConvNorm(256, D, 1, norm=group), ConvNorm(D, D, 3, norm=group)
        self.mask_features = nn.Conv2d(D, D, 1)

    def forward(self, features):
        maps = [project(f) for project, f in zip(self.input_proj, features[:0:-1])]
        sizes = [tuple(int(v) for v in m.shape[-2:]) for m in maps]
        x = torch.cat([m.flatten(2).transpose(1, 2) for m in maps], 1)
        place = torch.cat([sine(*size).flatten(2).transpose(1, 2) + self.transformer.level_embed[i].view(1, 1, -1) for i, size in enumerate(sizes)], 1)
        centres = []
        for h, w in sizes:
            y, x_ = torch.meshgrid((torch.arange(h) + 0.5) / h, (torch.arange(w) + 0.5) / w, indexing="ij")
            centres.append(torch.stack((x_.flatten(), y.flatten()), -1))
        references = torch.cat(centres)[None, :, None].expand(-1, -1, LEVELS, -1)
        for layer in self.transformer.encoder.layers:
            x = layer(x, place, references, sizes)
        out = [part.transpose(1, 2).view(1, D, h, w) for part, (h, w) in zip(x.split([h * w for h, w in sizes], 1), sizes)]
        fine = self.adapter_1(features[0])
        fine = fine + F.interpolate(out[-1], size=fine.shape[-2:], mode="bilinear", align_corners=False)
        fine = F.relu(self.layer_1(fine))
        return out, self.mask_features(fine)


class SelfAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.self_attn, self.norm = nn.MultiheadAttention(D, HEADS), nn.LayerNorm(D)

    def forward(self, x, place):
        q = x + place
        return self.norm(x + self.self_attn(q, q, value=x)[0])


class CrossAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.multihead_attn, self.norm = nn.MultiheadAttention(D, HEADS), nn.LayerNorm(D)

    def forward(self, x, place, memory, where, blocked):
        return self.norm(x + self.multihead_attn(query=x + place, key=memory + where, value=memory, attn_mask=blocked)[0])


class Feed(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear1, self.linear2, self.norm = nn.Linear(D, 2048), nn.Linear(2048, D), nn.LayerNorm(D)

    def forward(self, x):
        return self.norm(x + self.linear2(F.relu(self.linear1(x))))


class Mlp(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(D, D) for _ in range(3))

    def forward(self, x):
        return self.layers[2](F.relu(self.layers[1](F.relu(self.layers[0](x)))))


class Predictor(nn.Module):
    def __init__(self):
        super().__init__()
        self.transformer_self_attention_layers = nn.ModuleList(SelfAttention() for _ in range(9))
        self.transformer_cross_attention_layers = nn.ModuleList(CrossAttention() for _ in range(9))
        self.transformer_ffn_layers = nn.ModuleList(Feed() for _ in range(9))
        self.decoder_norm = nn.LayerNorm(D)
        self.query_feat, self.query_embed, self.level_embed = nn.Embedding(QUERIES, D), nn.Embedding(QUERIES, D), nn.Embedding(LEVELS, D)
        self.class_embed, self.mask_embed = nn.Linear(D, CLASSES + 1), Mlp()

    def head(self, x, mask_features, size):
        d = self.decoder_norm(x).transpose(0, 1)
        logits = self.class_embed(d)
        masks = torch.einsum("bqc,bchw->bqhw", self.mask_embed(d), mask_features)
        small = F.interpolate(masks, size=size, mode="bilinear", align_corners=False)
        blocked = (small.sigmoid().flatten(2).unsqueeze(1).repeat(1, HEADS, 1, 1).flatten(0, 1) < 0.5).bool()
        return logits, masks, blocked

    def forward(self, maps, mask_features):
        sizes = [m.shape[-2:] for m in maps]
        memory = [(m.flatten(2) + self.level_embed.weight[i][None, :, None]).permute(2, 0, 1) for i, m in enumerate(maps)]
        where = [sine(int(s[0]), int(s[1])).flatten(2).permute(2, 0, 1) for s in sizes]
        place, x = self.query_embed.weight.unsqueeze(1), self.query_feat.weight.unsqueeze(1)
        logits, masks, blocked = self.head(x, mask_features, sizes[0])
        for i in range(9):
            level = i % LEVELS
            blocked[torch.where(blocked.sum(-1) == blocked.shape[-1])] = False
            x = self.transformer_cross_attention_layers[i](x, place, memory[level], where[level], blocked)
            x = self.transformer_self_attention_layers[i](x, place)
            x = self.transformer_ffn_layers[i](x)
            logits, masks, blocked = self.head(x, mask_features, sizes[(i + 1) % LEVELS])
        return logits, masks


class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.pixel_decoder, self.predictor = PixelDecoder(), Predictor()


class M2FP(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone, self.sem_seg_head = ResNet(), Head()

    def forward(self, x):
        maps, mask_features = self.sem_seg_head.pixel_decoder(self.backbone(x))
        return self.sem_seg_head.predictor(maps, mask_features)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint")
    parser.add_argument("out")
    parser.add_argument("--size", type=int, nargs=2, default=(640, 960), help="height and width")
    args = parser.parse_args()
    model = M2FP().eval()
    state = torch.load(args.checkpoint, map_location="cpu", weights_only=True)["model"]
    missing, extra = model.load_state_dict(state, strict=False)
    wrong = [name for name in missing if not name.endswith("num_batches_tracked")] + extra
    if wrong:
        raise SystemExit(f"not this network's weights: {wrong[:5]}")
    with torch.no_grad():
        torch.onnx.export(model, torch.zeros(1, 3, *args.size), args.out, opset_version=20, dynamo=False,
                          input_names=["image"], output_names=["pred_logits", "pred_masks"])
