# SPDX-License-Identifier: Apache-2.0
"""Truth as people who annotate photos give it: by what is seen.

A dress of which nothing is seen below the hips looks like a top, one of which only that is seen
like a skirt, and a closed short coat, or a long one cut off, like a top as well.
"""
import numpy as np

from . import labels as L

# Shares of a garment's pixels that must be seen to tell what it is.
SKIRT_OF_DRESS, TOP_OF_DRESS = 0.06, 0.08
SKIRT_OF_COAT = 0.10
UNDER_COAT = 0.02  # of what is worn under it, by the coat's pixels


def seen(surface, person):
    """CIHP's labels of a picture or of a part of it; surface, person: numbers, any shape.

    >>> one = np.ones(3, np.uint8)
    >>> named = lambda *surfaces: [L.NAMES[i] for i in seen(np.array(surfaces, np.uint8), one)]
    >>> named(L.DRESS, L.DRESS, L.FACE)
    ['UpperClothes', 'UpperClothes', 'Face']
    >>> named(L.DRESS, L.DRESS_LOW, L.LEG_L)
    ['Dress', 'Dress', 'Left-leg']
    >>> named(L.DRESS_LOW, L.COAT, L.LEG_L)
    ['Skirt', 'UpperClothes', 'Left-leg']
    >>> named(L.COAT, L.UPPER, L.HAIR)
    ['Coat', 'UpperClothes', 'Hair']
    >>> named(L.COAT, L.COAT_LOW, L.HAIR)
    ['Coat', 'Coat', 'Hair']
    """
    most = int(person.max(initial=0)) + 1
    codes = surface + L.SURFACES * person.astype(np.int32)
    table = np.tile(np.arange(L.SURFACES, dtype=np.uint8), (most, 1))
    table[:, L.DRESS_LOW], table[:, L.COAT_LOW] = L.DRESS, L.COAT
    counts = np.bincount(codes.ravel(), minlength=table.size).reshape(table.shape)
    for n, of in zip(counts[1:], table[1:]):
        coat, dress = n[L.COAT] + n[L.COAT_LOW], n[L.DRESS] + n[L.DRESS_LOW]
        if n[L.DRESS_LOW] < SKIRT_OF_DRESS * dress:
            of[[L.DRESS, L.DRESS_LOW]] = L.UPPER
        elif n[L.DRESS] < TOP_OF_DRESS * dress:
            of[[L.DRESS, L.DRESS_LOW]] = L.SKIRT
        if n[L.COAT_LOW] < SKIRT_OF_COAT * coat and n[L.UPPER] + n[L.DRESS] < UNDER_COAT * coat:
            of[[L.COAT, L.COAT_LOW]] = L.UPPER
    return table.ravel()[codes]
