"""Odds of two models put on one scale."""

from random import Random

import pytest
import torch

from chatbot.errors import ModelError
from chatbot.reading.reading import OddsScale
from chatbot.reading.weights import BASE_KEY, read_weights, write_odds_scale, write_weights
from chatbot.training.odds import Judgement, Logistic, align_odds, fit_logistic


def judge(offset, factor, count=4000):
    """Questions of which a model's odds tell just so much."""
    chance = Random(1)
    for _ in range(count):
        told = chance.gauss(0, 2)
        likely = 1 / (1 + 2.718281828**-told)
        yield Judgement((told - offset) / factor, chance.random() < likely)


def test_the_fit_finds_how_much_odds_tell():
    fitted = fit_logistic(list(judge(offset=1.0, factor=0.5)))

    assert fitted.offset == pytest.approx(1.0, abs=0.15)
    assert fitted.factor == pytest.approx(0.5, abs=0.05)


def test_odds_of_the_same_likelihood_become_the_same():
    reference, own = Logistic(1.0, 0.5), Logistic(-2.0, 3.0)

    scale = align_odds(own, reference)

    for odds in (-4.0, 0.0, 2.5):
        likely = own.offset + own.factor * odds
        assert reference.offset + reference.factor * scale.apply(odds) == pytest.approx(likely)
    assert align_odds(own, own) == OddsScale(0.0, 1.0)


def test_the_scale_is_written_beside_what_the_file_says_already(tmp_path):
    path = tmp_path / "reader.safetensors"
    write_weights(path, {"outputs": torch.ones(2)}, {BASE_KEY: "abc", "seed": "7"})
    assert read_weights(path, base_sha256="abc").odds_scale == OddsScale(0.0, 1.0)

    write_odds_scale(path, OddsScale(-1.25, 0.5))

    read = read_weights(path, base_sha256="abc")
    assert read.odds_scale == OddsScale(-1.25, 0.5)
    assert read.description["seed"] == "7"
    assert read.tensors["outputs"].tolist() == [1.0, 1.0]


def test_weights_whose_scale_is_no_number_are_refused(tmp_path):
    path = tmp_path / "reader.safetensors"
    write_weights(path, {"outputs": torch.ones(2)}, {BASE_KEY: "abc", "odds_factor": "much"})

    with pytest.raises(ModelError, match="cannot be read"):
        read_weights(path, base_sha256="abc").odds_scale  # noqa: B018 - it is the reading that fails
