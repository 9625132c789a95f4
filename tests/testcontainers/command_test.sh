#!/bin/sh
# The command `kafka` from outside: command_test.sh PROGRAM. Prints what it checked and how many.
set -u
kafka=$1
name=command-test-$$
count=0
failed=0
check() {    # check WHAT CONDITION...: the condition is a command
    what=$1
    shift
    count=$((count + 1))
    if ! "$@"; then
        failed=$((failed + 1))
        echo "FAILED: $what"
    fi
}
status() { "$@" >/dev/null 2>&1; echo $?; }
node_state() { "$kafka" status --name $name | cut -f 5; }
trap '"$kafka" down --name $name >/dev/null 2>&1' EXIT

servers=$("$kafka" up --name $name --property num.partitions=2)
check "up prints an address" expr "$servers" : '127\.0\.0\.1:[0-9]*$' >/dev/null
check "a second up of the same name fails" [ "$(status "$kafka" up --name $name)" = 1 ]
check "status shows the node" [ "$(node_state)" = running ]
"$kafka" pause 1 --name $name
check "paused" [ "$(node_state)" = paused ]
"$kafka" resume 1 --name $name
check "resumed" [ "$(node_state)" = running ]
seq 3 | "$kafka" tool --name $name console-producer --topic t 2>/dev/null
read_back=$("$kafka" tool --name $name console-consumer --topic t --from-beginning --max-messages 3 2>/dev/null | sort | tr '\n' ' ')
check "what the tools write, the tools read" [ "$read_back" = '1 2 3 ' ]
"$kafka" kill 1 --name $name
check "killed" [ "$(node_state)" = down ]
"$kafka" restart 1 --name $name
check "restarted" [ "$(node_state)" = running ]
"$kafka" logs 1 --name $name | grep -q 'Kafka Server started'
check "the log is there" [ $? = 0 ]
check "no such node" [ "$(status "$kafka" kill 7 --name $name)" = 1 ]
folder=$("$kafka" data 1 --name $name)
check "the data is there, and Kafka's tool reads it" [ "$("$kafka" tool --name $name dump-log --print-data-log \
    --files "$(ls "$folder"/t-[01]/*.log | paste -sd,)" | grep -c 'payload: ')" = 3 ]
"$kafka" down --name $name
check "down removes the folder" [ ! -e "$folder" ]
check "down again fails" [ "$(status "$kafka" down --name $name)" = 1 ]
check "an unknown command is a usage error" [ "$(status "$kafka" upp)" = 2 ]
check "an unknown option is a usage error" [ "$(status "$kafka" up --node 3)" = 2 ]
check "help is no error" [ "$(status "$kafka" help)" = 0 ]

"$kafka" up --name $name --ttl 4 --proxies >/dev/null
"$kafka" proxy 1 counts --name $name | grep -q 'accepted'
check "the proxy counts" [ $? = 0 ]
check "the proxy takes a rule" [ "$(status "$kafka" proxy 1 delay 50 --name $name)" = 0 ]
check "and no other" [ "$(status "$kafka" proxy 1 delai 50 --name $name)" = 1 ]
sleep 6
check "the time to live ends it" [ "$(status "$kafka" status --name $name)" = 1 ]
echo "$((count - failed)) passed, $failed failed"
[ $failed = 0 ]
