# SPDX-License-Identifier: Apache-2.0
"""Results from the network's output, as the product computes them, and their judgement."""
import numpy as np
import torch
import torch.nn.functional as F

import config
from scenes import labels as L

BEST = 100
PART_SCORE = HUMAN_SCORE = 0.1


def results(logits, masks, size):
    """Parts and people of one picture.

    logits [Q, C+1], masks [Q, h, w] (a quarter of the padded input); size: (fed height, fed
    width, height, width) of what went in and of the picture. Gives class ids, scores, boolean
    masks and masks from 0 to 1 of parts and people, best first.
    """
    fed_h, fed_w, high, wide = size
    p = logits.softmax(-1)[:, :-1]
    queries, classes = p.shape
    score, index = p.flatten().topk(min(BEST, p.numel()))
    # Only results that can pass are resized: the mask score is at most 1.
    keep = score > min(PART_SCORE, HUMAN_SCORE)
    score, index = score[keep], index[keep]
    query, kind = index // classes, index % classes
    used, back = query.unique(return_inverse=True)
    if not len(used):
        return np.zeros(0, int), np.zeros(0), np.zeros((0, high, wide), bool), np.zeros((0, high, wide), np.float32)
    m = F.interpolate(masks[used][None], scale_factor=4, mode="bilinear", align_corners=False)[..., :fed_h, :fed_w]
    m = F.interpolate(m, size=(high, wide), mode="bilinear", align_corners=False)[0]
    on = m > 0
    soft = m.sigmoid()
    quality = (soft * on).sum((1, 2)) / (on.sum((1, 2)) + 1e-6)
    score = score * quality[back]
    keep = torch.where(kind == L.HUMAN, score > HUMAN_SCORE, (score >= PART_SCORE) & (kind != L.BACKGROUND))
    order = score[keep].argsort(descending=True)
    which = back[keep][order]
    return kind[keep][order].numpy(), score[keep][order].numpy(), on[which].numpy(), soft[which].numpy()


def label_map(kinds, scores, masks, soft, least=config.MAP):
    """The label of each pixel by M2FP's rule, with the thresholds of the model's configuration.

    The class with the highest mean of mask value times score over its parts that score `least`
    and are above it at the pixel.
    """
    shape = masks.shape[1:]
    out, best = np.zeros(shape, np.uint8), np.zeros(shape, np.float32)
    enough = scores >= least
    for k in np.unique(kinds[(kinds != L.HUMAN) & enough]):
        total, count = np.zeros(shape, np.float32), np.zeros(shape, np.uint8)
        for i in np.flatnonzero((kinds == k) & enough):
            value = soft[i] * scores[i]
            there = masks[i] & (value > least)
            total += value * there
            count += there
        mean = total / np.maximum(count, 1)
        out[mean > best] = k
        best = np.maximum(best, mean)
    return out


class Judge:
    """Collects figures over many scenes."""

    def __init__(self):
        self.confusion = np.zeros((L.PARTS, L.PARTS), np.int64)
        self.found = []  # (score, right) of each person found
        self.people = 0
        self.linked = self.parts = 0

    def add(self, label, person, kinds, scores, masks, soft, least=config.MAP):
        """One scene's truth and results."""
        guess = label_map(kinds, scores, masks, soft, least)
        self.confusion += np.bincount(label.astype(int).ravel() * L.PARTS + guess.ravel(), minlength=L.PARTS ** 2).reshape(L.PARTS, L.PARTS)
        numbers = [n for n in np.unique(person) if n and (person == n).sum() >= 64]
        truth = [person == n for n in numbers]
        self.people += len(truth)
        humans = [(s, m) for k, s, m in zip(kinds, scores, masks) if k == L.HUMAN]
        overlap = np.zeros((len(humans), len(truth)))
        for i, (_, m) in enumerate(humans):
            for j, t in enumerate(truth):
                overlap[i, j] = (m & t).sum() / max((m | t).sum(), 1)
        taken = set()
        for i, (s, _) in enumerate(humans):
            j = int(overlap[i].argmax()) if len(truth) else -1
            right = j >= 0 and overlap[i, j] >= 0.5 and j not in taken
            if right:
                taken.add(j)
            self.found.append((s, right))
        self._link(label, truth, kinds, masks, humans, overlap)

    def _link(self, label, truth, kinds, masks, humans, overlap):
        """Each found part belongs to the found person it lies in most: is it the right one?"""
        if not humans or not truth:
            return
        owner = overlap.argmax(1)
        for j, t in enumerate(truth):
            if overlap[:, j].max() < 0.5:
                continue
            for k in range(1, L.PARTS):
                piece = t & (label == k)
                if piece.sum() < 32:
                    continue
                hits = [(m & piece).sum() / (m | piece).sum() for q, m in zip(kinds, masks) if q == k]
                if not hits or max(hits) < 0.5:
                    continue
                mask = [m for q, m in zip(kinds, masks) if q == k][int(np.argmax(hits))]
                inside = [(mask & m).sum() / mask.sum() * (0.5 + 0.5 * s) for s, m in humans]
                self.parts += 1
                self.linked += int(owner[int(np.argmax(inside))] == j)

    def figures(self):
        """The figures as a dictionary."""
        hit = np.diag(self.confusion)
        union = self.confusion.sum(0) + self.confusion.sum(1) - hit
        iou = hit / np.maximum(union, 1)
        c = self.confusion
        front = c[1:, 1:].sum() / max(c.sum() - c[0, 0], 1)
        right = np.array([r for _, r in sorted(self.found, key=lambda f: -f[0])], float)
        total = np.cumsum(right)
        precision = total / np.arange(1, len(right) + 1)
        precision = np.maximum.accumulate(precision[::-1])[::-1] if len(right) else precision
        ap = float((precision * right).sum() / max(self.people, 1))
        return {"miou": float(iou.mean()), "foreground_iou": float(front), "person_ap50": ap, "link": self.linked / max(self.parts, 1),
                "linked_parts": self.parts, "people": self.people, "classes": {L.NAMES[i]: round(float(v), 4) for i, v in enumerate(iou)}}
