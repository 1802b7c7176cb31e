"""Each question of docs/merchants.md, played through: the tables of the page are what is placed and what is expected."""

import os
import re
import subprocess

import pytest
from asked import name_of
from processes import ROOT, binary
from shop import item, mail, order

HASHES = {"main": "abc123", "second": "abc124", "third": "abc125", "late": "abc126"}
with open(os.path.join(ROOT, "docs/merchants.md"), encoding="utf-8") as _file:
    SECTIONS = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", _file.read(), re.M | re.S))
used = set()


def table(question):
    """The rows of the question's table, without its heading."""
    used.add(question)
    lines = [line for line in SECTIONS[question].splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]
    assert rows, question
    return rows


OFTEN, STORES, STATUSES = table("How often are orders transferred?"), table("Can several stores send into one account?"), table(
    "Which orders are transferred?")
ADDRESSES, MODULE = table("What about orders without an e-mail address?"), table("Do I need the e-commerce module?")
GOALS = [row for question in ("How do I start a campaign for any order?", "How do I start a campaign for a product or a coupon?",
                              "Can several products lead into one campaign?") for row in table(question)]
MISSING = table("An order is missing. Why?")


def said(cell):
    """(verdict, reason) of "skipped `status`"."""
    verdict, _, reason = cell.partition(" ")
    return verdict, reason.strip("`") or None


def test_each_question_is_played_through():
    assert used == set(SECTIONS)


def test_how_often(shop):
    names = set(re.findall(r"`(poll_\w+)`", SECTIONS["How often are orders transferred?"]))
    helped = subprocess.run([binary("bigfusion-poller"), "--help"], capture_output=True, text=True, check=True).stdout
    assert names == {"poll_interval_s"} and re.search(r"poll_interval_s\W.*\b30\b", helped), helped
    shop.wait_for_poll(HASHES["late"])
    placed = shop.place(order(mail("often")), HASHES["late"])
    for _, words in OFTEN:
        shop.answer(name_of(placed, "LATE"), words, {"waiting": "next_poll"}.get(words), timeout=60)
    assert len(shop.created(placed["id"], HASHES["late"])) == 1


def test_several_stores(shop):
    for store, _, number, _ in STORES:
        shop.place(order(mail("several"), id=int(number)), HASHES[store])
    for store, code, number, title in STORES:
        assert shop.wait_fate(int(number), HASHES[store]) == ("delivered", None)
        made, = shop.created(int(number), HASHES[store])
        assert made["order_title"] == title and title.startswith(code)


def test_statuses(shop):
    placed = []
    for number, name, transferred in STATUSES:
        placed.append((shop.place(order(mail("status"), status=int(number), custom_status="Renamed")), transferred))
        assert name
    assert [int(row[0]) for row in STATUSES] == list(range(15))
    for one, transferred in placed:
        assert shop.wait_fate(one["id"]) == (("delivered", None) if transferred == "yes" else ("skipped", "status"))
        assert len(shop.created(one["id"])) == (1 if transferred == "yes" else 0)


@pytest.mark.parametrize("address, customer, outcome", ADDRESSES)
def test_addresses(shop, address, customer, outcome):
    email = {"(none)": None, "(blanks)": "   "}.get(address, address.strip("`"))
    placed = shop.place(order(email, customer_id=0 if customer == "guest" else 11))
    shop.answer(name_of(placed), *said(outcome))
    assert len(shop.created(placed["id"])) == (outcome == "synced")


def test_ecommerce_module(shop):
    email = mail("module")
    placed = None
    try:
        for state, contact, goals, made, words in MODULE:
            shop.sandbox_settings(ecommerce=state != "missing")
            placed = placed or shop.place(order(email))
            shop.answer(name_of(placed), *said(words), timeout=60)
            assert (contact, goals) == ("there", "achieved")
            assert shop.goals(shop.contact(email)["id"]) == [("BCORDER", "BC"), ("BCSKU", "APPLE")]
            assert len(shop.created(placed["id"])) == (made == "there")
    finally:
        shop.sandbox_settings(ecommerce=True)


@pytest.mark.parametrize("store, inside, goals", GOALS)
def test_goals(shop, store, inside, goals):
    email = mail("goals")
    coupons = re.findall(r"coupon `(\w+)`", inside)
    skus = [sku for sku in re.findall(r"`(\w+)`", inside) if sku not in coupons] or [""]
    placed = order(email, [item(sku, f"Something {sku}") for sku in skus], coupons=[(code, "1.00") for code in coupons])
    shop.place_and_wait(placed, HASHES[store])
    assert shop.goals(shop.contact(email)["id"]) == re.findall(r"`(\w+)`/`(\w+)`", goals)


def test_missing(shop):
    email = mail("missing")
    placed = {"is in Infusionsoft": order(email), "waits for payment": order(email, status=7),
              "does not add up": order(email, total_inc_tax="99.0000")}
    for state, words in MISSING:
        one = shop.place(placed[state]) if state in placed else {"id": 5000002}
        shop.answer(name_of(one), *said(words))
