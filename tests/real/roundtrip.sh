#!/usr/bin/env bash
# The text of text.sh goes into real Apache Kafka with kafka-cli and comes back through kafka-cli, kcat and Java's console consumer, byte for
# byte; what kcat and Java's console producer write comes back through kafka-cli. `roundtrip.sh KAFKA-CLI KAFKA-CLUSTER VERSION...`; 4.3.0 is
# a cluster of three, and has more cases. KAFKAWIRE_FULL=1: Java's clients under every codec on every version, and more than one codec where
# the rest needs only one. KAFKAWIRE_TEXT=FILE: that text instead.
# A line for each check, and at the end "N passed, N failed".
set -uo pipefail
cli=$1 kafka=$2
shift 2
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
full=${KAFKAWIRE_FULL:-0}
for needed in kcat java awk cmp; do
    command -v "$needed" >/dev/null || { echo "roundtrip.sh needs $needed (Debian: apt-get install kcat default-jdk-headless mawk diffutils)"; exit 1; }
done
# Java's programs read and print in the charset of the locale, or before Java 18 of this property.
export LC_ALL=C.UTF-8 JAVA_TOOL_OPTIONS=-Dfile.encoding=UTF-8
unset KAFKAWIRE_BOOTSTRAP_SERVERS

dir=$(mktemp -d)
name=roundtrip-$$
finish() {
    "$kafka" down --name "$name" >/dev/null 2>&1
    rm -rf "$dir"
}
trap finish EXIT
trap 'exit 130' INT TERM

passed=0 failed=0
version='' codec='' lines=0 brokers='' kcat_options=()

# check WHAT COMMAND...: the command's status decides; what it wrote to $dir/err is shown if it fails.
check() {
    local what=$1 began=$EPOCHREALTIME word=ok
    shift
    : >"$dir/err"
    if "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)) word=FAILED; fi
    awk -v a="$began" -v b="$EPOCHREALTIME" -v w="$word" -v v="$version" -v c="$codec" -v n="$lines" -v t="$what" \
        'BEGIN { printf "%-6s %-8s %-6s %6d lines %6.2f s  %s\n", w, v, c, n, b - a, t }'
    if [[ $word == FAILED ]]; then tail -n 5 "$dir/err" | cut -c 1-300 | sed 's/^/       /'; fi
}

# The three clients. Each reads one topic to its end ($1) into a file ($2); a fourth and later words are the client's own options.
ours() { timeout 180 "$cli" --brokers "$brokers" "$@" 2>"$dir/err"; }
ours_writes() { local topic=$1 from=$2; shift 2; ours produce "$topic" "$from" -z "$codec" --acks all "$@" >"$dir/out" && [[ ! -s $dir/out ]]; }
ours_reads() { local topic=$1 to=$2; shift 2; ours consume "$topic" -o start --until-end "$@" >"$to"; }
kcat_writes() { local topic=$1 from=$2; shift 2; timeout 180 kcat -P -b "$brokers" -t "$topic" -z "$codec" -X acks=all "${kcat_options[@]}" "$@" -l "$from" 2>"$dir/err"; }
kcat_reads() { local topic=$1 to=$2; shift 2; timeout 180 kcat -C -e -q -b "$brokers" -t "$topic" -o beginning "${kcat_options[@]}" "$@" >"$to" 2>"$dir/err"; }
java_writes() {
    local topic=$1 from=$2
    shift 2
    # Its own limit is 1.5 s, after which records are dropped: too little on a busy machine.
    timeout 300 "$kafka" tool --name "$name" console-producer --topic "$topic" --compression-codec "$codec" --request-required-acks -1 \
        --request-timeout-ms 60000 "$@" <"$from" >"$dir/out" 2>"$dir/err"
}
java_reads() {
    local topic=$1 to=$2 count
    count=$(wc -l <"$3")
    shift 3
    timeout 300 "$kafka" tool --name "$name" console-consumer --topic "$topic" --from-beginning --max-messages "$count" --timeout-ms 60000 "$@" >"$to" 2>"$dir/err"
}
# comes_back CLIENT TOPIC EXPECTED [OPTION...]: that client reads exactly the expected bytes.
comes_back() {
    local client=$1 topic=$2 expected=$3
    shift 3
    if [[ $client == java ]]; then java_reads "$topic" "$dir/back" "$expected" "$@"; else "${client}_reads" "$topic" "$dir/back" "$@"; fi && cmp "$dir/back" "$expected" >>"$dir/err" 2>&1
}
from_other() { make_topic "$1-$codec" 1 && "$1_writes" "$1-$codec" "$dir/text" && comes_back ours "$1-$codec" "$2"; }
make_topic() { ours topics create "$1" --partitions "$2" --replicas "$replicas" >/dev/null; }

# refused STATUS PATTERN COMMAND...: ends with that status, nothing on standard output, and on standard error one sentence with the
# pattern in it or in its hint.
refused() {
    local wanted=$1 pattern=$2 status
    shift 2
    "$@" >"$dir/out" 2>"$dir/err"
    status=$?
    ((status == wanted)) || { echo "status $status, not $wanted" >>"$dir/err"; return 1; }
    [[ ! -s $dir/out ]] && grep -q -e "$pattern" "$dir/err" || return 1
    [[ $(head -n 1 "$dir/err") == 'kafka-cli: '* && $(grep -c -v -E '^(cause|hint): ' "$dir/err") == 1 ]]
}
plain() { timeout 60 "$cli" "$@"; }
plain_to_broker() { timeout 60 "$cli" --brokers "$brokers" "$@"; }

# The text under one codec, from each client to each. $1: whether Java's programs take part.
through_codec() {
    local java=$1 topic=text-$codec
    check "kafka-cli can make the topic" make_topic "$topic" 1
    check "kafka-cli writes, acks=all" ours_writes "$topic" "$dir/text"
    check "kafka-cli -> kafka-cli" comes_back ours "$topic" "$dir/text"
    check "kafka-cli -> kcat" comes_back kcat "$topic" "$dir/text"
    if ((java)); then check "kafka-cli -> Java" comes_back java "$topic" "$dir/text"; fi
    # kcat leaves empty lines out.
    check "kcat -> kafka-cli (without empty lines)" from_other kcat "$dir/filled"
    if ((java)); then check "Java -> kafka-cli" from_other java "$dir/text"; fi
}

# What the broker's log holds under each codec, as Kafka's own tool reads it: the codec said is the codec used, and each batch has the id
# of its producer, without which a repeated request would double records.
codec_is_used() {
    local log
    log=$("$kafka" data 1 --name "$name")/text-$codec-0/00000000000000000000.log
    "$kafka" tool --name "$name" dump-log --files "$log" >"$dir/out" 2>"$dir/err"
    grep -q -i "compresscodec: $codec" "$dir/out" && ! grep -i 'compresscodec: ' "$dir/out" | grep -q -v -i "compresscodec: $codec" && ! grep -q 'producerId: -1' "$dir/out" && grep -q 'producerId: ' "$dir/out"
}

# Six partitions: nothing is lost or doubled, and each partition is the same through kafka-cli and kcat.
six_partitions() {
    local topic=$1 p
    : >"$dir/all"
    for p in 0 1 2 3 4 5; do
        ours_reads "$topic" "$dir/ours.$p" --partition "$p" && kcat_reads "$topic" "$dir/kcat.$p" -p "$p" || return 1
        [[ -s $dir/ours.$p ]] && cmp "$dir/ours.$p" "$dir/kcat.$p" >>"$dir/err" 2>&1 || return 1
        cat "$dir/ours.$p" >>"$dir/all"
    done
    sorted_same "$dir/all" "$dir/text"
}
sorted_same() { cmp <(LC_ALL=C sort "$1") <(LC_ALL=C sort "$2") >>"$dir/err" 2>&1; }
all_six_at_once() { ours_reads "$1" "$dir/back" && sorted_same "$dir/back" "$dir/text"; }
# Keys go where Java's client puts them: partition by partition what another client wrote (murmur2) and what we wrote are the same.
same_partitions() {
    local p
    for p in 0 1 2 3 4 5; do
        kcat_reads "$1" "$dir/one.$p" -p "$p" -f '%k=%s\n' && kcat_reads "$2" "$dir/two.$p" -p "$p" -f '%k=%s\n' || return 1
        [[ -s $dir/one.$p ]] && cmp "$dir/one.$p" "$dir/two.$p" >>"$dir/err" 2>&1 || return 1
    done
}

partitions_and_keys() {
    check "kafka-cli can make 6 partitions" make_topic "six-$codec" 6
    check "kafka-cli writes 6 partitions" ours_writes "six-$codec" "$dir/text"
    check "6 partitions: each kafka-cli = kcat, together the text" six_partitions "six-$codec"
    check "6 partitions at once through kafka-cli, sorted" all_six_at_once "six-$codec"
    LC_ALL=C awk '{ print "key-" NR % 1000 "=" $0 }' "$dir/text" >"$dir/keyed"
    make_topic "keys-$codec" 6 && make_topic "kcat-keys-$codec" 6 && make_topic "java-keys-$codec" 6
    check "kafka-cli writes keys" ours_writes "keys-$codec" "$dir/keyed" -K =
    kcat_writes "kcat-keys-$codec" "$dir/keyed" -K = -X topic.partitioner=murmur2_random
    check "keys lie where kcat's murmur2 puts them" same_partitions "keys-$codec" "kcat-keys-$codec"
    java_writes "java-keys-$codec" "$dir/keyed" --reader-property parse.key=true --reader-property key.separator==
    check "keys lie where Java puts them" same_partitions "keys-$codec" "java-keys-$codec"
}

# Both copies as JSON, but for the topic's name; and as kcat shows them.
json_copy() {
    local from=$1 to=$2
    ours_reads "$from" "$dir/from.json" --output json && ours produce "$to" --input json -z "$codec" "$dir/from.json" >/dev/null && ours_reads "$to" "$dir/to.json" --output json || return 1
    cmp <(without_names "$dir/from.json") <(without_names "$dir/to.json") >>"$dir/err" 2>&1 && [[ -s $dir/to.json ]] || return 1
    kcat_reads "$from" "$dir/from.kcat" -f '%p %o %T %K:%k %S:%s %h\n' && kcat_reads "$to" "$dir/to.kcat" -f '%p %o %T %K:%k %S:%s %h\n' && cmp "$dir/from.kcat" "$dir/to.kcat" >>"$dir/err" 2>&1
}
# The name, and who wrote it: each run of kafka-cli is a producer of its own.
without_names() { LC_ALL=C sed -E 's/^\{"topic":"[^"]*",//; s/,"producer_id":[0-9]+,"producer_epoch":[0-9]+,"sequence":[0-9]+//; s/,"leader_epoch":[0-9]+//' "$1"; }
kcat_shows() { kcat_reads "$1" "$dir/back" -f '%T %K:%k %S:%s %h\n' && cmp "$dir/back" "$dir/expected" >>"$dir/err" 2>&1; }
record_forms() {
    local topic=forms-$1
    make_topic "$topic" 1 && make_topic "$topic-copy" 1
    cat >"$dir/forms.json" <<'END'
{"key":"k1","value":"v1","timestamp_ms":1700000000123,"headers":[{"key":"h","value":"1"},{"key":"h","value":"2"},{"key":"none","value":null},{"key":"empty","value":""}]}
{"key":null,"value":"only a value","timestamp_ms":1}
{"key":"only a key","value":null,"timestamp_ms":1700000000000}
{"key":null,"value":null,"timestamp_ms":1700000000001}
{"key":"","value":"","timestamp_ms":0}
{"key":"Ωμέγα 🚀","value":"line\nfeed \"quoted\" \\ \u0001","timestamp_ms":1234567890123}
{"key_base64":"gP8=","value_base64":"/wD+","timestamp_ms":1700000000002}
END
    printf '%s\n' '1700000000123 2:k1 2:v1 h=1,h=2,none=NULL,empty=' '1 -1: 12:only a value ' '1700000000000 10:only a key -1: ' '1700000000001 -1: -1: ' '0 0: 0: ' \
        $'1234567890123 15:Ωμέγα 🚀 22:line\nfeed "quoted" \\ \x01 ' >"$dir/expected"
    printf '1700000000002 2:\x80\xff 3:\xff\0\xfe \n' >>"$dir/expected"
    if [[ $1 == old ]]; then
        # The old message formats have no headers.
        check "headers to a broker without them" refused 1 'header' plain_to_broker -q produce "$topic" --input json "$dir/forms.json"
        make_topic "$topic-plain" 1
        topic=$topic-plain
        sed -i -E 's/,"headers":\[.*\]//' "$dir/forms.json"
        sed -i 's/ h=1,.*/ /' "$dir/expected"
    fi
    lines=7
    check "keys, nulls, headers, times, from JSON" ours produce "$topic" --input json -z "$codec" "$dir/forms.json"
    check "kcat sees the same" kcat_shows "$topic"
    check "consume as JSON | produce from JSON: equal" json_copy "$topic" "forms-$1-copy"
}

odd_bytes() {
    make_topic odd 1 && make_topic long 1
    printf 'no\rfeed\r\n\0nul\n\xff\xfe not UTF-8\n\n\nlast, without a line feed' >"$dir/odd"
    { cat "$dir/odd"; echo; } >"$dir/odd-back"
    lines=6
    check "odd bytes, no last line feed: kafka-cli writes" ours_writes odd "$dir/odd"
    check "odd bytes: kafka-cli -> kafka-cli" comes_back ours odd "$dir/odd-back"
    check "odd bytes: kafka-cli -> kcat" comes_back kcat odd "$dir/odd-back"
    lines=3
    { echo before; head -c 1000000 /dev/zero | tr '\0' x; echo; echo after; } >"$dir/long"
    check "a line of 1 MB: kafka-cli writes" ours_writes long "$dir/long"
    check "a line of 1 MB: kafka-cli -> kafka-cli" comes_back ours long "$dir/long"
    check "a line of 1 MB: kafka-cli -> kcat" comes_back kcat long "$dir/long"
    head -c 3000000 /dev/zero | tr '\0' x >"$dir/longer"
    check "a line of 3 MB is refused" refused 1 'MESSAGE_TOO_LARGE\|too large\|max.message.bytes' plain_to_broker -q produce long "$dir/longer"
}

# The go-kafka form. Its consumer runs until it is interrupted: consumes LINES TOPIC OPTION... waits for so many lines, and then does that.
consumes() {
    local wanted=$1 pid began=$SECONDS status
    shift
    : >"$dir/back"
    "$cli" -consume -brokers "$brokers" "$@" >"$dir/back" 2>"$dir/err" &
    pid=$!
    while (($(wc -l <"$dir/back") < wanted && SECONDS - began < 30)) && kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
    kill -INT "$pid"
    wait "$pid"
    status=$?
    ((status == 0)) || { echo "status $status" >>"$dir/err"; return 1; }
}
lists_all() { cmp <("$cli" -list -brokers "$brokers" 2>"$dir/err" | sort) <(kcat -L -b "$brokers" | sed -n 's/^  topic "\(.*\)" with.*/\1/p' | sort) >>"$dir/err" 2>&1; }
queries() { "$cli" -query -brokers "$brokers" -topic "$1" >"$dir/back" 2>"$dir/err" && grep -q -w "$1" "$dir/back" && (($(grep -c -E "$2" "$dir/back") == $3)); }
go_produces() { "$cli" -produce -brokers "$brokers" -topic go -partition "$1" -replica 3 -key "$2" -value "$3" >"$dir/back" 2>"$dir/err" && grep -q 'offset' "$dir/back"; }
go_dashes() { "$cli" --produce --brokers="$brokers" --topic=go --partition=4 --key=a --value=one >"$dir/back" 2>"$dir/err"; }
is_there() { kcat_reads "$1" "$dir/back" -p "$2" -f '%k=%s\n' && printf '%s\n' "${@:3}" | cmp - "$dir/back" >>"$dir/err" 2>&1; }
reads_on() { consumes "$1" -topic go -partition 4 -group readers -offset 1 && printf '%s\n' "${@:2}" | cmp - "$dir/back" >>"$dir/err" 2>&1; }
go_kafka_form() {
    lines=1
    check "-produce makes a missing topic of -partition 6" go_produces 6 k first
    check "-query shows its partitions" queries go '^ *([^ ]+[ \t]+)?[0-5][ \t]' 6
    check "-list names what kcat lists" lists_all
    check "-produce -partition 3" go_produces 3 some-key "a value"
    check "kcat finds it there" is_there go 3 "some-key=a value"
    check "--produce --partition=4, two dashes" go_dashes
    check "-consume -offset 1 reads from the oldest" reads_on 1 one
    go_produces 4 b two
    check "-consume -group goes on where it was" reads_on 1 two
    check "mixed with the new form" refused 2 'topics list\|new form\|mix' plain -list --brokers "$brokers" --output json
}

errors() {
    lines=0
    check "no broker there: produce" refused 1 '127.0.0.1:1' plain --timeout 5s --brokers 127.0.0.1:1 produce orders "$here/text.sh"
    check "no broker there: consume" refused 1 '127.0.0.1:1' plain --timeout 5s --brokers 127.0.0.1:1 consume orders -o start
    check "no broker there: topics list" refused 1 '127.0.0.1:1' plain --timeout 5s --brokers 127.0.0.1:1 topics list
    check "no broker there: -list" refused 1 '127.0.0.1:1' plain -list -brokers 127.0.0.1:1
    make_topic orders 1
    check "unknown topic, the nearest is named: produce" refused 1 'orders' plain_to_broker produce ordres "$here/text.sh"
    check "unknown topic, the nearest is named: consume" refused 1 'orders' plain_to_broker consume ordres -o start --until-end
    check "unknown topic, the nearest is named: describe" refused 1 'orders' plain_to_broker topics describe ordres
    check "unknown partition" refused 1 'partition 7' plain_to_broker consume orders --partition 7 -o start --until-end
    check "unknown codec, the nearest is named" refused 2 'zstd' plain_to_broker produce orders -z zsdt "$here/text.sh"
    check "unreadable file" refused 1 'no-such-file' plain_to_broker -q produce orders "$dir/no-such-file"
    check "bad JSON" refused 1 'JSON' plain_to_broker -q produce orders --input json "$here/text.sh"
    check "nothing was written by any of these" comes_back ours orders /dev/null
}

zstd_to_old_broker() {
    codec=zstd
    make_topic no-zstd 1
    check "zstd to a broker without it" refused 1 'zstd' plain_to_broker produce no-zstd -z zstd "$dir/text"
    check "nothing was written" comes_back ours no-zstd /dev/null
}

one_version() {
    version=$1
    local nodes=1 count=100000 codecs=(none gzip snappy lz4 zstd) with_java=(snappy)
    replicas=1 kcat_options=()
    # Java's programs take seconds to start; without KAFKAWIRE_FULL they read and write what is most their own.
    case $version in
        4.*) nodes=3 replicas=3 with_java=("${codecs[@]}") ;;
        2.8*) with_java=(lz4) ;;
        0.10*) codecs=(none gzip snappy lz4) with_java=(none) kcat_options=(-X api.version.request=true) ;;
    esac
    if ((full)); then with_java=("${codecs[@]}"); fi
    if [[ -n ${KAFKAWIRE_TEXT:-} ]]; then
        # Java's programs take a carriage return for a line's end, and replace what is not UTF-8.
        iconv -c -f UTF-8 -t UTF-8 "$KAFKAWIRE_TEXT" | tr -d '\r' >"$dir/text"
        count=$(wc -l <"$dir/text")
    else
        "$here/text.sh" "$count" >"$dir/text"
    fi
    grep -v '^$' "$dir/text" >"$dir/filled"
    codec='' lines=0
    check "$nodes node(s) of Apache Kafka are up" up "$nodes"
    [[ -n $brokers ]] || return
    for codec in "${codecs[@]}"; do
        lines=$count
        through_codec "$([[ " ${with_java[*]} " == *" $codec "* ]] && echo 1 || echo 0)"
        if [[ $version == 4.* ]]; then check "the log holds $codec batches only, each with a producer id" codec_is_used; fi
    done
    if [[ $version == 4.* ]]; then
        for codec in zstd $( ((full)) && echo none gzip snappy lz4); do
            lines=$count
            partitions_and_keys
        done
        codec=lz4
        make_topic text-lz4-copy 1
        check "consume as JSON | produce from JSON: equal" json_copy text-lz4 text-lz4-copy
        record_forms new
        codec=none
        odd_bytes
        codec=''
        go_kafka_form
        errors
    elif [[ $version == 0.* ]]; then
        codec=gzip
        record_forms old
        zstd_to_old_broker
    else
        codec=gzip
        record_forms new
    fi
    "$kafka" down --name "$name" >/dev/null 2>&1
}
up() { brokers=$("$kafka" up --name "$name" --version "$version" --nodes "$1" --ttl 3600 2>"$dir/err"); }

for v in "$@"; do one_version "$v"; done
echo "$passed passed, $failed failed"
((failed == 0 && passed > 0))
