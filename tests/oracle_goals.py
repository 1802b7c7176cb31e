"""The part of the judge that looks at the tags of contacts and at the goals that they achieved."""

import collections
import json

import judge_after
import reference


class Goals:
    """A part of oracle.Judge."""

    def judge_tags(self):
        """Each tag is made once, each contact has the tags that its orders ask for, and no others."""
        allowed, wanted = judge_after.tags(self)  # contact id -> names
        for (store_hash, number), mappings in self.accepted.items():
            creates = self.creates.get(f"bc-{store_hash}-{number}", [])
            if not creates or not mappings:
                continue
            contact = str(creates[0][2].get("contact_id"))
            for mapping in mappings:
                allowed[contact] |= set(mapping["tags"])
            if self.versions[store_hash, number][-1]["status_id"] not in reference.WITHDRAWN:
                sure = set.intersection(*(set(mapping["tags"]) for mapping in mappings))
                wanted[contact] |= sure - self.spared_tags(f"{store_hash}/order/{number}")
        for contact, may, must in self.group_tags():
            allowed[contact] |= may
            wanted[contact] |= must
        every = set().union(*allowed.values())
        for name, count in collections.Counter(name for name, _ in self.tags_made).items():
            if count > 1:
                self.blame(f"tag {name!r}: created {count} times")
            if name not in every and name not in self.expect.get("existing_tags", []):
                self.blame(f"tag {name!r}: created for no order or customer that is to be synced")
        for contact in set(self.tagged) | set(wanted):
            if contact in self.expect.get("tagged_by_others", []):
                continue
            for name in self.tagged[contact] - allowed[contact]:
                self.blame(f"contact {contact}: tag {name!r} that nobody asks for")
            for name in wanted[contact] - self.tagged[contact]:
                self.blame(f"contact {contact}: tag {name!r} is missing")

    def spared_tags(self, name):
        """Tags that the order's fate says were refused or given up."""
        return {reference.lower(one["step"][4:]) for fate in (self.fates or {}).get(name, [])
                if fate["topic"] == "delivered" and isinstance(fate["value"], dict)
                for one in fate["value"].get("incomplete") or [] if one["step"].startswith("tag:")}

    def judge_goals(self):
        """Goals name a contact, not an order: they are counted per contact over the orders that were created."""
        wanted, doubtful = collections.Counter(), collections.Counter()
        order_of = collections.defaultdict(list)  # contact id -> goal lists of its orders
        for key, mappings in self.accepted.items():
            store_hash, number = key
            creates = self.creates.get(f"bc-{store_hash}-{number}", [])
            if not creates or not mappings:
                continue
            contact = str(creates[0][2].get("contact_id"))
            goals = mappings[0]["goals"]
            order_of[contact].append(goals)
            spared = self.spared_goals(f"{store_hash}/order/{number}", goals)
            later = {goal for mapping in mappings[1:] for goal in mapping["goals"]} - set(goals)
            for goal in goals:
                wanted[contact, goal] += 1
                if goal in spared or any(goal not in mapping["goals"] for mapping in mappings):
                    doubtful[contact, goal] += 1
            for goal in later:
                wanted[contact, goal] += 1
                doubtful[contact, goal] += 1
        got = collections.Counter()
        sequence = collections.defaultdict(list)
        for entry in self.journal:
            if entry["side"] == "is" and entry.get("path", "").endswith("/goals/achieve") and entry.get("effect"):
                body = self.body(entry)
                goal = (body.get("integration"), body.get("call_name"))
                got[str(body.get("contact_id")), goal] += 1
                sequence[str(body.get("contact_id"))].append(goal)
        for (contact, goal) in set(got) | set(wanted):
            have, want = got[contact, goal], wanted[contact, goal]
            if want == 0:
                self.blame(f"contact {contact}: goal {goal[0]}/{goal[1]} that no order asks for")
            elif have > want:
                self.blame(f"contact {contact}: goal {goal[0]}/{goal[1]} achieved {have} times, expected {want}")
            elif have < want - doubtful[contact, goal]:
                self.blame(f"contact {contact}: goal {goal[0]}/{goal[1]} achieved {have} times, expected {want}")
        for contact, lists in order_of.items():
            if len(lists) == 1 and not self.in_line_order(sequence[contact], lists[0]):
                self.blame(f"contact {contact}: goals not in line order: {sequence[contact]}")

    @staticmethod
    def in_line_order(got, goals):
        """The order first, then SKUs as the lines have them, then coupons in any order; some may be missing."""
        wanted = [goal for goal in goals if goal in got and goal[0] != "BCCOUPON"]
        return got[:len(wanted)] == wanted

    def spared_goals(self, name, goals):
        """Goals of an order that need not have been achieved: in doubt or refused as its fate says, or withheld."""
        last = next(reversed(self.versions[self.split(name)]))
        if last["status_id"] in reference.WITHDRAWN or self.expect.get("goals") == "at_most_once":
            return set(goals)
        spared = set()
        for fate in (self.fates or {}).get(name, []):
            value = fate.get("value")
            if fate["topic"] != "delivered" or not isinstance(value, dict):
                continue
            listed = [json.dumps(entry) for entry in (value.get("in_doubt") or []) + (value.get("incomplete") or [])]
            for integration, call_name in goals:
                if any(integration in text and json.dumps(call_name)[1:-1] in text for text in listed):
                    spared.add((integration, call_name))
        return spared
