# SPDX-License-Identifier: Apache-2.0
"""Mask2Former's set loss at sampled points, and the auxiliary dense head.

Mask logits are linear in the feature map, so the map is sampled once a picture at the
points and every layer's masks are compared there; no full mask is ever laid out.
"""
import math

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from scipy.optimize import linear_sum_assignment

import config
from data import UNIFORM
from scenes import labels as L

CLASS, MASK, DICE, DENSE, CENTRE, LABEL_MAP, SIDES = 2.0, 5.0, 5.0, 10.0, 4.0, 10.0, 4.0
SHARP = 4  # the higher, the more the label map's classes exclude one another
SURE = 2  # the same for left and right
KEPT = 0.99  # of the pooled counts from one batch to the next
# Weight of "no object" among the classes. Mask2Former has 0.1 and judges by ranking; the product
# paints what scores 0.1, so scores should be probabilities. Of people rather too many than too few:
# a false one scores low, a missed one takes its parts' owner away.
NOTHING, PERSON = 0.4, 2.0
# Rare and thin classes count more, in the set loss a little, in the dense head clearly.
THIN = {L.GLOVES: 2.0, L.GLASSES: 2.0, L.SOCKS: 1.7, L.SCARF: 1.7, L.SHOE_L: 1.3, L.SHOE_R: 1.3, L.HUMAN: 1.3}
DENSE_WEIGHT = {L.BACKGROUND: 0.5, L.HAT: 1.5, L.GLOVES: 3.0, L.GLASSES: 3.0, L.SOCKS: 2.0, L.SCARF: 2.0, L.SHOE_L: 1.7, L.SHOE_R: 1.7,
                L.SKIRT: 1.3, L.DRESS: 1.7, L.ARM_L: 1.3, L.ARM_R: 1.3, L.LEG_L: 1.3, L.LEG_R: 1.3}


def as_probabilities(logits):
    """Class logits [..., C + 1], or their bias, without the weight of "no object"; people keep their scores."""
    return torch.cat([logits[..., :L.PARTS] + math.log(NOTHING), logits[..., L.PARTS:]], -1)


class DenseHead(nn.Module):
    """Class and way to the person's centre of every pixel, from the finest map; training only."""

    def __init__(self, channels):
        super().__init__()
        self.out = nn.Linear(channels, L.PARTS + 2)
        weight = torch.ones(L.PARTS)
        for c, w in DENSE_WEIGHT.items():
            weight[c] = w
        self.register_buffer("weight", weight, persistent=False)

    def forward(self, at_points, codes, points, centres, side):
        """at_points [B, P, C]: cross-entropy and the centre's error."""
        out = self.out(at_points)
        label, person = codes % L.PARTS, codes // L.PARTS
        dense = F.cross_entropy(out[..., :L.PARTS].flatten(0, 1), label.flatten(), self.weight)
        place = torch.stack([points % side, points // side], -1).float() / side
        goal = (centres.gather(1, person[..., None].expand(-1, -1, 2)) - place) * 4
        error = F.smooth_l1_loss(out[..., L.PARTS:], goal, reduction="none").sum(-1)
        inside = (person > 0).float()
        return dense, (error * inside).sum() / inside.sum().clamp(min=1)


class MapLoss(nn.Module):
    """What the label map lacks of IoU, pooled over pictures as mIoU is; training only.

    The set loss judges queries one by one. Which class wins a pixel comes from scores and masks
    together, and which mistakes cost IoU from how many pixels a class has in all pictures. So
    the product's rule is followed in a smooth form, and the gradient is that of the mean of I / U
    with I and U of many batches: -(dI - I / U dU) / U. The value says nothing: it is 0 on average.

    Where a limb is found and called by the other side's name, that gradient fades away. So the
    choice between left and right has a cross-entropy of its own, weighted by classes in the same way.
    """

    def __init__(self):
        super().__init__()
        self.register_buffer("held", torch.zeros(3, L.PARTS), persistent=False)  # true positives, union, batches
        sided = L.MIRRORED + [pair[::-1] for pair in L.MIRRORED]
        self.register_buffer("sided", torch.tensor(sided), persistent=False)  # a class, and the other side's

    def forward(self, logits, masks, labels):
        """The map's loss and that of left against right.

        Class logits [B, Q, C + 1], mask logits [B, Q, P] and labels [B, P] of places anywhere in the pictures.
        """
        soft = masks.sigmoid()
        with torch.no_grad():
            on = masks > 0
            quality = (soft * on).sum(-1, keepdim=True) / (on.sum(-1, keepdim=True) + 1e-6)
        score = (logits.softmax(-1)[..., 1:L.PARTS] * quality).transpose(1, 2)
        # The rule takes the mean of what is above the threshold: this one leans towards the high ones.
        value = score ** 3 @ soft ** 3 / (score ** 2 @ soft ** 2 + 1e-4)
        power = F.pad(value, (0, 0, 1, 0), value=config.MAP) ** SHARP
        share = power / power.sum(1, keepdim=True)
        truth = F.one_hot(labels, L.PARTS).transpose(1, 2)
        hit = (share * truth).sum((0, 2))
        union = (share + truth).sum((0, 2)) - hit
        self.held.mul_(KEPT).add_(torch.stack([hit, union, torch.ones_like(hit)]).detach())
        usual = self.held[1] / self.held[2]
        # A near view of a rare part does not outweigh all else.
        scale = torch.maximum(usual, union.detach() / 4).clamp(min=1)
        judged = -((hit - self.held[0] / self.held[1].clamp(min=1e-6) * union) / scale).mean()
        side, other = self.sided.T
        certainty = SURE * F.pad(value + 1e-3, (0, 0, 1, 0), value=1.0).log()
        wrong = F.softplus(certainty[:, other] - certainty[:, side]) * truth[:, side]
        return judged, (wrong.sum((0, 2)) / scale[side]).mean()


class Criterion(nn.Module):
    """All losses of a batch; call gives the total and its parts.

    label_map: whether the label map is judged, too, which only makes sense when there is one.
    """

    def __init__(self, channels, classes):
        super().__init__()
        self.label_map = False
        self.map = MapLoss()
        self.dense = DenseHead(channels)
        weight = torch.ones(classes + 1)
        weight[L.HUMAN], weight[-1] = PERSON, NOTHING
        self.register_buffer("class_weight", weight, persistent=False)
        thin = torch.ones(classes)
        for c, w in THIN.items():
            thin[c] = w
        self.register_buffer("thin", thin, persistent=False)

    @staticmethod
    def _match(logits, masks, classes, truth):
        """Best pairs for one picture: per layer the query of each target. [layers, Q, ...]"""
        soft, t = masks.sigmoid(), truth.T
        # softplus(x) = max(x, 0) - log sigmoid(|x|), and softplus(-x) = softplus(x) - x.
        negative = masks.relu() - torch.maximum(soft, 1 - soft).log()
        mask = (negative.sum(-1, keepdim=True) - masks @ t) / truth.shape[1]
        dice = 1 - (2 * (soft @ t) + 1) / (soft.sum(-1, keepdim=True) + t.sum(0) + 1)
        cost = MASK * mask + DICE * dice - CLASS * logits.softmax(-1)[..., classes]
        cost = torch.nan_to_num(cost, nan=1e4, posinf=1e4, neginf=-1e4).cpu().numpy()
        chosen = np.empty((len(cost), len(classes)), np.int64)
        for i, c in enumerate(cost):
            query, target = linear_sum_assignment(c)
            chosen[i, target] = query
        return torch.from_numpy(chosen).to(logits.device)

    def forward(self, outputs, points, codes, targets, centres, side, project):
        """project: the network's mask_features convolution."""
        logits, embeddings, fine, _ = outputs
        logits, embeddings = torch.stack(logits, 1), torch.stack(embeddings, 1)
        place = torch.stack([points % side, points // side], -1).float()
        grid = (place + 0.5) * (2 / side) - 1
        at_points = F.grid_sample(fine, grid[:, None], align_corners=False)[:, :, 0].transpose(1, 2)
        dense, centre = self.dense(at_points, codes, points, centres, side)
        features = F.linear(at_points, project.weight[:, :, 0, 0], project.bias)
        layers, queries = logits.shape[1:3]
        goal = torch.full(logits.shape[:3], logits.shape[-1] - 1, dtype=torch.long, device=logits.device)
        # Pairs are chosen by a part of the points: that is a ninth of a step's time otherwise.
        some = torch.randperm(points.shape[1], device=points.device)[:points.shape[1] * 2 // 5]
        mask_loss = dice_loss = judged = sides = features.sum() * 0
        count = (targets[..., 0] >= 0).sum().clamp(min=1)
        if self.label_map:
            anywhere = int(points.shape[1] * UNIFORM)  # the first ones
            masks = embeddings[:, -1] @ features[:, :anywhere].transpose(1, 2)
            judged, sides = self.map(as_probabilities(logits[:, -1]), masks, codes[:, :anywhere] % L.PARTS)
        # Unbound once: indexing in the loop would add up a full gradient a picture.
        embeddings, features = embeddings.unbind(0), features.unbind(0)
        for b in range(len(logits)):
            table = targets[b][targets[b][:, 0] >= 0]
            if not len(table):
                continue
            kind, person = table[:, :1], table[:, 1:]
            here = codes[b][None]
            truth = torch.where(kind == L.HUMAN, here // L.PARTS == person, here == kind + L.PARTS * person).float()
            with torch.no_grad():
                masks = (embeddings[b].flatten(0, 1) @ features[b][some].T).view(layers, queries, -1)
                chosen = self._match(logits[b], masks, table[:, 0], truth[:, some])
            goal[b].scatter_(1, chosen, table[:, 0].expand(layers, -1))
            # The gradient needs the chosen queries' masks only.
            rows = embeddings[b].gather(1, chosen[..., None].expand(-1, -1, embeddings[b].shape[-1]))
            picked = (rows.flatten(0, 1) @ features[b].T).view(layers, len(table), -1)
            weight = self.thin[table[:, 0]]
            wide = truth[None].expand_as(picked)
            mask = F.binary_cross_entropy_with_logits(picked, wide, reduction="none").mean(-1)
            soft = picked.sigmoid()
            dice = 1 - (2 * (soft * wide).sum(-1) + 1) / (soft.sum(-1) + wide.sum(-1) + 1)
            mask_loss = mask_loss + (mask * weight).sum()
            dice_loss = dice_loss + (dice * weight).sum()
        mask_loss, dice_loss = mask_loss / count, dice_loss / count
        kind = sum(F.cross_entropy(logits[:, i].flatten(0, 1), goal[:, i].flatten(), self.class_weight) for i in range(layers))
        total = CLASS * kind + MASK * mask_loss + DICE * dice_loss + DENSE * dense + CENTRE * centre
        total = total + LABEL_MAP * judged + SIDES * sides
        parts = dict(kind=kind / layers, mask=mask_loss / layers, dice=dice_loss / layers, dense=dense, centre=centre, map=judged, sides=sides)
        return total, {k: float(v.detach()) for k, v in parts.items()}
