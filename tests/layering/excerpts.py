#!/usr/bin/env python3
"""excerpts.py ROOT DOCUMENT: each block of C++ in it is made of lines of the file that the comment before it names, in their order."""
import pathlib
import re
import sys

root, document = pathlib.Path(sys.argv[1]), sys.argv[2]
text = (root / document).read_text()
blocks = re.findall(r"(?:<!-- (\S+) -->\n)?```cpp\n(.*?)```", text, re.S)
bad = 0
for name, code in blocks:
    if not name:
        bad += 1
        print(f"{document}: a block names no file: {code.splitlines()[0]}")
        continue
    lines = iter(l.strip() for l in (root / name).read_text().splitlines())
    for wanted in (l.strip() for l in code.splitlines()):
        if wanted and not any(l == wanted for l in lines):
            bad += 1
            print(f"{document}: not in {name}, or not in this order: {wanted}")
            break
print(f"{len(blocks) - bad} passed, {bad} failed")
sys.exit(bad > 0 or not blocks)
