# SPDX-License-Identifier: Apache-2.0
"""CIHP's labels, in index order."""

NAMES = ["Background", "Hat", "Hair", "Gloves", "Sunglasses", "UpperClothes", "Dress", "Coat", "Socks", "Pants",
         "Torso-skin", "Scarf", "Skirt", "Face", "Left-arm", "Right-arm", "Left-leg", "Right-leg", "Left-shoe",
         "Right-shoe", "Human"]
(BACKGROUND, HAT, HAIR, GLOVES, GLASSES, UPPER, DRESS, COAT, SOCKS, PANTS, TORSO, SCARF, SKIRT, FACE, ARM_L, ARM_R,
 LEG_L, LEG_R, SHOE_L, SHOE_R, HUMAN) = range(21)
PARTS = 20
# What hangs below the hips of a dress or a coat is drawn under a number of its own: whether it
# is seen decides what the garment is called (seen.py).
DRESS_LOW, COAT_LOW = 20, 21
SURFACES = 22
ARM = {"l": ARM_L, "r": ARM_R}
LEG = {"l": LEG_L, "r": LEG_R}
SHOE = {"l": SHOE_L, "r": SHOE_R}
# Pairs that change places when a picture is mirrored.
MIRRORED = [(ARM_L, ARM_R), (LEG_L, LEG_R), (SHOE_L, SHOE_R)]
