# SPDX-License-Identifier: Apache-2.0
"""Transformer decoder with masked cross-attention, and the prediction head."""
import torch
import torch.nn as nn
import torch.nn.functional as F

from .encoder import sine_position


class Attention(nn.Module):
    """Multi-head attention with packed input projection."""

    def __init__(self, channels, heads):
        super().__init__()
        self.heads = heads
        self.in_proj_weight = nn.Parameter(torch.empty(3 * channels, channels))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * channels))
        self.out_proj = nn.Linear(channels, channels)
        nn.init.xavier_uniform_(self.in_proj_weight)
        nn.init.xavier_uniform_(self.out_proj.weight)
        nn.init.zeros_(self.out_proj.bias)

    def forward(self, query, key, value, allowed=None):
        wq, wk, wv = self.in_proj_weight.chunk(3)
        bq, bk, bv = self.in_proj_bias.chunk(3)
        split = lambda t: t.unflatten(-1, (self.heads, -1)).transpose(1, 2)
        q, k, v = (split(F.linear(t, w, b)) for t, w, b in ((query, wq, bq), (key, wk, bk), (value, wv, bv)))
        out = F.scaled_dot_product_attention(q, k, v, attn_mask=None if allowed is None else allowed[:, None])
        return self.out_proj(out.transpose(1, 2).flatten(2))


class SelfLayer(nn.Module):
    def __init__(self, channels, heads):
        super().__init__()
        self.self_attn = Attention(channels, heads)
        self.norm = nn.LayerNorm(channels)

    def forward(self, x, place):
        return self.norm(x + self.self_attn(x + place, x + place, x))


class CrossLayer(nn.Module):
    def __init__(self, channels, heads):
        super().__init__()
        self.multihead_attn = Attention(channels, heads)
        self.norm = nn.LayerNorm(channels)

    def forward(self, x, place, memory, where, allowed):
        return self.norm(x + self.multihead_attn(x + place, memory + where, memory, allowed))


class FeedLayer(nn.Module):
    def __init__(self, channels, hidden):
        super().__init__()
        self.linear1 = nn.Linear(channels, hidden)
        self.linear2 = nn.Linear(hidden, channels)
        self.norm = nn.LayerNorm(channels)
        for linear in (self.linear1, self.linear2):
            nn.init.xavier_uniform_(linear.weight)

    def forward(self, x):
        return self.norm(x + self.linear2(F.relu(self.linear1(x))))


class Mlp(nn.Module):
    """Three linear layers."""

    def __init__(self, channels, outputs):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(channels, channels), nn.Linear(channels, channels), nn.Linear(channels, outputs)])

    def forward(self, x):
        return self.layers[2](F.relu(self.layers[1](F.relu(self.layers[0](x)))))


class Decoder(nn.Module):
    """Queries that become parts and people."""

    def __init__(self, config, inputs):
        super().__init__()
        e, heads, layers = config["hidden_dim"], config["nheads"], config["dec_layers"]
        self.transformer_self_attention_layers = nn.ModuleList(SelfLayer(e, heads) for _ in range(layers))
        self.transformer_cross_attention_layers = nn.ModuleList(CrossLayer(e, heads) for _ in range(layers))
        self.transformer_ffn_layers = nn.ModuleList(FeedLayer(e, config["dim_feedforward"]) for _ in range(layers))
        self.decoder_norm = nn.LayerNorm(e)
        self.query_feat = nn.Embedding(config["num_queries"], e)
        self.query_embed = nn.Embedding(config["num_queries"], e)
        self.level_embed = nn.Embedding(3, e)
        if inputs != e or config["enforce_input_project"]:
            self.input_proj = nn.ModuleList(nn.Conv2d(inputs, e, 1) for _ in range(3))
        else:
            self.input_proj = None
        self.class_embed = nn.Linear(e, config["num_classes"] + 1)
        self.mask_embed = Mlp(e, config["mask_dim"])

    def forward(self, memories, mask_features):
        """Class logits and mask embeddings after the start and after each layer: two lists."""
        batch = mask_features.shape[0]
        keys, places, small = [], [], []
        for i, m in enumerate(memories):
            m = m if self.input_proj is None else self.input_proj[i](m)
            keys.append(m.flatten(2).transpose(1, 2) + self.level_embed.weight[i])
            places.append(sine_position(*m.shape[-2:], m.shape[1], m)[None])
            # Mask logits are linear in the features, so the features are resized, once a level.
            small.append(F.interpolate(mask_features.detach(), size=m.shape[-2:], mode="bilinear", align_corners=False).flatten(2))
        x = self.query_feat.weight[None].expand(batch, -1, -1)
        place = self.query_embed.weight[None]
        logits, embeddings = [], []
        for i in range(len(self.transformer_ffn_layers) + 1):
            d = self.decoder_norm(x)
            logits.append(self.class_embed(d))
            embeddings.append(self.mask_embed(d))
            if i == len(self.transformer_ffn_layers):
                break
            level = i % 3
            with torch.no_grad():
                allowed = embeddings[-1] @ small[level] >= 0
                allowed |= ~allowed.any(-1, keepdim=True)  # blocked everywhere: look everywhere
            x = self.transformer_cross_attention_layers[i](x, place, keys[level], places[level], allowed)
            x = self.transformer_self_attention_layers[i](x, place)
            x = self.transformer_ffn_layers[i](x)
        return logits, embeddings
