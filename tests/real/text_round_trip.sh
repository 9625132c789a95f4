#!/bin/bash
# A real text through a real cluster, line by line, and back byte for byte: what kafka-cli writes is read by kafka-cli, kcat and Java's
# console consumer, and what those two write is read by kafka-cli, under each codec with acks=all.
#   text_round_trip.sh KAFKA_CLUSTER KAFKA_CLI VERSION NODES [FILE]
# FILE is the text; without it, the licences and copyright notices of this machine's packages. Prints a line for each comparison.
set -u
kafka=$1 cli=$2 version=$3 nodes=$4
work=$(mktemp -d)
name=text-$$
text=$work/text
trap '"$kafka" down --name $name >/dev/null 2>&1; rm -rf "$work"' EXIT

if [ $# -gt 4 ]; then
    cp "$5" "$text"
else
    cat /usr/share/common-licenses/* /usr/share/doc/*/copyright 2>/dev/null | head -n 120000 >"$text"
fi
lines=$(wc -l <"$text")
if [ "$lines" -lt 100000 ] && [ $# -le 4 ]; then    # few packages: the same text again
    while [ "$(wc -l <"$work/long" 2>/dev/null || echo 0)" -lt 100000 ]; do cat "$text" >>"$work/long"; done
    mv "$work/long" "$text"
    lines=$(wc -l <"$text")
fi
grep -v '^$' "$text" >"$work/filled"    # kcat sends no empty lines
iconv -c -f UTF-8 -t UTF-8 "$text" | tr -d '\r' >"$work/plain"    # Java's console producer takes a carriage return for the end of a line

servers=$("$kafka" up --name $name --version "$version" --nodes "$nodes" --ttl 1800) || exit 1
echo "Kafka $version, $nodes node(s): $lines lines, $(wc -c <"$text") bytes"

codecs="none gzip snappy lz4"
case $version in 0.* | 1.* | 2.0*) ;; *) codecs="$codecs zstd" ;; esac
bootstrap=--bootstrap-server
case $version in 0.* | 1.*) bootstrap=--broker-list ;; esac    # of the console producer

passed=0
failed=0
compare() {    # compare WHAT EXPECTED GOT
    if cmp -s "$2" "$3"; then
        passed=$((passed + 1))
        echo "ok      $1"
    else
        failed=$((failed + 1))
        echo "FAILED  $1: $(wc -l <"$3") of $(wc -l <"$2") lines; $(cmp "$2" "$3" 2>&1 | head -n 1)"
        tail -n 3 "$work/err" | sed 's/^/        /'
    fi
}
by_cli() { timeout 120 "$cli" consume "$1" --brokers "$servers" -o start --until-end >"$work/got" 2>"$work/err"; }
by_kcat() { timeout 120 kcat -C -b "$servers" -t "$1" -o beginning -e -q -f '%s\n' >"$work/got" 2>"$work/err"; }
by_java() {
    timeout 120 "$kafka" tool --name $name console-consumer --topic "$1" --from-beginning --max-messages "$2" --timeout-ms 30000 \
        >"$work/got" 2>"$work/err"
}

# The broker stores batches as they come: its own tool must find the codec in its log.
check_codec() {    # check_codec TOPIC CODEC
    "$kafka" tool --name $name dump-log --files "$("$kafka" data 1 --name $name)/$1-0/00000000000000000000.log" >"$work/got" 2>"$work/err"
    if grep -qiE "codec: ?($2|${2}CompressionCodec)( |$)" "$work/got"; then
        passed=$((passed + 1))
        echo "ok      $2: in the broker's log"
    else
        failed=$((failed + 1))
        echo "FAILED  $2: not in the broker's log: $(grep -i codec "$work/got" | head -n 1)"
    fi
}

for codec in $codecs; do
    topic=cli-$codec
    if ! timeout 120 "$cli" produce "$topic" "$text" --brokers "$servers" --compression "$codec" --acks all --create "1:$nodes" 2>"$work/err"; then
        echo "FAILED  kafka-cli produce, $codec: $(tail -n 2 "$work/err" | tr '\n' ' ')"
        failed=$((failed + 1))
        continue
    fi
    [ "$codec" = none ] || check_codec "$topic" "$codec"
    by_cli "$topic"
    compare "$codec: kafka-cli to kafka-cli" "$text" "$work/got"
    by_kcat "$topic"
    compare "$codec: kafka-cli to kcat" "$text" "$work/got"
    by_java "$topic" "$lines"
    compare "$codec: kafka-cli to Java" "$text" "$work/got"

    topic=kcat-$codec
    timeout 120 kcat -P -b "$servers" -t "$topic" -z "$codec" -X acks=all -l "$text" 2>"$work/err"
    by_cli "$topic"
    compare "$codec: kcat to kafka-cli" "$work/filled" "$work/got"

    topic=java-$codec
    acks="--producer-property acks=all"
    [ "$version" = 0.10.2.2 ] && acks="--request-required-acks all"
    timeout 120 "$kafka" tool --name $name console-producer $bootstrap "$servers" --topic "$topic" --compression-codec "$codec" $acks \
        <"$work/plain" >/dev/null 2>"$work/err"
    by_cli "$topic"
    compare "$codec: Java to kafka-cli" "$work/plain" "$work/got"
done
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
