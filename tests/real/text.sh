#!/bin/sh
# A text of N lines, the same each time: text.sh N. It has what breaks programs that pass lines on: empty lines, lines of nothing but
# blanks, tabs, blanks at both ends, quotes and backslashes, four scripts of UTF-8, and lines of up to 5 KB. No carriage returns, which
# Java's readers take for line ends; no two lines but the empty ones are equal, so that a lost or doubled line is seen when sorted, too.
set -eu
LC_ALL=C exec awk -v lines="${1:-100000}" '
    # A linear congruence: its products stay below 2^53, so each awk gives the same numbers.
    function next_number(below) { seed = (seed * 69069 + 1) % 4294967296; return int(seed / 4294967296 * below) }
    function phrase(words,    text) {
        text = word[next_number(count) + 1]
        while (--words > 0) text = text " " word[next_number(count) + 1]
        return text
    }
    BEGIN {
        seed = 20240607
        count = split("record batch offset leader epoch größer naïve œuvre Ωμέγα δίσκος журнал запись 記録 分区 로그 🜂 🚀 {\"k\":[1,2]} a\\tb \\u0000 100% $HOME <x&y> it'"'"'s", word, " ")
        for (i = 1; i <= lines; ++i) {
            kind = i % 16
            if (i % 97 == 0) print ""
            else if (i % 499 == 0) {
                long = i ":"
                size = 1000 + next_number(4000)
                while (length(long) < size) long = long phrase(4) "|"
                print long
            }
            else if (kind == 1) printf "\t%d\t%s\t\n", i, phrase(3)
            else if (kind == 2) printf "   %d %s   \n", i, phrase(2)
            else if (kind == 3) printf "%" (1 + next_number(6)) "s%d\n", "", i
            else if (kind == 4) printf "%d %032d\n", i, 0
            else printf "%d %s\n", i, phrase(4 + next_number(12))
        }
    }'
