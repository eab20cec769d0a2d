# SPDX-License-Identifier: Apache-2.0
"""The whole network, built from a ModelScope configuration.json."""
import torch
import torch.nn as nn
import torch.nn.functional as F

from .backbone import ResNet
from .decoder import Decoder
from .encoder import PixelDecoder

MEAN = torch.tensor([123.675, 116.28, 103.53])[:, None, None]
STD = torch.tensor([58.395, 57.12, 57.375])[:, None, None]


class Head(nn.Module):
    """Pixel decoder and predictor under the checkpoint's names."""

    def __init__(self, config, channels):
        super().__init__()
        self.pixel_decoder = PixelDecoder(channels, config["encoder"])
        self.predictor = Decoder(config["decoder"], config["encoder"]["conv_dim"])


class M2FP(nn.Module):
    """Mask2Former for human parsing; `model` is the configuration's entry of that name."""

    def __init__(self, model):
        super().__init__()
        self.backbone = ResNet(model["backbone"])
        self.sem_seg_head = Head(model, self.backbone.channels)

    def features(self, pictures):
        """Normalised pictures to lists of class logits and mask embeddings, and the maps.

        pictures: [B, 3, H, W] float 0..255, sides multiples of 32.
        """
        x = (pictures - MEAN.to(pictures.device)) / STD.to(pictures.device)
        return self.parse(x)

    def parse(self, x):
        """Like features(), for pictures already normalised."""
        head = self.sem_seg_head
        memories, fine = head.pixel_decoder(self.backbone(x))
        mask_features = head.pixel_decoder.mask_features(fine)
        logits, embeddings = head.predictor(memories, mask_features)
        return logits, embeddings, fine, mask_features

    def forward(self, pictures):
        """One picture or several, any size, uint8 or float RGB: last logits and mask logits."""
        x = (pictures.float() - MEAN.to(pictures.device)) / STD.to(pictures.device)
        h, w = x.shape[-2:]
        x = F.pad(x, (0, -w % 32, 0, -h % 32))
        logits, embeddings, _, mask_features = self.parse(x)
        return logits[-1], torch.einsum("bqc,bchw->bqhw", embeddings[-1], mask_features)


def load(model, state):
    """Loads weights of any precision; only the batch norms' counters may be absent."""
    missing, extra = model.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in state.items()}, strict=False)
    wrong = [k for k in missing if not k.endswith("num_batches_tracked")] + extra
    if wrong:
        raise ValueError(f"not this network's weights: {wrong[:5]}")
