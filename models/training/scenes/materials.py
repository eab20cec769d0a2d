# SPDX-License-Identifier: Apache-2.0
"""Colours and procedural materials; the numbers are render.c's material slots."""
import colorsys

import numpy as np

from .render import MATERIAL

SKIN, CLOTH, HAIR, FACE, GLOSS, ROUGH = range(6)

# From very light to very dark, in linear light (red, green, blue).
SKIN_TONES = np.array([
    [0.80, 0.55, 0.44], [0.74, 0.48, 0.36], [0.66, 0.40, 0.28], [0.56, 0.32, 0.21],
    [0.45, 0.24, 0.15], [0.33, 0.165, 0.095], [0.22, 0.105, 0.058], [0.13, 0.062, 0.036], [0.075, 0.036, 0.022]])
HAIR_COLOURS = np.array([
    [0.012, 0.010, 0.009], [0.03, 0.018, 0.012], [0.07, 0.035, 0.018], [0.14, 0.07, 0.03],
    [0.28, 0.16, 0.07], [0.55, 0.38, 0.17], [0.30, 0.08, 0.025], [0.42, 0.42, 0.42], [0.75, 0.74, 0.72]])


def linear(hue, saturation, value):
    """An HSV colour in linear light."""
    return np.array(colorsys.hsv_to_rgb(hue % 1, saturation, value)) ** 2.2


def any_colour(rng):
    """A colour as clothes have it: many greys, blues, browns and some bright ones."""
    kind = rng.random()
    if kind < 0.28:
        return linear(rng.random(), rng.uniform(0, 0.12), rng.choice([rng.uniform(0.08, 0.3), rng.uniform(0.3, 0.75), rng.uniform(0.8, 0.97)]))
    if kind < 0.45:
        return linear(rng.uniform(0.55, 0.68), rng.uniform(0.3, 0.9), rng.uniform(0.15, 0.8))
    if kind < 0.58:
        return linear(rng.uniform(0.03, 0.13), rng.uniform(0.2, 0.7), rng.uniform(0.2, 0.85))
    return linear(rng.random(), rng.uniform(0.3, 0.95), rng.uniform(0.25, 0.95))


def blank(surface, colour):
    """A material with one colour."""
    m = np.zeros(MATERIAL)
    m[0] = surface
    m[1:4] = colour
    m[4:7] = colour
    m[7:10] = colour
    return m


def skin(rng, tone):
    """Bare skin."""
    m = blank(SKIN, tone)
    m[13], m[14] = 0.10, 60
    m[15], m[16] = rng.uniform(0.01, 0.09), rng.uniform(8, 30)
    m[17] = rng.uniform(0, 90)
    return m


def face(rng, tone, hair_colour, age, male, child):
    """Skin with eyes, brows, lips and, on some men, a beard."""
    m = skin(rng, tone)
    m[0] = FACE
    m[13] = 0.06 + 0.1 * age
    eyes = [[0.05, 0.025, 0.012], [0.03, 0.015, 0.008], [0.10, 0.18, 0.28], [0.09, 0.14, 0.06], [0.15, 0.09, 0.04]]
    m[19:22] = eyes[rng.integers(5)] if tone[0] > 0.5 else eyes[rng.integers(2)]
    lip = tone * np.array([0.95, 0.55, 0.55])
    if not male and not child and rng.random() < 0.4:
        lip = linear(rng.uniform(0.93, 1.02), rng.uniform(0.5, 0.9), rng.uniform(0.35, 0.85))
    m[22:25] = lip
    m[25:28] = hair_colour * 0.8
    m[28] = rng.choice([0.0, 0.35, rng.uniform(0.7, 1.1)], p=[0.5, 0.25, 0.25]) if male and not child else 0
    m[29] = rng.choice([rng.uniform(0.45, 0.95), 0.05], p=[0.93, 0.07])
    m[30] = age
    m[31] = rng.uniform(-0.4, 1.3)
    m[18] = rng.uniform(0.4, 1.0) if rng.random() < 0.3 else 0
    m[32] = rng.uniform(0.2, 1.0) if male else rng.uniform(0.0, 0.6)
    m[38] = rng.uniform(-0.03, 0.03)
    m[39] = rng.uniform(-1, 1)
    return m


def hair(rng, colour):
    """Strands."""
    m = blank(HAIR, colour)
    m[4:7] = np.clip(colour * rng.uniform(1.0, 1.9), 0, 0.9)
    m[13], m[14] = rng.uniform(0.3, 0.8), rng.uniform(60, 160)
    m[15], m[16] = rng.uniform(0.02, 0.12), rng.uniform(10, 30)
    m[17] = rng.uniform(0, 90)
    return m


def cloth(rng, kind="any", colour=None):
    """Cloth: plain, striped, checked, dotted, printed, faded, knitted, denim or leather."""
    m = blank(CLOTH, any_colour(rng) if colour is None else colour)
    m[4:7], m[7:10] = any_colour(rng), any_colour(rng)
    m[13], m[14] = rng.uniform(0.1, 0.7), rng.uniform(8, 30)
    m[15], m[16] = rng.choice([0.0, rng.uniform(0, 0.05)]), rng.uniform(6, 20)
    m[17], m[18] = rng.uniform(0, 90), rng.uniform(0.1, 0.8)
    m[32] = rng.uniform(0, 0.3)
    pick = rng.random()
    m[33] = float(rng.random() < 0.4)
    if kind == "denim":
        m[1:4] = linear(rng.uniform(0.57, 0.63), rng.uniform(0.25, 0.75), rng.choice([rng.uniform(0.12, 0.3), rng.uniform(0.3, 0.8)]))
        m[32], m[18], m[14] = rng.uniform(0.3, 0.9), 0.7, 15
    elif kind == "leather":
        m[1:4] = linear(rng.uniform(0.02, 0.1), rng.uniform(0, 0.7), rng.uniform(0.08, 0.5))
        m[15], m[16], m[13] = rng.uniform(0.1, 0.35), rng.uniform(10, 40), 0.3
    elif kind == "plain" or pick < 0.45:
        pass
    elif pick < 0.57:
        m[10], m[11], m[12] = 1, rng.uniform(6, 40), rng.uniform(0.2, 0.6)
    elif pick < 0.61:
        m[10], m[11], m[12] = 2, rng.uniform(8, 50), rng.uniform(0.1, 0.5)
    elif pick < 0.70:
        m[10], m[11], m[12] = 3, rng.uniform(6, 30), rng.uniform(0.25, 0.55)
    elif pick < 0.75:
        m[10], m[11], m[12] = 4, rng.uniform(8, 40), rng.uniform(0.4, 0.9)
    elif pick < 0.84:
        m[10], m[11] = 5, rng.uniform(6, 40)
    elif pick < 0.93 and kind == "shirt":
        m[10], m[12] = 6, rng.random()
        m[34], m[35] = rng.uniform(-0.06, 0.06), rng.uniform(0.36, 0.46)
        m[36], m[37] = rng.uniform(0.03, 0.14), rng.uniform(0.03, 0.12)
    elif pick < 0.97:
        m[10], m[12] = 7, rng.uniform(0.1, 0.5)
    else:
        m[10], m[12], m[36] = 8, rng.uniform(0.1, 0.5), 0.2
    return m


def rough(rng, colour, pattern=0, scale=4.0, param=1.0):
    """A surface of the surroundings."""
    m = blank(ROUGH, colour)
    m[4:7] = np.clip(colour * rng.uniform(0.4, 1.6), 0, 0.95)
    m[7:10] = any_colour(rng)
    m[10], m[11], m[12] = pattern, scale, param
    m[13], m[14] = rng.uniform(0, 0.4), rng.uniform(2, 20)
    m[16], m[17], m[18] = rng.uniform(0.5, 6), rng.uniform(0, 90), rng.uniform(0, 1.0)
    return m


def gloss(rng, colour):
    """Something shiny: lenses, balls, metal."""
    m = blank(GLOSS, colour)
    m[15], m[16] = rng.uniform(0.2, 0.8), rng.uniform(30, 120)
    return m
