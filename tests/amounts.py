"""Whether an order's amounts add up, and whether the lines that were sent are what its amounts say.

The judge's arithmetic of money, in exact fractions. It makes no lines: it tries every way in which a store may have meant
its amounts, and then looks whether lines that it is shown could stand in for the order without a word of untruth:
they come to the customer's total, each amount is one that the order states, and what departs from a stated amount is
no more than it must be.
"""

import os
from fractions import Fraction
from math import floor

HERE = os.path.dirname(os.path.abspath(__file__))
DIGITS = {}
with open(f"{HERE}/data/currency_digits.csv", encoding="utf-8") as table:
    for row in table:
        if not row.startswith("#"):
            DIGITS[row.split(",")[0]] = int(row.split(",")[1])


def digits_of(currency):
    """Decimals of the currency."""
    return DIGITS.get((currency or "").upper(), 2)


def units(amount, digits):
    """The amount in whole smallest units of its currency, halves away from zero."""
    size = floor(abs(Fraction(amount)) * 10**digits + Fraction(1, 2))
    return size if amount >= 0 else -size


class Amounts:
    """What one order states. goods: (ex tax, inc tax) of each line with a quantity; costs: (kind, ex tax, inc tax)."""

    def __init__(self, digits, goods, costs, tax, discount, credits, total):
        self.digits = digits
        self.goods = [tuple(map(Fraction, pair)) for pair in goods]
        self.costs = [(kind, Fraction(ex), Fraction(inc)) for kind, ex, inc in costs]
        self.tax, self.discount = Fraction(tax), Fraction(discount)
        self.credits = {name: Fraction(amount) for name, amount in credits.items()}
        self.total = Fraction(total)

    def units(self, amount):
        return units(amount, self.digits)

    def ways(self):
        """[(how far from the total, in smallest units, prices with tax?, credits taken off?)], the nearest first."""
        found = []
        for with_tax in (False, True):
            price = 2 if with_tax else 1
            sale = sum(pair[price - 1] for pair in self.goods) + sum(cost[price] for cost in self.costs)
            sale += 0 if with_tax else self.tax
            for taken_off in (False, True):
                rest = sale - self.discount - (sum(self.credits.values()) if taken_off else 0)
                found.append((abs(rest - self.total) * 10**self.digits, with_tax, taken_off))
        return sorted(found)

    def best_ways(self):
        """Those that explain the total. Ways that differ by less than half a smallest unit are worth the same."""
        ways = self.ways()
        nearest = ways[0][0]
        if nearest > min(len(self.goods), 10):
            return []
        return [way for way in ways if way[0] < nearest + Fraction(1, 2)]

    def adds_up(self):
        """Whether some way explains the total with a tax that is not negative."""
        for _, _, taken_off in self.best_ways():
            least = self.stated(taken_off) - self.units(self.discount)
            if least - self.units(self.total) <= self.slack() and self.tax >= 0:
                return True
        return False

    def why_not(self):
        """For people: what the ways come to."""
        names = {False: "without tax", True: "with tax"}
        return "; ".join(f"amounts {names[with_tax]}{', credits taken off' if off else ''}: {float(gap):.2f} units off"
                         for gap, with_tax, off in self.ways() if not off or any(self.credits.values()))

    def stated(self, taken_off):
        """Goods and costs before tax in smallest units, less the credits where they are taken off."""
        sale = sum(self.units(pair[0]) for pair in self.goods) + sum(self.units(cost[1]) for cost in self.costs)
        return sale - (sum(map(self.units, self.credits.values())) if taken_off else 0)

    def slack(self):
        """What rounding each amount to whole units may come to, in all."""
        return len(self.goods) + len(self.costs)

    def faults(self, lines):
        """What is wrong with lines [(item type, name, smallest units, negative where they lower the total)]."""
        wrong = []
        total = sum(line[2] for line in lines)
        if total != self.units(self.total):
            wrong.append(f"the lines add up to {total} smallest units, the store says {self.units(self.total)}")
        for kind in ("SHIPPING", "FEE"):
            sent = sorted(amount for its, name, amount in lines if its == kind and name != "Rounding")
            wanted = sorted(self.units(cost[1]) for cost in self.costs if cost[0] == kind and self.units(cost[1]) != 0)
            if sent != wanted:
                wrong.append(f"{kind} {sent}, the order states {wanted}")
        reasons = [self.departures(lines, with_tax, off) for _, with_tax, off in self.best_ways()]
        if not reasons:
            wrong.append(f"sent though its amounts do not add up: {self.why_not()}")
        elif [] not in reasons:
            wrong += min(reasons, key=len)
        return wrong

    def departures(self, lines, with_tax, taken_off):
        """Where lines differ from what the order states more than this way of reading it asks for."""
        wrong = []
        single = {}
        for kind, name, amount in lines:
            if kind in ("TAX", "DISCOUNT") or name == "Rounding":
                part = "TAX" if kind == "TAX" else name
                if part in single:
                    wrong.append(f"two lines {part}")
                if amount == 0:
                    wrong.append(f"a line {part} of 0")
                single[part] = amount
        credits = {name: -self.units(amount) for name, amount in self.credits.items() if self.units(amount)}
        sent_credits = {name: single.pop(name) for name in list(single) if name in self.credits}
        if sent_credits != (credits if taken_off else {}):
            wrong.append(f"credits {sent_credits}, expected {credits if taken_off else {}}")
        tax, rounding = single.pop("TAX", 0), single.pop("Rounding", 0)
        discount = -single.pop("Discount", 0)
        if single:
            wrong.append(f"lines {sorted(single)} that nothing explains")
        if tax < 0:
            wrong.append(f"a tax of {tax}")
        stated_tax, stated_discount = self.units(self.tax), self.units(self.discount)
        if rounding and abs(rounding) > self.slack():
            wrong.append(f"a rounding of {rounding}")
        if rounding and stated_tax and stated_tax + rounding > 0:
            wrong.append("a rounding that the tax could have taken")
        # the discount that would leave the tax as it is stated
        fitting = self.stated(taken_off) + stated_tax - self.units(self.total)
        if with_tax and 0 <= fitting <= stated_discount:
            if (tax, discount, rounding) != (stated_tax, fitting, 0):
                wrong.append(f"tax {tax}, discount {discount}, rounding {rounding}; "
                             f"expected {stated_tax}, {fitting}, 0")
            return wrong
        if discount != stated_discount:
            wrong.append(f"discount {discount}, the order states {stated_discount}")
        if not with_tax and abs(tax - stated_tax) > self.slack():
            wrong.append(f"tax {tax}, the order states {stated_tax}")
        return wrong
