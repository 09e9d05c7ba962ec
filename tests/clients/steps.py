"""What the scenarios in Python share: steps with a name, and printing.

usage: scenario_X.py MODE HOST FOLDER PORT USER DATABASE
MODE is `whole` (every step) or `masked` (every way to read customers).
FOLDER holds the Unix socket. The password is in PGPASSWORD.
"""

import sys
import traceback

MODE, HOST, FOLDER, PORT, USER, DATABASE = sys.argv[1:]
CUSTOMERS = ("SELECT id, email, card_number, birth_date, credit_limit, city "
             "FROM customers WHERE id <= 50 ORDER BY id")
# What the server complains of, in every field it can.
WRONG = (
    "SELECT 1/0",
    "SELECT nothing",
    "SELEC 1",
    "SELECT 'x'::int",
    "SELECT 41::knots",
    "SELECT * FROM nowhere",
    "INSERT INTO ledger VALUES (1, NULL, 1)",
    "INSERT INTO ledger VALUES (1, 'one', 1), (1, 'again', 1)",
    "INSERT INTO ledger VALUES (1, 'one', -1)",
    "INSERT INTO ledger VALUES (1, 'one', 1, 0)",
    "SELECT speak('EXCEPTION', 'a word')",
    "DO $$ BEGIN PERFORM nothing; END $$",
)
steps = {"whole": [], "masked": []}
now = ""


def saw(*values):
    """One line of what this step saw."""
    line = " ".join(str(v) for v in values)
    print(f"{now}: " + line.replace("\n", "\\n"))


def step(function):
    """A step of the whole scenario, named as in test_clients.py."""
    steps["whole"].append(function)
    return function


def way(function):
    """A way to read customers, whose rows it returns."""
    steps["masked"].append(function)
    return function


def show(rows):
    """Customers as test_clients.py expects them."""
    for row in rows or ():
        print("|".join([now, *(str(value) for value in row)]))


def run():
    global now
    failed = 0
    for function in steps[MODE]:
        now = function.__name__
        try:
            show(function())
        except Exception:
            failed = 1
            saw("STOPPED", traceback.format_exc(limit=-4))
    sys.exit(failed)
