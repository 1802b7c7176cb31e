"""Asks the console as a program does, over kept connections, and compares each answer with what is right."""

import datetime
import http.client
import json
import time
from urllib.parse import quote

VERDICTS = {"synced", "waiting", "skipped", "retrying", "dead", "unknown"}
SLACK_MS = 2500  # of times that are compared


class Console:
    """The console's HTTP as one client with several kept connections, used in turn."""

    def __init__(self, address, connections=16, token=None):
        self.address, self.token = address, token
        self.lines = [http.client.HTTPConnection(address, timeout=30) for _ in range(connections)]
        self.turn = 0
        self.took_ms = []

    def get(self, path, timed=False):
        self.turn += 1
        line = self.lines[self.turn % len(self.lines)]
        start = time.monotonic()
        for last in (False, True):  # a server may close a kept connection; once more on a new one
            try:
                line.request("GET", path)
                answer = line.getresponse()
                status, body = answer.status, answer.read()
                break
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                line.close()
                if last:
                    raise
        if timed:
            self.took_ms.append((time.monotonic() - start) * 1000)
        return status, json.loads(body) if body else None

    def why(self, name, timed=True):
        return self.get(f"/api/v1/why?order={quote(name, safe='')}", timed)

    def list(self, name, **arguments):
        """Every order of a list, page by page, and its first page's total and counts."""
        orders, after, first = [], None, None
        while True:
            words = {"list": name, "limit": 500, **arguments, **({"after": after} if after else {})}
            status, page = self.get("/api/v1/orders?" + "&".join(f"{k}={quote(str(v), safe='')}" for k, v in words.items()))
            if status != 200:
                raise RuntimeError(f"list {name}: {status} {page}")
            first = first or page
            orders += page["orders"]
            after = page.get("next")
            if not after:
                return orders, first

    def p99_ms(self):
        took = sorted(self.took_ms)
        return took[max(0, int(len(took) * 0.99) - 1)] if took else 0.0


def instant_ms(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000


def faults_of(key, right, status, document, private=()):
    """What is wrong with an answer: a list of texts, empty when it is right. private: texts that it must not hold."""
    if status != 200 or not isinstance(document, dict):
        return [f"HTTP {status} {json.dumps(document)[:200]}"]
    answers = document.get("orders")
    if not isinstance(answers, list) or len(answers) != 1:
        return [f"{len(answers or [])} answers"]
    answer, wrong = answers[0], []
    if answer.get("verdict") not in VERDICTS:
        wrong.append(f"verdict {answer.get('verdict')!r}")
    got = f"{answer.get('verdict')} {answer.get('reason') or ''}".strip()
    if got != right.words():
        wrong.append(f"expected {right.words()}, got {got}")
    if answer.get("key") != key:
        wrong.append(f"the key {answer.get('key')}")
    sentence = answer.get("sentence")
    if not isinstance(sentence, str) or len(sentence) < 10:
        wrong.append(f"the sentence {sentence!r}")
    elif right.says and right.says not in sentence:
        wrong.append(f"the sentence {sentence!r} does not say {right.says!r}")
    wrong += ids_of(right, answer) + way_of(right, answer) + next_of(right, answer)
    text = json.dumps(answer, ensure_ascii=False).lower()
    wrong += [f"it holds {one!r}" for one in private if one and one.lower() in text]
    return wrong


def ids_of(right, answer):
    ids = answer.get("infusionsoft") or {}
    wrong = []
    if right.verdict == "synced" and (ids.get("order_id"), ids.get("contact_id")) != (right.order_id, right.contact_id):
        wrong.append(f"ids {ids}, expected order {right.order_id}, contact {right.contact_id}")
    if right.verdict != "synced" and ids.get("order_id"):
        wrong.append(f"an order id {ids} though nothing was made")
    if right.goals is not None:
        goals = [[goal.get("integration"), goal.get("call_name")] for goal in answer.get("goals") or []]
        if sorted(goals) != sorted(right.goals):
            wrong.append(f"goals {goals}, expected {right.goals}")
    return wrong


def way_of(right, answer):
    """Every record that is in a topic now stands in the history; and nothing that never was."""
    shown = {(one.get("topic"), one.get("partition"), one.get("offset")) for one in answer.get("history") or []}
    missing = right.records - shown
    wrong = [f"the history lacks {sorted(missing)[:3]}"] if missing else []
    if not right.records and shown:
        wrong.append(f"a history of an order without a record: {sorted(shown)[:3]}")
    times = [one.get("time") or "" for one in answer.get("history") or []]
    if times != sorted(times):
        wrong.append("the history is not in the order of its times")
    return wrong


def next_of(right, answer):
    after = answer.get("next")
    if right.next_try_ms is not None:
        at = (after or {}).get("at")
        if not at or abs(instant_ms(at) - right.next_try_ms) > SLACK_MS:
            return [f"next {after}, expected at {right.next_try_ms}"]
    if right.reason == "next_poll" and not (after or {}).get("at"):
        return [f"next {after}, expected the time of the next poll"]
    if right.verdict == "synced" and after and after.get("at"):
        return [f"next {after} of an order that is synced"]
    return []
