"""Conditions of a piece: whose it is, and how dense."""

import torch
from model_cases import CASES, livened, random_roll, seen_by_head

from pyzzicato.models.drawing import Controls, guide


def test_a_composer_changes_what_is_expected_and_any_is_number_0() -> None:
    model = CASES["lstm, joint"].build()
    steps = random_roll(1, 12).expand(3, -1, -1)
    with torch.no_grad():
        found = model(steps[:, :-1], composers=torch.tensor([0, 1, 2])).logits
        unconditioned = model(steps[:, :-1]).logits
    assert torch.equal(found[0], unconditioned[0])
    for a, b in ((0, 1), (0, 2), (1, 2)):
        assert not torch.allclose(found[a], found[b])
    # In a batch where each row has its own composer, each gets what it would get alone.
    with torch.no_grad():
        alone = model(steps[:1, :-1], composers=torch.tensor([2])).logits
    assert torch.allclose(found[2], alone[0], atol=1e-5, rtol=0)


def test_a_model_without_composers_takes_no_notice_of_them() -> None:
    model = CASES["lstm"].build()
    steps = random_roll(2, 5)
    with torch.no_grad():
        found = model(steps, composers=torch.tensor([1, 200])).logits
        assert torch.equal(found, model(steps).logits)


def test_densities_say_nothing_until_they_are_learnt() -> None:
    model = CASES["lstm, joint"].build()
    steps = random_roll(1, 20)
    assert torch.equal(seen_by_head(model, steps, 1), seen_by_head(model, steps, 1, 2))
    livened(model)
    found = [seen_by_head(model, steps, 1, density) for density in range(3)]
    assert not any(torch.allclose(found[i], found[i - 1]) for i in range(3))


def test_a_density_is_learnt_and_kept() -> None:
    model = CASES["lstm, joint"].build(hidden_size=16, dense_size=16)
    # The same first frame; then a key in every second frame, or hardly any.
    roll = torch.zeros(2, 41, 88, dtype=torch.uint8)
    roll[0, 1::2, 40] = 1
    roll[1, 20, 40] = 1
    densities = torch.tensor([2, 1])
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(60):
        loss = model(roll[:, :-1], roll[:, 1:], densities=densities).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    # Given a low density it expects few strokes after the first frame, given a high one many.
    with torch.no_grad():
        strokes = []
        for density in (1, 2):
            seen, _ = model.hidden(roll[:1, :1], model.start(1, densities=torch.tensor([density])))
            strokes.append(float(torch.sigmoid(model.head.logits(seen)).sum()))
    assert strokes[1] > 2 * strokes[0]


def test_what_sets_composers_apart_is_learnt_and_guidance_exaggerates_it() -> None:
    model = CASES["lstm, joint"].build(hidden_size=16, dense_size=16)
    # After silence one strikes a low key, another a high one; of any composer both are heard.
    roll = torch.zeros(3, 2, 88, dtype=torch.uint8)
    roll[[0, 2], 1, 30] = 1
    roll[[1, 2], 1, 60] = 1
    composers = torch.tensor([1, 2, 0])
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(80):
        loss = model(roll[:, :-1], roll[:, 1:], composers).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    neutral = Controls(*(torch.zeros(1) for _ in Controls._fields))
    # After silence, with nothing but the name to tell them apart.
    silence = torch.zeros(2, 1, 88, dtype=torch.uint8)
    with torch.no_grad():
        seen, _ = model.hidden(silence, model.start(2, torch.tensor([1, 0])))
        log_odds = model.head.logits(seen)[:, -1]
    assert log_odds[0, 30] - log_odds[0, 60] > 1 + log_odds[1, 30] - log_odds[1, 60]
    leanings = []
    for guidance in (0.0, 0.5, 2.0, 4.0):
        weights = torch.tensor([guidance, 1 - guidance])
        guided = guide(log_odds, neutral._replace(view_weights=weights))
        leanings.append(float(guided[30] - guided[60]))
    assert leanings == sorted(leanings) and leanings[0] < leanings[-1]
