"""The stack with the questions that the rows and decisions ask of the account."""

from urllib.parse import quote

from evidence import Evidence
from stack import Stack


class Shop(Stack):
    """A stack with the questions that the rows ask."""

    def place_and_wait(self, order, store="abc123", wanted=("delivered", None), timeout=30):
        """Places an order, waits for its answer and asserts it. Returns the order as the store has it."""
        placed = self.place(order, store)
        fate = self.wait_fate(placed["id"], store, timeout)
        assert fate == wanted
        return placed

    def mark(self):
        """The journal's length now, for requests_since."""
        return len(self.journal())

    def requests_since(self, mark, method=None, path=None, text=None):
        """Requests to the account after the mark: by method, end of the path, and a text in body or query."""
        found = []
        for entry in self.journal()[mark:]:
            if entry["side"] != "is" or (method and entry["method"] != method):
                continue
            if path and not entry["path"].endswith(path):
                continue
            if text and text.lower() not in f"{entry.get('body')} {entry.get('query')}".lower():
                continue
            found.append(entry)
        return found

    def created(self, number, store="abc123"):
        """The bodies of every order create for this order, whatever the client got to see."""
        key = f"bc-{store}-{number}"
        found = []
        for entry in self.journal():
            effect = entry.get("effect") or {}
            if entry["side"] == "is" and effect.get("made") == "order" and key in str(entry.get("body")):
                found.append(self.body(entry))
        return found

    @staticmethod
    def body(entry):
        return Evidence.body(entry)

    def goals(self, contact_id):
        """(integration, call name) of every goal achieved for the contact, in order."""
        found = []
        for entry in self.journal():
            if entry["side"] == "is" and entry["path"].endswith("/goals/achieve") and entry.get("effect"):
                body = self.body(entry)
                if str(body.get("contact_id")) == str(contact_id):
                    found.append((body.get("integration"), body.get("call_name")))
        return found

    def contact(self, email):
        """The contact of that address as the account has it now; asserts that there is just one."""
        found = self.infusionsoft("GET", f"/contacts?filter={quote('email==' + email, safe='')}&page_size=10"
                                         "&fields=given_name,family_name,email_addresses,phone_numbers,addresses")
        assert len(found["contacts"]) == 1, f"{len(found['contacts'])} contacts"
        return found["contacts"][0]

    def no_contact(self, email):
        return not self.infusionsoft("GET", f"/contacts?filter={quote('email==' + email, safe='')}")["contacts"]
