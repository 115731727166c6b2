"""How far the reading model is trusted, and what follows: every constant that depends on its scale.

The model tells for words of a passage how much likelier (as a logarithm) they answer than that no passage
does. Trust is how likely the words are right, as a logistic function of these odds (Platt 1999). Train
another model, and choose the constants anew:

    python benchmarks/tune_trust.py --data FOLDER
"""

from __future__ import annotations

import numpy as np

EVEN_ODDS, ODDS_SCALE = 2.0, 2.0
"""At these odds the model is trusted by half, and how many more it takes to be trusted by 73 %."""
UNREAD_TRUST = 0.18
"""Stands for trust where there is no reading model, so that one floor fits both."""
TRUST_IN_ORDER, TRUST_IN_ANSWER = 0.2, 1.0
"""What trust adds to a sentence's score, and beyond that to the decision whether to answer at all."""
SURE_MARGIN, UNSURE_MARGIN = 0.05, 0.15
"""A second sentence is quoted too when its score is at most this much below the best, whose words the model
is sure or not at all sure of; in between with its trust. The surer it is, the less a second one adds."""
SURE_ODDS = 5.0
"""The model's words are shown alone where their odds are at least these."""
SURELY_NONE = -5.0
"""Where the model's best odds in all passages are below this, it is sure that none answers."""


def measure_trust(odds: float | None) -> float:
    """How far the reading model is trusted, between 0 and 1; `odds` is None where there is none."""
    if odds is None:
        return UNREAD_TRUST
    return 1.0 / (1.0 + float(np.exp(-max(odds - EVEN_ODDS, -100.0) / ODDS_SCALE)))


def measure_margin(odds: float | None, *, sure: float = SURE_MARGIN, unsure: float = UNSURE_MARGIN) -> float:
    """How much lower than the best a sentence may score to be quoted beside it."""
    return unsure - (unsure - sure) * measure_trust(odds)
