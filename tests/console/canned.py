"""Answers of the console for tests of its page: every state, also a rare or hostile one. write(FOLDER) puts them into files, which
console-canned (main.c of this folder) serves."""

import datetime
import json
import os

NOW = datetime.datetime.now(datetime.timezone.utc)
SCRIPT = "<script>document.title='owned'</script><img src=x onerror=alert(1)>"


def at(seconds_ago):
    return (NOW - datetime.timedelta(seconds=seconds_ago)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


INDEX = {"is_caught_up": True, "behind_s": 0.0, "as_of": at(1), "trouble": None}
STAGES = [
    {"service": "filter", "stage": "orders.raw", "members": 2, "lag_records": 0, "lag_s": 0.0, "oldest": None, "in_s": 4.2, "done_s": 4.2},
    {"service": "mapper", "stage": "orders.eligible", "members": 2, "lag_records": 3, "lag_s": 0.4, "oldest": at(1), "in_s": 3.8, "done_s": 3.8},
    {"service": "pusher", "stage": "orders.payloads", "members": 1, "lag_records": 1840, "lag_s": 412.0, "oldest": at(412), "in_s": 3.8, "done_s": 3.1},
    {"service": "pusher", "stage": "retry-1m", "members": 1, "lag_records": 12, "lag_s": None, "oldest": at(30), "in_s": 0.1, "done_s": 0.1},
]
STORES = [
    {"code": "BC", "hash": "abc123", "read_up_to": at(3), "last_poll": at(9), "next_poll": at(-21), "quota_left": 18211, "trouble": None, "is_paused": False},
    {"code": "S1", "hash": "abc124", "read_up_to": at(4000), "last_poll": at(610), "next_poll": at(-20), "quota_left": None,
     "trouble": "GET /stores/abc124/v2/orders: HTTP 401, the token is not accepted", "is_paused": False},
    {"code": "S2", "hash": "abc125", "read_up_to": at(90000), "last_poll": at(86400), "next_poll": None, "quota_left": 19000, "trouble": None, "is_paused": True},
]
ACCOUNTS = [
    {"name": "main", "state": "open", "since": None, "why": None, "waiting": 0, "waiting_orders": 0, "is_paused": False},
    {"name": "second", "state": "closed", "since": at(1900), "why": "POST /contacts: HTTP 401, the key is not accepted", "waiting": 214, "waiting_orders": 0, "is_paused": False},
]
STATUS = {
    "stages": STAGES, "stores": STORES, "accounts": ACCOUNTS, "measured": at(2), "index": INDEX,
    "fates": {"last_hour": {"delivered": 11034, "skipped": 402, "dead": 3},
              "total": {"delivered": 1840211, "skipped": {"status": 40210, "no_email": 1911}, "dead": {"gave_up": 90, "total_mismatch": 22}}},
    "alarms": [{"name": "account_closed", "sentence": "Orders wait for account second: POST /contacts: HTTP 401, the key is not accepted"},
               {"name": "store_trouble", "sentence": "Store S1 is in trouble: the token is not accepted"}],
}
CALM = {**STATUS, "stages": [{**one, "lag_records": 0, "lag_s": 0.0, "oldest": None} for one in STAGES], "stores": STORES[:1], "accounts": ACCOUNTS[:1], "alarms": []}


def series(is_empty=False):
    steps = []
    for i in range(48):
        busy = 0 if is_empty or 10 < i < 14 else 120 + (i * 37) % 90
        steps.append({"from": at((47 - i) * 1800), "delivered": busy, "skipped": busy // 9, "dead": busy // 60,
                      "p50_s": 31.0 + i % 7 if busy else None, "p95_s": 58.0 + (i * 5) % 23 if busy else None, "max_s": 95.0 + (i * 31) % 200 if busy else None})
    return {"hours": 24, "step_s": 1800, "steps": steps, "index": INDEX}


def row(number, verdict, reason, sentence, **more):
    return {"order": f"BC #{number}", "key": f"abc123/order/{number}", "verdict": verdict, "reason": reason, "sentence": sentence, "stage": verdict,
            "since": at(number * 7), "age_s": number * 7.0, "detail": None, "next_try": None, **more}


def page(rows, counts, total=None, after=None):
    return {"total": len(rows) if total is None else total, "counts": counts, "orders": rows, "next": after, "index": INDEX}


DEAD = page(
    [row(1000 + i, "dead", "gave_up", "Infusionsoft refused this order 26 times; it was given up.",
         detail="POST /contacts: HTTP 400: 'family_name' is too long") for i in range(30)]
    + [row(1100 + i, "dead", "total_mismatch", "The lines of this order do not add up to its total, so it is not sent.", detail="lines 41.90, total 42.00") for i in range(19)]
    + [row(1200, "dead", "malformed", SCRIPT, detail=SCRIPT, order=f"BC {SCRIPT}")],
    {"gave_up": 90, "total_mismatch": 22, "malformed": 1}, total=113, after="1_2")
RETRYING = page([row(900 + i, "retrying", "retrying", "Infusionsoft did not answer. It is tried again by itself.", stage="retry-1m", next_try=at(-20 - i),
                     detail="POST /orders: timeout") for i in range(12)], {"retrying": 12})
WAITING = page([row(800, "waiting", "account_closed", "The account refuses its key; the order waits until it is accepted again.", stage="waiting.second")], {"account_closed": 214}, total=214)
SKIPPED = page([row(700, "skipped", "no_email", "The order has no e-mail address, so there is no contact to sync it to."),
                row(701, "skipped", "status", "Orders with status 5 (Cancelled) are not synced.")], {"status": 40210, "no_email": 1911}, total=42121, after="3_4")
STUCK = page(RETRYING["orders"] + WAITING["orders"], {"retrying": 12, "account_closed": 214}, total=226)


def step(seconds_ago, stage, topic, offset, **more):
    return {"time": at(seconds_ago), "stage": stage, "topic": topic, "partition": 3, "offset": offset, **more}


ANSWER = {
    "order": "BC #1042", "key": "abc123/order/1042", "store": "abc123", "code": "BC", "verdict": "synced", "reason": None,
    "sentence": "This order is in Infusionsoft since 2026-11-26T09:12:13Z (order 977).", "next": None, "account": "main",
    "infusionsoft": {"order_id": "977", "contact_id": "4711"},
    "goals": [{"integration": "BCORDER", "call_name": "BC", "result": "achieved"}, {"integration": "BCSKU", "call_name": SCRIPT, "result": "no goal has this name"}],
    "history": [
        step(180, "polled", "orders.raw", 118, version=at(200), source="poll"),
        step(179, "eligible", "orders.eligible", 91), step(178, "mapped", "orders.payloads", 90),
        step(170, "retry", "retry-1m", 7, attempt=1, reason="timeout", detail="POST /orders: timeout after 20 s", not_before=at(110), account="main"),
        step(100, "delivered", "delivered", 88, attempt=2, order_id="977", contact_id="4711",
             answer={"status": 201, "note": f"customer {SCRIPT}"})],
}
DEAD_ANSWER = {**ANSWER, "order": "BC #1000", "key": "abc123/order/1000", "verdict": "dead", "reason": "gave_up", "goals": [], "infusionsoft": None,
               "sentence": "Infusionsoft refused this order 26 times; it was given up.", "next": {"what": "Nothing happens by itself: try it again, or drop it.", "at": None},
               "history": ANSWER["history"][:4] + [step(60, "dead", "dead", 4, reason="gave_up", attempt=26, answer="{\"message\": \"bad\"}")]}

FILES = {
    "status": STATUS, "series": series(), "why": {"orders": [ANSWER], "index": INDEX}, "why-unknown": {"orders": [], "index": INDEX},
    "orders-dead": DEAD, "orders-retrying": RETRYING, "orders-waiting": WAITING, "orders-skipped": SKIPPED, "orders-stuck": STUCK,
    "retry-dry_run": {"dry_run": True, "count": 112, "refused": 1, "counts": DEAD["counts"], "sentence": "112 orders would be tried again."},
    "retry": {"dry_run": False, "count": 112, "refused": 1, "counts": DEAD["counts"], "sentence": "112 orders are on their way again."},
    "drop": {"count": 1, "refused": [], "sentence": "1 order was dropped."}, "pause": {"changed": True, "sentence": "Store BC is paused."},
    "resume": {"changed": True, "sentence": "Store S2 goes on."},
}


def write(folder, **changes):
    """Puts the answers into files. changes: status=... replaces that file; None removes it, so that it is answered with 503."""
    os.makedirs(folder, exist_ok=True)
    for name, answer in {**FILES, **{key.replace("__", "-"): value for key, value in changes.items()}}.items():
        path = os.path.join(folder, f"{name}.json")
        if answer is None:
            if os.path.exists(path):
                os.unlink(path)
            continue
        with open(f"{path}.new", "w", encoding="utf-8") as file:
            json.dump(answer, file)
        os.replace(f"{path}.new", path)  # the page may be asking meanwhile
