"""Countries and regions for reference.py, from ISO 3166 as Debian's iso-codes has it."""

import json
import unicodedata

ISO_CODES = "/usr/share/iso-codes/json"


def fold(text):
    decomposed = unicodedata.normalize("NFKD", text.strip())
    return "".join(c for c in decomposed if not unicodedata.combining(c)).casefold()


class Places:
    def __init__(self):
        with open(f"{ISO_CODES}/iso_3166-1.json", encoding="utf-8") as file:
            self.alpha3 = {c["alpha_2"]: c["alpha_3"] for c in json.load(file)["3166-1"]}
        self.by_name, self.by_loose_name, self.codes = {}, {}, set()
        with open(f"{ISO_CODES}/iso_3166-2.json", encoding="utf-8") as file:
            for entry in json.load(file)["3166-2"]:
                country = entry["code"][:2]
                self.codes.add(entry["code"])
                self.by_name.setdefault((country, fold(entry["name"])), set()).add(entry["code"])
                loose = "".join(c for c in fold(entry["name"]) if c.isalnum())
                self.by_loose_name.setdefault((country, loose), set()).add(entry["code"])

    def regions(self, alpha2, state):
        """The acceptable region codes of a state's name; None among them: it may be left out."""
        if not isinstance(state, str) or not state.strip():
            return {None}
        found = self.by_name.get((alpha2, fold(state)), set())
        if found:
            # A letter like o-slash has no decomposition: whether "without diacritics" covers it is left open.
            return found if fold(state).isascii() else found | {None}
        # Two more ways to be kind, neither asked for: the code itself, and "Cote d'Or" for "Cote-d'Or".
        code = f"{alpha2}-{state.strip().upper()}"
        loose = self.by_loose_name.get((alpha2, "".join(c for c in fold(state) if c.isalnum())), set())
        return ({code} & self.codes) | loose | {None}


PLACES = Places()
