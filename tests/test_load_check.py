"""The short form of the load check, and that it can find something."""

from load_check import Served, ask_at_once, find_faults


def test_more_clients_than_workers_all_get_what_they_asked_for(page_url):
    url = page_url.rstrip("/")
    crowd = ask_at_once(url, range(8), 4, 8)
    assert all(served.notes for served in crowd)
    assert find_faults(crowd, ask_at_once(url, range(8), 4, 1)) == []
    assert len({str(served.notes) for served in crowd}) == 8


def test_wrong_and_lost_answers_are_found():
    right = [Served(0, 1.0, ["a"]), Served(1, 1.0, ["b"])]
    assert find_faults(right, right) == []
    assert find_faults([Served(0, 1.0, None)], right) == []
    assert "other notes" in find_faults([Served(0, 1.0, ["b"])], right)[0]
    assert find_faults([Served(1, 1.0, None, "gone")], right) == ["rng 1: gone"]
