"""Clients: who counts as one, and how much one may have."""

from unittest import mock

from pyzzicato.space import clients
from pyzzicato.space.clients import Allowance, client_of


def scope(address="192.0.2.7", forwarded=None):
    headers = [] if forwarded is None else [(b"x-forwarded-for", forwarded.encode())]
    return {"client": (address, 1234), "headers": headers}


def test_a_client_is_an_address_and_its_name_does_not_show_it():
    assert client_of(scope()) == client_of(scope())
    assert client_of(scope()) != client_of(scope("192.0.2.8"))
    assert "192.0.2" not in client_of(scope())
    with mock.patch.object(clients, "_SALT", b"of another start"):
        other = client_of(scope())
    assert other != client_of(scope())


def test_a_household_of_ipv6_is_one_client():
    first, second = (client_of(scope(f"2001:db8:1:2::{n}")) for n in (1, 2))
    assert first == second != client_of(scope("2001:db8:1:3::1"))
    assert client_of(scope("::ffff:192.0.2.7")) != client_of(scope("::ffff:192.0.2.8"))


def test_what_a_proxy_notes_counts_on_a_space_alone(monkeypatch):
    monkeypatch.delenv("SPACE_HOST", raising=False)
    assert client_of(scope(forwarded="8.8.8.8")) == client_of(scope())
    monkeypatch.setenv("SPACE_HOST", "a-space.hf.space")
    assert client_of(scope("10.0.0.1", "8.8.8.8")) == client_of(scope("10.0.0.2", "8.8.8.8"))
    # Made up by the client, then noted by the proxies.
    made_up = client_of(scope("10.0.0.1", "1.1.1.1, x, 8.8.8.8, 10.1.2.3"))
    assert made_up == client_of(scope("10.0.0.1", "8.8.8.8"))
    assert client_of(scope("10.0.0.1", "x")) == client_of(scope("10.0.0.1"))


def test_an_allowance_is_used_up_and_fills_again():
    allowance = Allowance(3, 60)
    with mock.patch.object(clients.time, "monotonic", lambda: now):
        now = 1000.0
        assert [allowance.take("a") for _ in range(3)] == [0.0] * 3
        assert allowance.take("a") == 20.0
        assert allowance.take("b", 2) == 0.0
        assert allowance.take("b", 2) == 20.0
        now += 20
        assert allowance.take("a") == 0.0
        assert allowance.take("a") == 20.0
        now += 1000
        assert allowance.take("a", 3) == 0.0
        assert allowance.take("a", 4) > 60


def test_few_clients_are_remembered(monkeypatch):
    monkeypatch.setattr(clients, "_MAX_CLIENTS", 3)
    allowance = Allowance(1, 60)
    for name in "abcd":
        assert allowance.take(name) == 0.0
    assert allowance.take("d") > 0
    assert allowance.take("a") == 0.0
