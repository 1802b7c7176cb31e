"""`bigfusion setup`: the ledger is started before a field is made, and one account's trouble is not another's."""

import pytest
from shop import mail, order
from shop_stack import Shop

STARTED = "delivery ledger: started"


@pytest.fixture
def bare(request):
    """The servers and the settings, and nothing set up."""
    with Shop(f"e2e-setup-{request.node.name}") as stack:
        stack.start_servers()
        stack.write_config()
        yield stack


def fields_made(stack):
    return sum((entry.get("effect") or {}).get("made") == "order_custom_field" for entry in stack.journal())


def writes(stack):
    return [entry for entry in stack.journal() if entry["side"] == "is" and entry["method"] != "GET"]


def add_second_account(stack, key):
    with open(f"{stack.run}/second_key", "w", encoding="utf-8") as file:
        file.write(key + "\n")
    stack.settings["infusionsoft second"] = {"api_url": f"{stack.url}/crm/rest/v2", "key_file": f"{stack.run}/second_key",
                                             "rate_per_s": 0}
    stack.write_config()


def test_nothing_is_made_without_redis_and_the_next_run_starts_the_ledger(bare):
    bare.redis.stop()
    answer = bare.command("setup", check=False)
    assert answer.returncode == 111, answer.stderr
    assert writes(bare) == [] and "custom field" not in answer.stdout
    bare.redis.start()
    answer = bare.command("setup")
    assert STARTED in answer.stdout and fields_made(bare) == 1
    answer = bare.command("setup")
    assert "is there already" in answer.stdout and "ledger" not in answer.stdout and fields_made(bare) == 1
    # the first epoch: no look-up before the first order is made, and its goals are sent
    bare.start_services(setup=False)
    email = mail("first")
    bare.place_and_wait(order(email))
    assert bare.goals(bare.contact(email)["id"]) == [("BCORDER", "BC"), ("BCSKU", "APPLE")]


def test_an_account_without_its_module_is_set_up_later(bare):
    bare.sandbox_settings(ecommerce=False)
    answer = bare.command("setup", check=False)
    assert answer.returncode == 100 and "e-commerce module" in answer.stderr
    assert fields_made(bare) == 0
    assert "ledger" not in answer.stdout, "it may have had orders once: nothing says that the ledger begins"
    bare.sandbox_settings(ecommerce=True)
    answer = bare.command("setup")
    assert STARTED in answer.stdout and fields_made(bare) == 1


def test_a_refused_credential_of_one_account_leaves_all_untouched(bare):
    add_second_account(bare, "no-such-key")
    answer = bare.command("setup", check=False)
    assert answer.returncode == 100 and "account second" in answer.stderr
    assert writes(bare) == [] and "ledger" not in answer.stdout
    add_second_account(bare, "KeapAK-sandbox")
    answer = bare.command("setup")
    assert STARTED in answer.stdout and fields_made(bare) == 1


def test_an_account_that_fails_keeps_no_other_from_its_field(bare):
    add_second_account(bare, "KeapAK-sandbox")  # the same one behind: it has what the first try did not get
    bare.fault(side="is", method="POST", path="/orders/model/customFields", kind="status", status=400, count=1)
    answer = bare.command("setup", check=False)
    assert answer.returncode == 100 and "account main" in answer.stderr
    assert STARTED in answer.stdout and "account second: order custom field" in answer.stdout
    assert fields_made(bare) == 1
