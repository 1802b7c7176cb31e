"""The judge of `why` itself: it takes a right answer, and finds each way in which an answer may be wrong."""

import copy
import os
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(HERE), HERE]

import asker  # noqa: E402
import market  # noqa: E402
from expected import Right  # noqa: E402

KEY = "abc123/order/1042"
PLACES = {("why.orders.raw", 0, 5), ("why.retry-1m", 1, 7)}


def retrying():
    right = Right("retrying", "retrying", "retry-1m")
    right.records, right.next_try_ms = set(PLACES), 1795688741000
    answer = {"key": KEY, "verdict": "retrying", "reason": "retrying", "sentence": "It is tried again in an hour.",
              "infusionsoft": None, "goals": [], "next": {"what": "the next try", "at": "2026-11-26T10:25:41.500Z"},
              "history": [{"time": f"2026-11-26T10:0{n}:00.000Z", "topic": t, "partition": p, "offset": o}
                          for n, (t, p, o) in enumerate(sorted(PLACES))]}
    return right, answer


def synced():
    right = Right("synced")
    right.order_id, right.contact_id, right.goals = "977", "42", [["BCORDER", "BC"], ["BCSKU", "A"]]
    right.records = {("why.delivered", 0, 1)}
    answer = {"key": KEY, "verdict": "synced", "reason": None, "sentence": "The order is in Infusionsoft.", "next": None,
              "infusionsoft": {"order_id": "977", "contact_id": "42"},
              "goals": [{"integration": "BCSKU", "call_name": "A", "result": "sent"},
                        {"integration": "BCORDER", "call_name": "BC", "result": "sent"}],
              "history": [{"time": "2026-11-26T10:00:00.000Z", "topic": "why.delivered", "partition": 0, "offset": 1}]}
    return right, answer


def faults(right, *answers, status=200):
    return asker.faults_of(KEY, right, status, {"orders": list(answers)}, ("grace@example.com",))


@pytest.mark.parametrize("make", [retrying, synced])
def test_a_right_answer_is_right(make):
    right, answer = make()
    assert faults(right, answer) == []


WRONG = {
    "verdict": ("dead", "expected retrying retrying, got dead"),
    "reason": ("in_doubt", "expected retrying retrying, got retrying in_doubt"),
    "key": ("abc123/order/7", "the key abc123/order/7"),
    "sentence": ("", "the sentence ''"),
    "next": ({"what": "the next try", "at": "2026-11-26T11:25:41.000Z"}, "expected at 1795688741000"),
    "infusionsoft": ({"order_id": "1"}, "though nothing was made"),
    "history": ([], "the history lacks"),
    "detail": ("to Grace@Example.com", "it holds 'grace@example.com'"),
}


@pytest.mark.parametrize("member", WRONG)
def test_each_wrong_member_is_found(member):
    right, answer = retrying()
    value, text = WRONG[member]
    [found, *more] = faults(right, {**answer, member: value})
    assert text in found and not [one for one in more if member != "verdict"]


def test_wrong_numbers_of_answers_and_failures_are_found():
    right, answer = synced()
    assert faults(right) == ["0 answers"] and faults(right, answer, answer) == ["2 answers"]
    assert faults(right, answer, status=500)[0].startswith("HTTP 500")
    assert faults(right, {**answer, "infusionsoft": {"order_id": "978", "contact_id": "42"}}) != []
    assert faults(right, {**answer, "goals": answer["goals"][:1]}) != []
    right.says = "paused"
    assert "does not say 'paused'" in faults(right, answer)[0]
    right.says = None
    late = copy.deepcopy(answer)
    late["history"].insert(0, {**late["history"][0], "time": "2026-11-26T11:00:00.000Z"})
    assert "the history is not in the order of its times" in faults(right, late)


@pytest.mark.parametrize("total", [600, 10000])
def test_the_plans_of_a_market_are_as_many_as_were_asked_for(total):
    counts = market.counts_of(total)
    assert sum(counts.values()) - counts["queued_again"] == total and min(counts.values()) > 0
