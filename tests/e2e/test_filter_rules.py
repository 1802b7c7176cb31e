"""What the filter skips and says so: archived orders, and addresses that are none, through the real binaries."""

from shop import mail, order

NO_ADDRESSES = ("a@b.co,c@d.co", "<script>@x", "a@b.co;c@d.co", "mailto:jane@example.com", "jane(home)@example.com",
                "jane@home@example.com", "<jane@example.com>")


def test_archived_orders_are_skipped_with_a_reason_of_their_own(shop):
    email = mail("archived")
    placed = shop.place_and_wait(order(email, is_deleted=True), wanted=("skipped", "archived"))
    assert shop.created(placed["id"]) == []
    assert shop.no_contact(email)
    shop.change(placed["id"], is_deleted=False)
    shop.wait_fate(placed["id"], wanted=("delivered", None))
    assert len(shop.created(placed["id"])) == 1


def test_addresses_with_a_second_at_or_a_separator_are_none(shop):
    mark = shop.mark()
    placed = [shop.place(order(address)) for address in NO_ADDRESSES]
    for one in placed:
        assert shop.wait_fate(one["id"], wanted=("skipped", "invalid_email"))
        assert shop.created(one["id"]) == []
    assert [e for e in shop.requests_since(mark, "POST") if any(a in str(e["body"]) for a in NO_ADDRESSES)] == []
