"""The judge on trial where a store has after_sync: as test_oracle.py, with an order that was cancelled after it was synced."""

import pytest
from test_oracle import again, judge, made, right_run


def cancelled_run(how):
    run = right_run()
    run["start"] = [run["orders"][0]]
    run["orders"][0] = {**run["orders"][0], "status_id": 4, "refunded_amount": "12.5000"}
    run["expect"]["stores"]["abc123"] = {"after_sync": how}

    def add(path, kind, number, **state):
        run["journal"].append({"n": 0, "t": 1790000100.0, "side": "is", "method": "POST", "path": f"/crm/rest/v2/{path}",
                               "query": "", "body": state, "status": 201, "effect": {"made": kind, "id": number, **state},
                               "fault": None})
    if how == "note":
        add("contacts/41/notes", "note", "91", title="bc-abc123-149 Refunded 12.5 USD", contact_id="41")
    if how == "tag":
        add("tags", "tag", "92", name="Order Refunded")
        add("tags/92/contacts:applyTags", "tagging", "92", results={"41": "SUCCESS"})
    return run


@pytest.mark.parametrize("how", ["note", "tag", "ignore"])
def test_oracle_accepts_what_the_setting_asks_for(tmp_path, how):
    answer = judge(cancelled_run(how), str(tmp_path))
    assert (answer.returncode, answer.stdout) == (0, "orders=3 created=3 lost=0 duplicated=0\n")


def missing_note(run):
    run["journal"].remove(made(run, "note", "91"))


def doubled_note(run):
    again(run, made(run, "note", "91"), id="95")


def note_of_another_state(run):
    made(run, "note", "91")["effect"]["title"] = "bc-abc123-149 Cancelled"


def note_on_another_contact(run):
    made(run, "note", "91")["effect"]["contact_id"] = "42"


def note_though_ignored(run):
    run["expect"]["stores"]["abc123"] = {}


def missing_tag(run):
    run["journal"].remove(made(run, "tagging", "92"))


def tag_though_ignored(run):
    run["expect"]["stores"]["abc123"] = {}


def tag_of_another_name(run):
    run["expect"]["stores"]["abc123"]["after_sync_tag"] = "{code} {status}"


WRONG = [("note", one) for one in (missing_note, doubled_note, note_of_another_state, note_on_another_contact,
                                   note_though_ignored)] + [
    ("tag", one) for one in (missing_tag, tag_though_ignored, tag_of_another_name)]


@pytest.mark.parametrize("how,wrong", WRONG, ids=lambda one: getattr(one, "__name__", one))
def test_oracle_refuses(tmp_path, how, wrong):
    run = cancelled_run(how)
    wrong(run)
    answer = judge(run, str(tmp_path))
    assert answer.returncode == 1 and ("note" in answer.stdout or "tag" in answer.stdout), answer.stdout
