"""The short form of the abuse check, and that it can find something."""

import pytest
from abuse_check import HTML, Findings, bad_values, check, kill_voters
from http_calls import Answer
from served_app import ROOT


def test_the_app_bears_what_nobody_should_post(page_url):
    findings = check(page_url.rstrip("/"), most=25)
    assert findings.n_asked >= 25
    assert findings.found == []


def test_no_vote_is_lost_with_the_processes_that_gave_it(tmp_path):
    findings = Findings()
    kill_voters(tmp_path, findings, rounds=2)
    assert findings.n_asked >= 40
    assert findings.found == []


@pytest.mark.parametrize(
    "answer",
    [
        Answer(500, "", None, "Internal Server Error"),
        Answer(200, "error", {"error": None}, ""),
        Answer(200, "error", {"error": "no"}, ""),
        Answer(200, "error", {"error": "a word " * 1000}, ""),
        Answer(200, "error", {"error": f"no such file in {ROOT}/x"}, ""),
        Answer(200, "error", {"error": "no such file as /etc/passwd here"}, ""),
        Answer(200, "complete", [{}], f'{{"title": "{HTML}"}}'),
        Answer(200, "complete", [{}], "Traceback (most recent call last):"),
    ],
)
def test_the_check_finds_what_it_looks_for(answer):
    findings = Findings()
    findings.judge(answer, "a test")
    assert findings.found


def test_the_check_leaves_good_answers_alone():
    findings = Findings()
    findings.judge(Answer(200, "error", {"error": "rng must be 0 to 5, got -1"}, ""), "a test")
    findings.judge(Answer(200, "complete", [{"version": "1"}], '{"version": "1"}'), "a test")
    findings.judge(Answer(422, "", None, '{"detail": "no"}'), "a test")
    refusal = Answer(200, "error", {"error": "seed must be one of a, b, got /etc/passwd"}, "")
    findings.judge(refusal, "a test", "/etc/passwd")
    assert findings.found == []
    findings.judge(refusal, "a test", "another")
    assert len(findings.found) == 1
    assert len(bad_values("http://127.0.0.1:9")) > 50
