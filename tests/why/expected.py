"""What is right to answer about each order of a market: from the stores, the accounts' journals and the topics, read with kcat.

It shares no code with the programs: reference.py has the rules, the journals say what was made, the topics say where an
order is. The plan, for which the order was placed, must agree; where it does not, the run itself is wrong (problems).
"""

import collections
import glob
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(HERE)]

import reference  # noqa: E402
from evidence import Evidence  # noqa: E402
from processes import read_topic  # noqa: E402

RETRY = ("retry-1m", "retry-10m", "retry-1h")
# Where these plans end in a record, the reason is theirs and not the rules'.
OWN_REASON = {"poison": "poison", "too_large": "too_large", "refused": "refused", "gave_up": "gave_up"}
PLAN_REASONS = {
    "retrying": {"retrying"}, "in_doubt": {"in_doubt"}, "closed": {"account_closed"}, "spent": {"account_closed"}, "frozen": {"account_closed"},
    "noshop": {"ecommerce_unavailable"}, "next_poll": {"next_poll"}, "unseen": {"before_start"}, "withdrawn": {"status"},
    "archived": {"archived"}, "poison": {"poison"}, "too_large": {"too_large"}, "refused": {"refused"}, "gave_up": {"gave_up"},
    "changed": {None}, "paid_later": {None}, "unknown": {None},
}


class Right:
    """The right answer about one order."""

    def __init__(self, verdict, reason=None, stage=None):
        self.verdict, self.reason, self.stage = verdict, reason, stage
        self.order_id = self.contact_id = self.goals = self.next_try_ms = self.since_ms = None
        self.records = set()
        self.says = None  # a word that the sentence must hold

    def words(self):
        return f"{self.verdict} {self.reason or ''}".strip()


class Expected:
    def __init__(self, market, retry_delay_s):
        self.market, self.retry_delay_ms = market, retry_delay_s * 1000
        self.settings = market.judge_settings()
        self.problems = []
        self.orders, self.records = {}, collections.defaultdict(list)
        self.read_stores()
        self.read_journals()
        self.read_topics()

    def read_stores(self):
        for one in self.market.stores:
            for order in self.market.complete_orders(one["hash"]):
                self.orders[f"{one['hash']}/order/{order['id']}"] = order

    def read_journals(self):
        """self.made: external key -> [(order id, contact id)]; self.achieved: (account, contact) -> goals."""
        self.made = collections.defaultdict(list)
        for path in glob.glob(f"{self.market.run}/journal*.jsonl"):
            with open(path, encoding="utf-8") as file:
                for line in file:
                    entry = reference.load_json(line)
                    effect = entry.get("effect") or {}
                    if entry["side"] == "is" and effect.get("made") == "order":
                        body = Evidence.body(entry)
                        self.made[body["custom_fields"][0]["content"]].append((str(effect["id"]), str(body["contact_id"])))

    def topics(self):
        names = ["orders.raw", "orders.eligible", "orders.payloads", *RETRY, "skipped", "delivered", "dead"]
        for account in {one.get("account", "main") for one in self.market.stores}:
            names += [f"waiting.{account}", f"waiting-orders.{account}"]
        return names

    def read_topics(self):
        for name in self.topics():
            for record in read_topic(self.market.broker.address, self.market.topic(name)):
                record.topic = name
                self.records[record.key].append(record)

    # -- one order -------------------------------------------------------------------------------------------------

    def right(self, key, plan):
        answer = self.judge(key, plan)
        answer.says = "paused" if plan == "frozen" else None
        answer.records = {(self.market.topic(r.topic), r.partition, r.offset) for r in self.records[key]}
        wanted = PLAN_REASONS.get(plan)
        if wanted and answer.reason not in wanted:
            self.problems.append(f"{key} was placed as {plan} and is {answer.words()}")
        return answer

    def judge(self, key, plan):
        order = self.orders.get(key)
        if order is None:
            return Right("unknown")
        store, _, number = key.split("/")
        stage, reason, mapping = self.by_the_rules(order, store)
        made = self.made[f"bc-{store}-{number}"]
        records = self.records[key]
        if made or any(r.topic == "delivered" for r in records):
            if len(made) != 1 or not any(r.topic == "delivered" for r in records):
                self.problems.append(f"{key}: created {len(made)} times")
            return self.synced(made, mapping)
        version = self.version(order)
        own = [r for r in records if self.version_of(r) >= version]
        if not own:
            if reference.is_out_of_reach(order, self.settings[store]):
                return Right("skipped", "before_start")
            return Right("waiting", "next_poll")
        for record in own:
            if record.topic in ("skipped", "dead") and record.value is not None:
                return self.ended(key, plan, record, stage, reason)
        return self.on_its_way(key, plan, own, stage)

    def by_the_rules(self, order, store):
        try:
            return reference.fate_of(order, store, self.settings[store])
        except (TypeError, AttributeError):
            return "dead", "malformed", None

    @staticmethod
    def version(order):
        try:
            return int(reference.instant(order.get("date_modified")).timestamp() * 1000)
        except reference.Malformed:
            return 0

    @staticmethod
    def version_of(record):
        value = record.json() if record.topic != "dead" else None
        number = record.headers.get("modified_at") or (value if isinstance(value, dict) else {}).get("modified_at") or 0
        return int(number)

    @staticmethod
    def synced(made, mapping):
        answer = Right("synced")
        if made:
            answer.order_id, answer.contact_id = made[0]
        answer.goals = [list(goal) for goal in mapping["goals"]] if mapping else None
        return answer

    def ended(self, key, plan, record, stage, reason):
        """The version has a fate: the rules' reason, or that of the fault that was made for it."""
        if plan in OWN_REASON:
            stage, reason = "dead", OWN_REASON[plan]
        if record.topic != stage:
            self.problems.append(f"{key}: a record in {record.topic}, by the rules it is {stage} {reason}")
        return Right(stage, reason)

    def on_its_way(self, key, plan, own, stage):
        """The furthest record says where it waits: among retry and waiting topics the latest, else the last stage."""
        circle = [r for r in own if r.topic not in ("orders.raw", "orders.eligible", "orders.payloads")]
        if circle:
            last = max(circle, key=lambda r: r.timestamp_ms)
        else:
            last = max(own, key=lambda r: ("orders.raw", "orders.eligible", "orders.payloads").index(r.topic))
        place = last.topic.removeprefix("orders.")
        if last.topic in RETRY:
            answer = Right("waiting", "in_doubt", place) if plan == "in_doubt" else Right("retrying", "retrying", place)
            answer.next_try_ms = last.timestamp_ms + self.retry_delay_ms
        elif last.topic.startswith("waiting-orders."):
            answer = Right("waiting", "ecommerce_unavailable", place)
        elif last.topic.startswith("waiting."):
            answer = Right("waiting", "account_closed", place)
        else:
            answer = Right("waiting", "queued", place)
        if stage == "skipped" and answer.reason != "queued":
            self.problems.append(f"{key}: {answer.words()}, by the rules it is skipped")
        answer.since_ms = min(int(r.headers.get("polled_at") or r.timestamp_ms) for r in own)
        return answer
