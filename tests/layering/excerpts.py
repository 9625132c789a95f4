#!/usr/bin/env python3
"""excerpts.py ROOT DOCUMENT...: what documents show of the library is of programs that are compiled.

- A block of C++, or a table whose last column is code, with <!-- FILE --> in the line before it is made of lines of that file, in their order.
  Where a document's blocks do so, all of them must; the README has others, which name no file.
- In a table "there | here" each word of the code on the right is one of the public headers or of an example.
"""
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
good, bad = 0, 0


def judge(document, what, wrong):
    global good, bad
    good, bad = good + (not wrong), bad + bool(wrong)
    if wrong:
        print(f"{document}: {what}: {wrong}")


def code_of(cell):
    return re.findall(r"`([^`]+)`", cell)


def rows_of(table):
    """The cells of each row, its head and the line below that aside."""
    return [re.split(r"(?<!\\) \| ", row.strip().strip("|").strip()) for row in table.splitlines()[2:]]


def not_in_order(name, wanted):
    """The first line that is not in the file behind the one before it."""
    lines = iter(l.strip() for l in (root / name).read_text().splitlines())
    for w in (w.strip() for w in wanted):
        if w and not any(l == w for l in lines):
            return f"not in {name}, or not in this order: {w}"
    return None


def words_of(code):
    """Names that the library, an example or C++ must know."""
    code = re.sub(r'"[^"]*"', "", code)
    return {w for w in re.findall(r"[A-Za-z_]\w+", code) if not w.isupper()}


def read_words():
    files = [*(root / "include").rglob("*.hpp"), *(root / "examples").rglob("*.?pp")]
    return {w for f in files for w in re.findall(r"[A-Za-z_]\w+", f.read_text())}


known = read_words()
for document in sys.argv[2:]:
    text = (root / document).read_text()
    before = good + bad
    blocks = re.findall(r"(?:<!-- (\S+) -->\n)?```cpp\n(.*?)```", text, re.S)
    strict = document != "README.md"
    for name, code in blocks:
        if name:
            judge(document, code.splitlines()[0], not_in_order(name, code.splitlines()))
        elif strict:
            judge(document, code.splitlines()[0], "the block names no file")
    for name, table in re.findall(r"<!-- (\S+) -->\n((?:\|.*\n)+)", text):
        for row in rows_of(table):
            judge(document, row[0], not_in_order(name, code_of(row[-1])) if code_of(row[-1]) else "there is no code on the right")
    for table in re.findall(r"^\| there \| here \|\n(?:\|.*\n)+", text, re.M):
        for row in rows_of(table):
            codes = [c for c in code_of(row[-1]) if not c.startswith("kafka-cli")]
            judge(document, row[0], ", ".join(f"nothing is called {w}" for c in codes for w in sorted(words_of(c) - known)))
    if good + bad == before:
        judge(document, "all of it", "there is nothing to compare")
print(f"{good} passed, {bad} failed")
sys.exit(bad > 0)
