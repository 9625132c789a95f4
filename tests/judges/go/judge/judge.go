// Package judge runs the cases of one client and prints one line for each: PASS, FAIL or NOT-RUN, the client, the case, a detail.
package judge

import (
	"bytes"
	"context"
	"fmt"
	"math/rand"
	"os"
	"sort"
	"strings"
	"sync"
	"time"
)

// Env is what a case gets: where the broker is, and a prefix that makes its names its own.
type Env struct {
	Brokers []string
	prefix  string
	mu      sync.Mutex
	said    string
}

// Name is a topic, group or transactional id that nobody else uses.
func (e *Env) Name(s string) string { return e.prefix + "-" + s }

// Say keeps a word for the result's line.
func (e *Env) Say(format string, a ...any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.said = fmt.Sprintf(format, a...)
}

func (e *Env) Said() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return strings.ReplaceAll(e.said, "\n", " ")
}

type Case struct {
	Name string
	Run  func(ctx context.Context, e *Env) error
	Not  string // why the client cannot do it; Run is nil then
}

// Limit is how long one case may take.
const Limit = 60 * time.Second

func one(client string, c Case, bootstrap, prefix string) bool {
	if c.Run == nil {
		fmt.Printf("NOT-RUN %s %s %s\n", client, c.Name, c.Not)
		return true
	}
	e := &Env{Brokers: strings.Split(bootstrap, ","), prefix: prefix + "-" + client + "-" + c.Name}
	ctx, cancel := context.WithTimeout(context.Background(), Limit)
	defer cancel()
	began := time.Now()
	ended := make(chan error, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				ended <- fmt.Errorf("panic: %v", p)
			}
		}()
		ended <- c.Run(ctx, e)
	}()
	var err error
	select {
	case err = <-ended:
	case <-time.After(Limit + 2*time.Second): // a call that does not look at its context
		err = fmt.Errorf("no end after %v", Limit)
	}
	took := time.Since(began).Seconds()
	if err != nil {
		detail := strings.ReplaceAll(err.Error(), "\n", " ")
		if s := e.Said(); s != "" {
			detail += " (last: " + s + ")"
		}
		fmt.Printf("FAIL %s %s %.1fs %s\n", client, c.Name, took, detail)
		return false
	}
	fmt.Printf("PASS %s %s %.1fs %s\n", client, c.Name, took, e.Said())
	return true
}

// Main is a client's main: PROGRAM BOOTSTRAP PREFIX [CASE...]. Cases run a few at a time: most of them wait for most of their time.
func Main(client string, cases []Case) {
	if len(os.Args) < 3 {
		fmt.Fprintf(os.Stderr, "usage: %s BOOTSTRAP PREFIX [CASE...]\n", os.Args[0])
		os.Exit(2)
	}
	wanted := func(name string) bool {
		for _, w := range os.Args[3:] {
			if w == name {
				return true
			}
		}
		return len(os.Args) == 3
	}
	room := make(chan struct{}, 6)
	var wait sync.WaitGroup
	var mu sync.Mutex
	good := true
	for _, c := range cases {
		if !wanted(c.Name) {
			continue
		}
		wait.Add(1)
		room <- struct{}{}
		go func() {
			defer wait.Done()
			ok := one(client, c, os.Args[1], os.Args[2])
			mu.Lock()
			good = good && ok
			mu.Unlock()
			<-room
		}()
	}
	wait.Wait()
	if !good {
		os.Exit(1)
	}
}

type Header struct {
	Key   string
	Value []byte
}

// Record is what a client must give back as it got it. Nil and empty are not the same.
type Record struct {
	Key, Value []byte
	Headers    []Header
	Millis     int64
}

// Timestamps begin an hour ago: old ones would meet the broker's retention.
var FirstMillis = time.Now().UnixMilli() - 3_600_000

const StepMillis = int64(1000)

// Records makes n records, the first of which are the odd ones: nothing in them, null keys and values, headers that are null, empty and
// there twice, a value that is large.
func Records(n int) []Record {
	random := rand.New(rand.NewSource(int64(n)))
	out := make([]Record, n)
	for i := range out {
		r := &out[i]
		r.Millis = FirstMillis + int64(i)*StepMillis
		r.Key = []byte(fmt.Sprintf("key-%d", i))
		r.Value = []byte(fmt.Sprintf("value %d %s", i, strings.Repeat("ab\x00\xff", random.Intn(60))))
		switch i {
		case 1:
			r.Value = []byte{}
		case 2:
			r.Key = nil
		case 3:
			r.Value = nil
		case 4:
			r.Headers = []Header{{"a", []byte("1")}, {"a", []byte{}}, {"", []byte{0, 255}}, {"漢字", []byte("é")}}
		case 5:
			r.Value = make([]byte, 300_000)
			random.Read(r.Value)
		}
	}
	return out
}

func same(a, b []byte, exact bool) bool {
	return bytes.Equal(a, b) && (!exact || (a == nil) == (b == nil))
}

// Compare says where two lists of records differ. With exact unset, null and empty count as one (a client that does not tell them apart).
func Compare(want, got []Record, exact bool) error {
	if len(want) != len(got) {
		return fmt.Errorf("%d records instead of %d", len(got), len(want))
	}
	for i := range want {
		w, g := want[i], got[i]
		if !same(w.Key, g.Key, exact) {
			return fmt.Errorf("record %d: key %.60q instead of %.60q", i, g.Key, w.Key)
		}
		if !same(w.Value, g.Value, exact) {
			return fmt.Errorf("record %d: value %.60q instead of %.60q", i, g.Value, w.Value)
		}
		if w.Millis != g.Millis {
			return fmt.Errorf("record %d: timestamp %d instead of %d", i, g.Millis, w.Millis)
		}
		if len(w.Headers) != len(g.Headers) {
			return fmt.Errorf("record %d: %d headers instead of %d", i, len(g.Headers), len(w.Headers))
		}
		for j := range w.Headers {
			if w.Headers[j].Key != g.Headers[j].Key || !bytes.Equal(w.Headers[j].Value, g.Headers[j].Value) {
				return fmt.Errorf("record %d: header %d is %q instead of %q", i, j, g.Headers[j], w.Headers[j])
			}
		}
	}
	return nil
}

// Equal compares two values of one kind by how they print.
func Equal(what string, want, got any) error {
	if w, g := fmt.Sprint(want), fmt.Sprint(got); w != g {
		return fmt.Errorf("%s: %s instead of %s", what, g, w)
	}
	return nil
}

// Member is one member of a group under test: the partitions that it has now and the values that it saw.
type Member struct {
	mu    sync.Mutex
	parts map[int32]bool
	seen  map[string]int
}

func NewMember() *Member { return &Member{parts: map[int32]bool{}, seen: map[string]int{}} }

func (m *Member) Assign(parts []int32) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, p := range parts {
		m.parts[p] = true
	}
}

func (m *Member) Revoke(parts []int32) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, p := range parts {
		delete(m.parts, p)
	}
}

// Only replaces what the member has.
func (m *Member) Only(parts []int32) {
	m.mu.Lock()
	m.parts = map[int32]bool{}
	m.mu.Unlock()
	m.Assign(parts)
}

func (m *Member) Saw(value string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seen[value]++
}

func (m *Member) Has() []int {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := []int{}
	for p := range m.parts {
		out = append(out, int(p))
	}
	sort.Ints(out)
	return out
}

// Seen is how many different values the members saw together.
func Seen(members ...*Member) int {
	all := map[string]bool{}
	for _, m := range members {
		m.mu.Lock()
		for v := range m.seen {
			all[v] = true
		}
		m.mu.Unlock()
	}
	return len(all)
}

// Until waits until the test holds, and says what was waited for when it does not.
func Until(ctx context.Context, what string, test func() bool) error {
	for {
		if test() {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("did not come: %s", what)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// GroupClient is what TwoMembers needs of a client: to make a topic, to write values to a partition, to start a member.
type GroupClient struct {
	Create  func(topic string, partitions int) error
	Produce func(topic string, partition int, values []string) error
	// Start starts a member and returns what stops it (and makes it leave).
	Start func(ctx context.Context, group, topic, instance string, m *Member) (stop func(), err error)
}

const parts = 6

func (g GroupClient) fill(topic, what string) error {
	for p := 0; p < parts; p++ {
		values := []string{}
		for i := 0; i < 10; i++ {
			values = append(values, fmt.Sprintf("%s %d %d", what, p, i))
		}
		if err := g.Produce(topic, p, values); err != nil {
			return err
		}
	}
	return nil
}

// TwoMembers is a group's life: one member gets all six partitions, a second one joins and each has three, that one leaves and the first
// has all again. Every record is seen by one of them.
func (g GroupClient) TwoMembers(ctx context.Context, e *Env) error {
	topic, group := e.Name("t"), e.Name("g")
	if err := g.Create(topic, parts); err != nil {
		return err
	}
	if err := g.fill(topic, "before"); err != nil {
		return err
	}
	a, b := NewMember(), NewMember()
	stopA, err := g.Start(ctx, group, topic, "", a)
	if err != nil {
		return err
	}
	defer stopA()
	if err := Until(ctx, "the first member has 6 partitions and 60 records", func() bool {
		e.Say("first has %v, saw %d", a.Has(), Seen(a))
		return len(a.Has()) == parts && Seen(a) == 60
	}); err != nil {
		return err
	}
	stopB, err := g.Start(ctx, group, topic, "", b)
	if err != nil {
		return err
	}
	if err := Until(ctx, "each member has 3 of 6 partitions", func() bool {
		e.Say("first has %v, second %v", a.Has(), b.Has())
		all := map[int]bool{}
		for _, p := range append(a.Has(), b.Has()...) {
			all[p] = true
		}
		return len(a.Has()) == 3 && len(b.Has()) == 3 && len(all) == parts
	}); err != nil {
		stopB()
		return err
	}
	split := fmt.Sprint(a.Has(), b.Has())
	if err := g.fill(topic, "both"); err != nil {
		stopB()
		return err
	}
	err = Until(ctx, "120 records", func() bool { e.Say("%d records", Seen(a, b)); return Seen(a, b) == 120 })
	stopB()
	if err != nil {
		return err
	}
	if err := Until(ctx, "the first member has 6 partitions again", func() bool { e.Say("first has %v", a.Has()); return len(a.Has()) == parts }); err != nil {
		return err
	}
	if err := g.fill(topic, "after"); err != nil {
		return err
	}
	if err := Until(ctx, "180 records", func() bool { e.Say("%d records", Seen(a, b)); return Seen(a, b) == 180 }); err != nil {
		return err
	}
	e.Say("shared %s", split)
	return nil
}

// Static: a static member goes without leaving and comes back to the partitions that it had, and the other one keeps its own all along.
func (g GroupClient) Static(ctx context.Context, e *Env) error {
	topic, group := e.Name("t"), e.Name("g")
	if err := g.Create(topic, parts); err != nil {
		return err
	}
	a, b := NewMember(), NewMember()
	stopA, err := g.Start(ctx, group, topic, "one", a)
	if err != nil {
		return err
	}
	defer stopA()
	stopB, err := g.Start(ctx, group, topic, "two", b)
	if err != nil {
		return err
	}
	three := func(b *Member) func() bool {
		return func() bool {
			e.Say("first has %v, second %v", a.Has(), b.Has())
			return len(a.Has()) == 3 && len(b.Has()) == 3
		}
	}
	if err := Until(ctx, "each member has 3 partitions", three(b)); err != nil {
		stopB()
		return err
	}
	before := fmt.Sprint(a.Has(), b.Has())
	stopB()
	again := NewMember()
	stopB, err = g.Start(ctx, group, topic, "two", again)
	if err != nil {
		return err
	}
	defer stopB()
	if err := Until(ctx, "the second member is back with 3 partitions", three(again)); err != nil {
		return err
	}
	if err := Equal("partitions after the return", before, fmt.Sprint(a.Has(), again.Has())); err != nil {
		return err
	}
	if err := g.fill(topic, "after"); err != nil {
		return err
	}
	if err := Until(ctx, "60 records", func() bool { return Seen(a, again) == 60 }); err != nil {
		return err
	}
	e.Say("kept %s", before)
	return nil
}
