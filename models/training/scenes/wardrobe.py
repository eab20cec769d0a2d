# SPDX-License-Identifier: Apache-2.0
"""People in clothes of known paints, each scene under several lights: what naming of colours is judged by.

A scene is drawn once and lit LIGHTS times, so that the lights differ in nothing else. The name of a paint is that of the
XKCD colour survey or of CSS, not what our own naming says.
"""
import io

import numpy as np
from PIL import Image

from . import labels as L
from . import photo
from .camera import point
from .geometry import unit
from .materials import CLOTH, GLOSS, HAIR
from .person import Person
from .render import Stage
from .seen import seen
from .surroundings import backdrop, clutter, surroundings
from .world import draw_people, place_people

# Clear-cut paints of each of the eleven basic colour terms: sRGB as XKCD's survey (x) or CSS (c) has them.
PAINTS = {
    "black": ("000000", "070d0d", "1b2431"),  # x black, x almost black, x dark (a blue black)
    "white": ("ffffff", "fffafa", "f5f5f5"),  # c white, c snow, c whitesmoke
    "grey": ("929591", "808080", "696969", "a9a9a9"),  # x grey, c gray, c dimgray, c darkgray
    "red": ("e50000", "dc143c", "b22222", "840000"),  # x red, c crimson, c firebrick, x dark red
    "orange": ("f97306", "ff8c00", "ff7f50"),  # x orange, c darkorange, c coral
    "yellow": ("ffff14", "ffd700", "ffff84"),  # x yellow, c gold, x pale yellow
    "green": ("15b01a", "228b22", "033500", "90ee90"),  # x green, c forestgreen, x dark green, c lightgreen
    "blue": ("0343df", "01153e", "4169e1", "95d0fc", "4682b4"),  # x blue, x navy, c royalblue, x light blue, c steelblue
    "purple": ("7e1e9c", "35063e", "9932cc", "9370db"),  # x purple, x dark purple, c darkorchid, c mediumpurple
    "pink": ("ff81c0", "ff69b4", "ffb6c1"),  # x pink, c hotpink, c lightpink
    "brown": ("653700", "8b4513", "a0522d"),  # x brown, c saddlebrown, c sienna
}
# Hair has a paint of its own, and names that people use for it.
HAIRS = {"black": ("0d0a09", "1a120e"), "brown": ("3b2313", "5a3a22"), "blond": ("d8b774", "c49a4e"), "red": ("8d3a12", "a84a1c"),
         "grey": ("8a8a88", "9c9a97")}
# What is drawn in one paint; a coat's and a dress's lower part are drawn under numbers of their own.
GARMENTS = ((L.HAT,), (L.GLOVES,), (L.UPPER,), (L.DRESS, L.DRESS_LOW), (L.COAT, L.COAT_LOW), (L.SOCKS,), (L.PANTS,), (L.SCARF,), (L.SKIRT,),
            (L.SHOE_L, L.SHOE_R))
PATTERNED = 0.12  # share of garments in two paints

# Kelvin of the light, share of its cast that the camera's white balance takes away, exposure, share of the light that comes
# straight (key) and from around (ambient), how black shadows are, noise.
LIGHTS = {
    "daylight": dict(kelvin=5600, balance=0.8, exposure=1.0, key=0.9, ambient=0.55, shadow=0.6, noise=0.008),
    "warm": dict(kelvin=3000, balance=0.7, exposure=0.9, key=0.8, ambient=0.5, shadow=0.5, noise=0.015),
    "cool": dict(kelvin=11000, balance=0.6, exposure=0.95, key=0.5, ambient=0.7, shadow=0.3, noise=0.012),
    "dim": dict(kelvin=4000, balance=0.75, exposure=0.35, key=0.7, ambient=0.6, shadow=0.4, noise=0.025),
    "side": dict(kelvin=5000, balance=0.8, exposure=1.0, key=1.5, ambient=0.22, shadow=0.95, noise=0.01),
}


def reflectance(paint):
    """Linear light that cloth of a paint (six hexadecimal digits) gives back, [3]: no cloth is blacker than 2 % or whiter than 84 %."""
    s = np.array([int(paint[i:i + 2], 16) for i in (0, 2, 4)]) / 255
    return 0.02 + 0.82 * np.where(s <= 0.04045, s / 12.92, ((s + 0.055) / 1.055) ** 2.4)


def cast(kelvin):
    """Linear sRGB of light of a colour temperature, green 1, neutral at 6500 K (Planck's locus after Kim et al.)."""
    def xy(t):
        a, b = 1e3 / t, 1e6 / t ** 2
        x = (-0.2661239e9 / t ** 3 - 0.2343589 * b + 0.8776956 * a + 0.179910 if t < 4000 else
             -3.0258469e9 / t ** 3 + 2.1070379 * b + 0.2226347 * a + 0.240390)
        y = (-0.9549476 * x ** 3 - 1.37418593 * x ** 2 + 2.09137015 * x - 0.16748867 if t < 4000 else
             3.0817580 * x ** 3 - 5.87338670 * x ** 2 + 3.75112997 * x - 0.37001483)
        return x, y

    def rgb(t):
        x, y = xy(t)
        return np.array([[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]]) @ [x / y, 1, (1 - x - y) / y]

    out = np.clip(rgb(kelvin) / rgb(6500), 0.02, None)
    return out / out[1]


def dress(rng, stage, number):
    """Paints what person `number` wears: surface -> names of its paints, the main one first."""
    paints = {}
    terms = list(PAINTS)
    meshes = [(label, material) for label, person, material in zip(stage.labels, stage.persons, stage.materials_of) if person == number]
    hair = str(rng.choice(list(HAIRS)))
    for material in {m for label, m in meshes if label == L.HAIR}:
        m = stage.materials[material]
        if m[0] == HAIR:
            m[1:4] = m[4:7] = reflectance(rng.choice(HAIRS[hair]))
            paints[L.HAIR] = [hair]
    for surfaces in GARMENTS:
        own = [m for label, m in meshes if label in surfaces]
        if not own:
            continue
        first, second = (str(t) for t in rng.choice(terms, 2, replace=False))
        main, other = reflectance(rng.choice(PAINTS[first])), reflectance(rng.choice(PAINTS[second]))
        patterned = rng.random() < PATTERNED and surfaces[0] in (L.UPPER, L.DRESS, L.COAT, L.SKIRT)
        scale, share = rng.uniform(4, 10), rng.uniform(0.3, 0.45)
        for material in dict.fromkeys(own):
            m = stage.materials[material]
            if m[0] not in (CLOTH, GLOSS):
                continue
            m[1:4], m[10], m[15], m[32] = main, 0, min(m[15], 0.12), min(m[32], 0.3)
            if patterned:
                m[4:7], m[10], m[11], m[12], m[33] = other, 1, scale, share, 0
        for surface in surfaces:
            paints[surface] = [first, second] if patterned else [first]
    return paints


def light(rng, camera, middle, size, kelvin, key, ambient, shadow, side, **_):
    """The rasteriser's view (its order: render.c) under one of LIGHTS."""
    straight = unit(np.array([rng.choice([-1, 1]) * 1.2, 0.35, -0.15]) if side else np.array([rng.normal(0, 0.7), rng.uniform(0.6, 1.6), -0.9]))
    colour = cast(kelvin)
    around = colour * np.array([0.96, 1.0, 1.05]) * ambient
    focus = (np.array([middle, camera.aim, 0]) - camera.origin) @ camera.rotation.T
    return np.concatenate([[camera.lens * size * 2, size, size], straight, colour * key, around, around * 0.6, focus,
                           [max(1.6, camera.height * 0.9)], [shadow], [1.5], [0.6], [0.8, 0.8, 0.8], [0.0]])


def develop(rng, linear, kelvin, balance, exposure, noise, **_):
    """What a camera makes of a linear picture: exposure for a middle grey, most of the light's cast taken away, noise, JPEG."""
    x = linear / cast(kelvin) ** balance
    level = np.exp(np.log(x.mean(-1) + 1e-2).mean())
    x = x * (0.20 / level) ** 0.7 * exposure * np.exp(rng.normal(0, 0.08))
    x = x / (1 + np.clip(x - 0.7, 0, None) * 0.8)
    x = np.clip(x, 0, 1)
    x = np.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055)
    x = photo._blur(x, 0.5) + rng.normal(0, noise, x.shape)
    out = io.BytesIO()
    Image.fromarray((np.clip(x, 0, 1) * 255 + 0.5).astype(np.uint8)).save(out, "JPEG", quality=84)
    return out.getvalue()


class Fitting:
    """A scene under every light: jpegs by light, label [H, W], person [H, W], paints: person -> label -> names."""

    def __init__(self, jpegs, surface, person, paints):
        self.jpegs, self.person = jpegs, person
        self.label = seen(surface, person)
        # A closed coat is seen as a top: what a label's paint is, most of its pixels say.
        self.paints = {}
        for number, of in paints.items():
            mine = person == number
            for label in np.unique(self.label[mine]):
                drawn = np.bincount(surface[mine & (self.label == label)], minlength=L.SURFACES)
                names = of.get(int(drawn.argmax()))
                if names and label != L.BACKGROUND:
                    self.paints.setdefault(number, {})[int(label)] = names


def fit(seed, size=320):
    """Draws the scene of a seed."""
    rng = np.random.default_rng(seed)
    stage = Stage()
    framing = str(rng.choice(["half", "full"], p=[0.3, 0.7]))
    people = int(rng.choice([1, 2, 3, 4], p=[0.25, 0.35, 0.25, 0.15]))
    persons = [Person(rng) for _ in range(people)]
    spots = place_people(rng, people, framing)
    persons = persons[:len(spots)]
    camera = point(rng, framing, persons[0].pose.head[1] + persons[0].shape.head, spots[0][0])
    draw_people(rng, stage, camera, persons, spots, None)
    paints = {number: dress(rng, stage, number) for number in sorted(set(stage.persons) - {0})}
    surroundings(rng, stage, max(max(-s[1] for s in spots), 0.3))
    clutter(rng, stage, rng.poisson(1), max(1.2, camera.height * 1.5), 3.0)
    behind = backdrop(rng, size)
    meshes = stage.seen_from(camera.rotation, camera.origin)
    jpegs = {}
    for name, facts in LIGHTS.items():
        view = light(rng, camera, spots[0][0], size, side=name == "side", **facts)
        rgb, surface, person = meshes.draw(size, 2, view, behind * cast(facts["kelvin"]) * (facts["key"] + facts["ambient"]) / 1.45)
        jpegs[name] = develop(rng, rgb, **facts)
    person[surface == L.BACKGROUND] = 0
    return Fitting(jpegs, surface, person, paints)
