# SPDX-License-Identifier: Apache-2.0
"""Scenes: people, camera, light, surroundings and look-alikes put together."""
import numpy as np

from . import labels as L
from . import materials as M
from . import photo, shards
from .camera import illuminate, point, rough
from .geometry import sheet, turn
from .person import Person
from .render import Stage
from .seen import seen
from .surroundings import backdrop, clutter, seat, surroundings


def yaw(rng, frontal):
    """Which way somebody looks: mostly towards the camera, but sides and backs too."""
    kind = rng.random()
    if kind < frontal:
        return rng.normal(0, 0.45)
    return rng.normal(np.pi, 0.5) if kind < frontal + (1 - frontal) * 0.45 else rng.uniform(-np.pi, np.pi)


def place_people(rng, count, framing):
    """Positions (x, z) and turns of the people, nobody inside another."""
    spots = []
    spread = {"portrait": 0.55, "detail": 0.6, "half": 0.7, "full": 0.95, "far": 2.2}[framing]
    depth = {"portrait": 1.2, "detail": 1.5, "half": 1.8, "full": 2.2, "far": 5.0}[framing]
    group = rng.random() < 0.45  # standing close together
    for i in range(count):
        for _ in range(12):
            if i == 0:
                spot = np.array([rng.normal(0, 0.1) * spread, 0.0])
            elif group:
                other = spots[rng.integers(len(spots))]
                spot = other + [rng.choice([-1, 1]) * rng.uniform(0.34, 0.62), rng.normal(0, 0.18)]
            else:
                spot = np.array([rng.normal(0, spread), -abs(rng.normal(0, depth)) + rng.uniform(0, 0.5)])
            if all(np.hypot(*(spot - s)) > 0.33 for s in spots):
                spots.append(spot)
                break
    return spots


# What details show: a garment that is worn and seen, and the joints that it is near; each as often.
DETAILS = (
    (lambda o: o.hat, ("head",)),
    (lambda o: o.glasses, ("head",)),
    (lambda o: o.scarf, ("neck",)),
    (lambda o: o.gloves, ("wrists",)),
    (lambda o: o.top == "none" or o.neck == "deep" and not o.scarf, ("neck",)),
    (lambda o: o.sleeve < 0.6 and not o.coat, ("elbows", "wrists")),
    (lambda o: o.dress, ("chest", "pelvis", "knees")),
    (lambda o: o.coat, ("chest", "pelvis", "knees")),
    (lambda o: o.lower == "skirt", ("pelvis", "knees")),
    (lambda o: o.lower in ("shorts", "skirt", "none"), ("knees", "ankles")),
    (lambda o: o.lower in ("shorts", "skirt", "none"), ("knees", "hips")),
    (lambda o: o.socks and o.lower != "pants", ("knees", "ankles")),
    (lambda o: o.shoes, ("ankles",)),
    (lambda o: True, ("head", "chest", "pelvis", "knees", "elbows")),
)


def detail(rng):
    """Somebody who wears one of DETAILS, and a place near it, metres from where the person stands."""
    worn, joints = DETAILS[rng.integers(len(DETAILS))]
    person = Person(rng)
    while not worn(person.outfit):
        person = Person(rng)
    joint = getattr(person.pose, rng.choice(joints))
    return person, (joint[rng.choice(["l", "r"])] if isinstance(joint, dict) else joint)


class Scene:
    """A drawn picture with its truth: rgb uint8, surface, person numbers (0 nobody).

    people: what was drawn under each number, see attributes().
    """

    def __init__(self, rgb, surface, person, people):
        self.rgb, self.surface, self.person, self.people = rgb, surface, person, people

    @property
    def label(self):
        """CIHP's label of each pixel."""
        return seen(self.surface, self.person)


def attributes(person, place, origin):
    """What figures are broken down by; angle: degrees by which the body is turned away from the camera."""
    rotation, shift = place
    facing, towards = (rotation @ [0, 0, 1])[[0, 2]], (origin - shift)[[0, 2]]
    angle = np.degrees(np.arctan2(facing[0] * towards[1] - facing[1] * towards[0], facing @ towards))
    return {"tone": [float(v) for v in person.tone], "age": str(person.shape.age), "male": bool(person.shape.male),
            "weight": float(person.shape.weight), "pose": str(person.pose.kind), "angle": float(abs(angle))}


# From which sum on a scene is rich for certain: of shares of the picture, each in terms of the usual mean of that class,
# times how much it counts: what the label map confuses most and shows least often from near counts most.
RICH = 60.0
USUAL_SHARE = {L.GLOVES: 0.0007, L.GLASSES: 0.0005, L.DRESS: 0.0114, L.COAT: 0.0404, L.SOCKS: 0.001, L.SCARF: 0.0046, L.SKIRT: 0.0068,
               L.ARM_L: 0.008, L.ARM_R: 0.008, L.LEG_L: 0.0026, L.LEG_R: 0.0026, L.SHOE_L: 0.0027, L.SHOE_R: 0.0027}
COUNTS = {L.GLOVES: 1.5, L.GLASSES: 0.3, L.DRESS: 2.0, L.COAT: 0.5, L.SOCKS: 2.0, L.SCARF: 0.5, L.SKIRT: 2.0,
          L.ARM_L: 0.5, L.ARM_R: 0.5, L.LEG_L: 1.5, L.LEG_R: 1.5, L.SHOE_L: 1.5, L.SHOE_R: 1.5}
ROUGH_SIZE = 64


def draw_people(rng, stage, camera, persons, spots, facing):
    """Puts everybody where the camera can see them; facing: which way the first looks, by chance if None. Attributes by number."""
    drawn = {}
    frontal = rng.choice([0.55, 0.75, 0.2])
    for person, spot in zip(persons, spots):
        angle = yaw(rng, frontal) + camera.turned if facing is None or person is not persons[0] else facing
        place = (turn([0, 1, 0], angle), np.array([spot[0], 0, spot[1]]))
        away = (place[1] + [0, camera.aim, 0] - camera.origin) @ camera.rotation[2]
        if away < 0.45:
            continue
        number = len(drawn) + 1
        if person.pose.kind == "sit":
            seat(rng, stage, person, place)
        person.draw(stage, number, place, camera.lens * person.shape.h / away)
        drawn[number] = attributes(person, place, camera.origin)
    return drawn


def make(seed, size=320, people=None, framing=None, chosen=None):
    """Draws the scene of a seed, or None if it is not chosen.

    framing: portrait, half, full or far, by chance unless given; detail is a part of a body, see DETAILS.
    chosen: function of surface and person numbers of a rough picture, [64, 64], for a sixth of what a scene costs.
    """
    rng = np.random.default_rng(seed)
    stage = Stage()
    if framing is None:
        framing = rng.choice(["portrait", "half", "full", "far"], p=[0.16, 0.29, 0.45, 0.10])
    if people is None:
        people = rng.choice([0, 1, 2, 3, 4, 5, 6], p=[0.025, 0.33, 0.32, 0.15, 0.085, 0.05, 0.04])
        if framing == "far" and people:
            people = people + rng.integers(0, 6)
    persons, facing, joint = [], None, None
    if framing == "detail":
        people, facing = max(people, 1), yaw(rng, rng.choice([0.55, 0.75, 0.2]))
        first, joint = detail(rng)
        joint = turn([0, 1, 0], facing) @ joint
        persons = [first]
    persons += [Person(rng) for _ in range(people - len(persons))]
    spots = place_people(rng, people, framing)
    persons = persons[:min(len(spots), shards.PEOPLE)]
    tall = persons[0].pose.head[1] + persons[0].shape.head if persons else 1.7
    middle = spots[0][0] if spots else 0
    camera = point(rng, framing, tall, middle, joint)
    drawn = draw_people(rng, stage, camera, persons, spots, facing)
    span = max([-s[1] for s in spots], default=1.0)
    surroundings(rng, stage, max(span, 0.3))
    clutter(rng, stage, rng.poisson(rng.choice([0.5, 3, 7])), max(1.2, camera.height * 1.5), max(2.0, span + 2))
    if not stage.vertices:
        stage.add(*sheet([-30, 0, 12], [60, 0, 0], [0, 0, -60], 4, 4), stage.material(M.rough(rng, M.any_colour(rng))))
    view = illuminate(rng, camera, middle, size)
    meshes = stage.seen_from(camera.rotation, camera.origin)
    if chosen and not chosen(*meshes.draw(ROUGH_SIZE, 1, rough(view, size, ROUGH_SIZE), np.zeros((ROUGH_SIZE, ROUGH_SIZE, 3)))[1:]):
        return None
    rgb, surface, person = meshes.draw(size, 2, view, backdrop(rng, size))
    person[surface == L.BACKGROUND] = 0
    return Scene(photo.develop(rng, rgb, person), surface, person, drawn)


def rich(seed, size=320):
    """Draws the scene of a seed, a portrait or half a person, or None: the more it shows of rare parts, the likelier it is drawn."""
    rng = np.random.default_rng([*seed, 1])
    framing, least = rng.choice(["portrait", "half"], p=[0.36, 0.64]), rng.random() * RICH

    def chosen(surface, person):
        shares = np.bincount(seen(surface, person).ravel(), minlength=L.PARTS) / surface.size
        return sum(COUNTS[c] * shares[c] / usual for c, usual in USUAL_SHARE.items()) > least

    return make(seed, size, framing=framing, chosen=chosen)
