// sarama as a judge, speaking what it has for Kafka 4.3.
package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/IBM/sarama"

	"kafkawire.test/judges/judge"
)

func config(change func(*sarama.Config)) *sarama.Config {
	c := sarama.NewConfig()
	c.Version = sarama.V4_3_0_0
	c.ClientID = "judge"
	c.Producer.Return.Successes = true
	c.Producer.RequiredAcks = sarama.WaitForAll
	c.Producer.Partitioner = sarama.NewManualPartitioner
	c.Producer.MaxMessageBytes = 1_000_000
	c.Consumer.Return.Errors = true
	c.Consumer.MaxWaitTime = 300 * time.Millisecond
	c.Consumer.Offsets.Initial = sarama.OffsetOldest
	c.Metadata.Retry.Backoff = 100 * time.Millisecond
	if change != nil {
		change(c)
	}
	return c
}

func admin(e *judge.Env, do func(sarama.ClusterAdmin) error) error {
	a, err := sarama.NewClusterAdmin(e.Brokers, config(nil))
	if err != nil {
		return err
	}
	defer a.Close()
	return do(a)
}

func create(e *judge.Env, topic string, partitions int) error {
	return admin(e, func(a sarama.ClusterAdmin) error {
		return a.CreateTopic(topic, &sarama.TopicDetail{NumPartitions: int32(partitions), ReplicationFactor: 1}, false)
	})
}

func bytesOf(b []byte) sarama.Encoder {
	if b == nil {
		return nil
	}
	return sarama.ByteEncoder(b)
}

func messages(topic string, partition int, records []judge.Record) []*sarama.ProducerMessage {
	out := []*sarama.ProducerMessage{}
	for _, r := range records {
		m := &sarama.ProducerMessage{Topic: topic, Partition: int32(partition), Key: bytesOf(r.Key), Value: bytesOf(r.Value), Timestamp: time.UnixMilli(r.Millis)}
		for _, h := range r.Headers {
			m.Headers = append(m.Headers, sarama.RecordHeader{Key: []byte(h.Key), Value: h.Value})
		}
		out = append(out, m)
	}
	return out
}

func producing(e *judge.Env, change func(*sarama.Config), do func(sarama.SyncProducer) error) error {
	p, err := sarama.NewSyncProducer(e.Brokers, config(change))
	if err != nil {
		return err
	}
	defer p.Close()
	return do(p)
}

// firstError unfolds what sarama wraps around the broker's word.
func firstError(err error) error {
	var all sarama.ProducerErrors
	if errors.As(err, &all) && len(all) > 0 {
		return all[0].Err
	}
	return err
}

func produce(e *judge.Env, change func(*sarama.Config), topic string, records []judge.Record) error {
	return producing(e, change, func(p sarama.SyncProducer) error { return firstError(p.SendMessages(messages(topic, 0, records))) })
}

func toRecord(m *sarama.ConsumerMessage) judge.Record {
	r := judge.Record{Key: m.Key, Value: m.Value, Millis: m.Timestamp.UnixMilli()}
	for _, h := range m.Headers {
		r.Headers = append(r.Headers, judge.Header{Key: string(h.Key), Value: h.Value})
	}
	return r
}

// each reads partition 0 from the offset on until the function has enough.
func each(ctx context.Context, e *judge.Env, change func(*sarama.Config), topic string, at int64, enough func(*sarama.ConsumerMessage) bool) error {
	c, err := sarama.NewConsumer(e.Brokers, config(change))
	if err != nil {
		return err
	}
	defer c.Close()
	p, err := c.ConsumePartition(topic, 0, at)
	if err != nil {
		return err
	}
	defer p.AsyncClose()
	for {
		select {
		case m := <-p.Messages():
			if enough(m) {
				return nil
			}
		case err := <-p.Errors():
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func read(ctx context.Context, e *judge.Env, topic string, at int64, n int) ([]judge.Record, error) {
	out := []judge.Record{}
	err := each(ctx, e, nil, topic, at, func(m *sarama.ConsumerMessage) bool {
		out = append(out, toRecord(m))
		e.Say("%d records read", len(out))
		return len(out) == n
	})
	return out, err
}

// values reads until the record "end" came, and joins what was before it.
func values(ctx context.Context, e *judge.Env, topic string, level sarama.IsolationLevel) (string, error) {
	out := []string{}
	err := each(ctx, e, func(c *sarama.Config) { c.Consumer.IsolationLevel = level }, topic, sarama.OffsetOldest, func(m *sarama.ConsumerMessage) bool {
		if string(m.Value) == "end" {
			return true
		}
		out = append(out, string(m.Value))
		return false
	})
	return strings.Join(out, " "), err
}

func codec(c sarama.CompressionCodec) func(context.Context, *judge.Env) error {
	return func(ctx context.Context, e *judge.Env) error {
		topic, want := e.Name("t"), judge.Records(300)
		if err := create(e, topic, 1); err != nil {
			return err
		}
		if err := produce(e, func(s *sarama.Config) { s.Producer.Compression = c }, topic, want); err != nil {
			return err
		}
		got, err := read(ctx, e, topic, sarama.OffsetOldest, len(want))
		if err != nil {
			return err
		}
		return judge.Compare(want, got, true)
	}
}

func filled(e *judge.Env, n int) (string, error) {
	topic := e.Name("t")
	if err := create(e, topic, 1); err != nil {
		return topic, err
	}
	return topic, produce(e, nil, topic, judge.Records(n))
}

func fromStart(ctx context.Context, e *judge.Env) error {
	topic, err := filled(e, 50)
	if err != nil {
		return err
	}
	got, err := read(ctx, e, topic, sarama.OffsetOldest, 50)
	if err != nil {
		return err
	}
	return judge.Compare(judge.Records(50), got, true)
}

func fromTimestamp(ctx context.Context, e *judge.Env) error {
	topic, err := filled(e, 50)
	if err != nil {
		return err
	}
	cl, err := sarama.NewClient(e.Brokers, config(nil))
	if err != nil {
		return err
	}
	defer cl.Close()
	at, err := cl.GetOffset(topic, 0, judge.FirstMillis+19*judge.StepMillis+1)
	if err != nil {
		return err
	}
	got, err := read(ctx, e, topic, at, 30)
	if err != nil {
		return err
	}
	return judge.Compare(judge.Records(50)[20:], got, true)
}

func fromEnd(ctx context.Context, e *judge.Env) error {
	topic, err := filled(e, 50)
	if err != nil {
		return err
	}
	made := make(chan error, 1)
	go func() {
		time.Sleep(time.Second) // the reader has asked for the end by then
		made <- produce(e, nil, topic, judge.Records(1))
	}()
	got, err := read(ctx, e, topic, sarama.OffsetNewest, 1)
	if err != nil {
		return err
	}
	if err := <-made; err != nil {
		return err
	}
	return judge.Compare(judge.Records(1), got, true)
}

func outOfRange(ctx context.Context, e *judge.Env) error {
	topic, err := filled(e, 5)
	if err != nil {
		return err
	}
	if _, err = read(ctx, e, topic, 999, 1); !errors.Is(err, sarama.ErrOffsetOutOfRange) {
		return fmt.Errorf("%v instead of OFFSET_OUT_OF_RANGE", err)
	}
	return nil
}

func tooLarge(ctx context.Context, e *judge.Env) error {
	topic := e.Name("t")
	if err := create(e, topic, 1); err != nil {
		return err
	}
	change := func(c *sarama.Config) { c.Producer.MaxMessageBytes = 8 << 20 }
	if err := produce(e, change, topic, []judge.Record{{Value: make([]byte, 2<<20), Millis: judge.FirstMillis}}); !errors.Is(err, sarama.ErrMessageSizeTooLarge) {
		return fmt.Errorf("%v instead of MESSAGE_TOO_LARGE", err)
	}
	return nil
}

// handler is one member's: it notes the claims and what comes.
type handler struct {
	topic string
	m     *judge.Member
}

func (h handler) Setup(s sarama.ConsumerGroupSession) error {
	h.m.Only(s.Claims()[h.topic])
	return nil
}
func (h handler) Cleanup(s sarama.ConsumerGroupSession) error { h.m.Only(nil); return nil }
func (h handler) ConsumeClaim(s sarama.ConsumerGroupSession, c sarama.ConsumerGroupClaim) error {
	// In a cooperative session claims come and go while it lasts.
	h.m.Assign([]int32{c.Partition()})
	defer h.m.Revoke([]int32{c.Partition()})
	for {
		select {
		case m, open := <-c.Messages():
			if !open {
				return nil
			}
			h.m.Saw(string(m.Value))
			s.MarkMessage(m, "")
		case <-s.Context().Done():
			return nil
		}
	}
}

func groups(e *judge.Env, s sarama.BalanceStrategy) judge.GroupClient {
	return judge.GroupClient{
		Create: func(topic string, n int) error { return create(e, topic, n) },
		Produce: func(topic string, p int, values []string) error {
			return producing(e, nil, func(sp sarama.SyncProducer) error {
				records := []judge.Record{}
				for _, v := range values {
					records = append(records, judge.Record{Value: []byte(v), Millis: judge.FirstMillis})
				}
				return firstError(sp.SendMessages(messages(topic, p, records)))
			})
		},
		Start: func(ctx context.Context, group, topic, instance string, m *judge.Member) (func(), error) {
			g, err := sarama.NewConsumerGroup(e.Brokers, group, config(func(c *sarama.Config) {
				c.Consumer.Group.Rebalance.GroupStrategies = []sarama.BalanceStrategy{s}
				c.Consumer.Group.Heartbeat.Interval = 300 * time.Millisecond
				c.Consumer.Group.Rebalance.Timeout = 10 * time.Second
				c.Consumer.Group.Rebalance.Retry.Backoff = 200 * time.Millisecond
				c.Consumer.Group.InstanceId = instance
			}))
			if err != nil {
				return nil, err
			}
			inner, cancel := context.WithCancel(ctx)
			ended := make(chan struct{})
			go func() {
				for err := range g.Errors() {
					e.Say("group: %v", err)
				}
			}()
			go func() {
				defer close(ended)
				for inner.Err() == nil {
					if err := g.Consume(inner, []string{topic}, handler{topic, m}); err != nil {
						e.Say("consume: %v", err)
						if errors.Is(err, sarama.ErrClosedConsumerGroup) {
							return
						}
						time.Sleep(100 * time.Millisecond)
					}
				}
			}()
			return func() { cancel(); g.Close(); <-ended }, nil
		},
	}
}

func twoMembers(s func() sarama.BalanceStrategy) func(context.Context, *judge.Env) error {
	return func(ctx context.Context, e *judge.Env) error { return groups(e, s()).TwoMembers(ctx, e) }
}

// some is a member that stops after n records.
type some struct {
	n    int
	got  []judge.Record
	stop context.CancelFunc
}

func (h *some) Setup(sarama.ConsumerGroupSession) error   { return nil }
func (h *some) Cleanup(sarama.ConsumerGroupSession) error { return nil }
func (h *some) ConsumeClaim(s sarama.ConsumerGroupSession, c sarama.ConsumerGroupClaim) error {
	for {
		select {
		case m, open := <-c.Messages():
			if !open {
				return nil
			}
			h.got = append(h.got, toRecord(m))
			s.MarkMessage(m, "")
			if len(h.got) == h.n {
				s.Commit()
				h.stop()
				return nil
			}
		case <-s.Context().Done():
			return nil
		}
	}
}

func commitResume(ctx context.Context, e *judge.Env) error {
	topic, err := filled(e, 50)
	if err != nil {
		return err
	}
	next := func(n int) ([]judge.Record, error) {
		g, err := sarama.NewConsumerGroup(e.Brokers, e.Name("g"), config(nil))
		if err != nil {
			return nil, err
		}
		defer g.Close()
		go func() {
			for range g.Errors() {
			}
		}()
		inner, stop := context.WithCancel(ctx)
		defer stop()
		h := &some{n: n, stop: stop}
		err = g.Consume(inner, []string{topic}, h)
		return h.got, err
	}
	first, err := next(20)
	if err != nil {
		return err
	}
	rest, err := next(30)
	if err != nil {
		return err
	}
	if err := judge.Compare(judge.Records(50), append(first, rest...), true); err != nil {
		return err
	}
	return committed(e, e.Name("g"), topic, 50)
}

func committed(e *judge.Env, group, topic string, want int64) error {
	return admin(e, func(a sarama.ClusterAdmin) error {
		r, err := a.ListConsumerGroupOffsets(group, map[string][]int32{topic: {0}})
		if err != nil {
			return err
		}
		b := r.GetBlock(topic, 0)
		if b == nil || b.Err != sarama.ErrNoError {
			return fmt.Errorf("committed offset: %+v", b)
		}
		return judge.Equal("committed offset", want, b.Offset)
	})
}

func idempotentConfig(c *sarama.Config) {
	c.Producer.Idempotent = true
	c.Net.MaxOpenRequests = 1
	c.Producer.Flush.MaxMessages = 50
}

func idempotent(ctx context.Context, e *judge.Env) error {
	topic, want := e.Name("t"), []judge.Record{}
	for i := 0; i < 5000; i++ {
		want = append(want, judge.Record{Value: []byte(fmt.Sprintf("value %d", i)), Millis: judge.FirstMillis})
	}
	if err := create(e, topic, 1); err != nil {
		return err
	}
	if err := produce(e, idempotentConfig, topic, want); err != nil {
		return err
	}
	got, err := read(ctx, e, topic, sarama.OffsetOldest, len(want))
	if err != nil {
		return err
	}
	return judge.Compare(want, got, true)
}

func transactional(e *judge.Env) func(*sarama.Config) {
	return func(c *sarama.Config) {
		idempotentConfig(c)
		c.Producer.Transaction.ID = e.Name("x")
		c.Producer.Transaction.Timeout = 30 * time.Second
	}
}

func texts(values ...string) []judge.Record {
	out := []judge.Record{}
	for _, v := range values {
		out = append(out, judge.Record{Value: []byte(v), Millis: judge.FirstMillis})
	}
	return out
}

func txnRead(ctx context.Context, e *judge.Env) error {
	topic := e.Name("t")
	if err := create(e, topic, 1); err != nil {
		return err
	}
	if err := producing(e, transactional(e), func(p sarama.SyncProducer) error {
		for i, values := range [][]string{{"a", "b"}, {"c", "d"}, {"f"}, {"g"}, {"h", "end"}} {
			if err := p.BeginTxn(); err != nil {
				return err
			}
			if err := firstError(p.SendMessages(messages(topic, 0, texts(values...)))); err != nil {
				return err
			}
			end := p.CommitTxn
			if i%2 == 1 {
				end = p.AbortTxn
			}
			if err := end(); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	uncommitted, err := values(ctx, e, topic, sarama.ReadUncommitted)
	if err != nil {
		return err
	}
	committed, err := values(ctx, e, topic, sarama.ReadCommitted)
	if err != nil {
		return err
	}
	if err := judge.Equal("read uncommitted", "a b c d f g h", uncommitted); err != nil {
		return err
	}
	return judge.Equal("read committed", "a b f h", committed)
}

func txnOpen(ctx context.Context, e *judge.Env) error {
	topic := e.Name("t")
	if err := create(e, topic, 1); err != nil {
		return err
	}
	return producing(e, transactional(e), func(p sarama.SyncProducer) error {
		if err := p.BeginTxn(); err != nil {
			return err
		}
		if err := firstError(p.SendMessages(messages(topic, 0, texts("a")))); err != nil {
			return err
		}
		if err := produce(e, nil, topic, texts("b", "end")); err != nil {
			return err
		}
		short, cancel := context.WithTimeout(ctx, 1500*time.Millisecond)
		defer cancel()
		if got, err := values(short, e, topic, sarama.ReadCommitted); err == nil {
			return fmt.Errorf("an open transaction let %q be read", got)
		}
		if err := p.CommitTxn(); err != nil {
			return err
		}
		got, err := values(ctx, e, topic, sarama.ReadCommitted)
		if err != nil {
			return err
		}
		return judge.Equal("read committed", "a b", got)
	})
}

func txnFenced(ctx context.Context, e *judge.Env) error {
	topic := e.Name("t")
	if err := create(e, topic, 1); err != nil {
		return err
	}
	return producing(e, transactional(e), func(old sarama.SyncProducer) error {
		if err := old.BeginTxn(); err != nil {
			return err
		}
		if err := firstError(old.SendMessages(messages(topic, 0, texts("a")))); err != nil {
			return err
		}
		if err := producing(e, transactional(e), func(young sarama.SyncProducer) error {
			if err := young.BeginTxn(); err != nil {
				return err
			}
			if err := firstError(young.SendMessages(messages(topic, 0, texts("b", "end")))); err != nil {
				return err
			}
			return young.CommitTxn()
		}); err != nil {
			return fmt.Errorf("the second producer: %w", err)
		}
		err := firstError(old.SendMessages(messages(topic, 0, texts("c"))))
		if err == nil {
			err = old.CommitTxn()
		}
		if !errors.Is(err, sarama.ErrInvalidProducerEpoch) && !errors.Is(err, sarama.ErrProducerFenced) {
			return fmt.Errorf("%v instead of PRODUCER_FENCED or INVALID_PRODUCER_EPOCH", err)
		}
		got, err := values(ctx, e, topic, sarama.ReadCommitted)
		if err != nil {
			return err
		}
		return judge.Equal("read committed", "b", got)
	})
}

// mover moves records in transactions with their offsets; the first transaction is aborted.
type mover struct {
	e     *judge.Env
	p     sarama.SyncProducer
	out   string
	group string
	moved int
	err   error
	stop  context.CancelFunc
}

func (h *mover) Setup(sarama.ConsumerGroupSession) error   { return nil }
func (h *mover) Cleanup(sarama.ConsumerGroupSession) error { return nil }
func (h *mover) ConsumeClaim(s sarama.ConsumerGroupSession, c sarama.ConsumerGroupClaim) error {
	defer h.stop()
	for m := range c.Messages() {
		if h.err = h.move(s, m, h.moved == 10); h.err != nil {
			return h.err
		}
		if h.moved++; h.moved == 30 {
			return nil
		}
	}
	return nil
}

func (h *mover) move(s sarama.ConsumerGroupSession, m *sarama.ConsumerMessage, abortFirst bool) error {
	if err := h.p.BeginTxn(); err != nil {
		return err
	}
	if err := firstError(h.p.SendMessages(messages(h.out, 0, []judge.Record{toRecord(m)}))); err != nil {
		return err
	}
	if err := h.p.AddMessageToTxnWithGroupMetadata(m, sarama.NewConsumerGroupMetadataFromSession(s, h.group, nil), nil); err != nil {
		return err
	}
	if !abortFirst {
		return h.p.CommitTxn()
	}
	if err := h.p.AbortTxn(); err != nil {
		return err
	}
	return h.move(s, m, false)
}

func txnOffsets(ctx context.Context, e *judge.Env) error {
	in, err := filled(e, 30)
	if err != nil {
		return err
	}
	out, group := e.Name("out"), e.Name("g")
	if err := create(e, out, 1); err != nil {
		return err
	}
	if err := producing(e, transactional(e), func(p sarama.SyncProducer) error {
		g, err := sarama.NewConsumerGroup(e.Brokers, group, config(func(c *sarama.Config) {
			c.Consumer.Offsets.AutoCommit.Enable = false
			c.Consumer.IsolationLevel = sarama.ReadCommitted
		}))
		if err != nil {
			return err
		}
		defer g.Close()
		inner, stop := context.WithCancel(ctx)
		defer stop()
		h := &mover{e: e, p: p, out: out, group: group, stop: stop}
		if err := g.Consume(inner, []string{in}, h); err != nil {
			return err
		}
		return h.err
	}); err != nil {
		return err
	}
	got := []judge.Record{}
	if err := each(ctx, e, func(c *sarama.Config) { c.Consumer.IsolationLevel = sarama.ReadCommitted }, out, sarama.OffsetOldest, func(m *sarama.ConsumerMessage) bool {
		got = append(got, toRecord(m))
		e.Say("%d records read", len(got))
		return len(got) == 30
	}); err != nil {
		return err
	}
	if err := judge.Compare(judge.Records(30), got, true); err != nil {
		return err
	}
	return committed(e, group, in, 30)
}

func main() {
	judge.Main("sarama", []judge.Case{
		{Name: "metadata", Run: metadata},
		{Name: "codec-none", Run: codec(sarama.CompressionNone)}, {Name: "codec-gzip", Run: codec(sarama.CompressionGZIP)},
		{Name: "codec-snappy", Run: codec(sarama.CompressionSnappy)}, {Name: "codec-lz4", Run: codec(sarama.CompressionLZ4)},
		{Name: "codec-zstd", Run: codec(sarama.CompressionZSTD)},
		{Name: "from-start", Run: fromStart}, {Name: "from-timestamp", Run: fromTimestamp}, {Name: "from-end", Run: fromEnd},
		{Name: "out-of-range", Run: outOfRange}, {Name: "too-large", Run: tooLarge},
		{Name: "group-range", Run: twoMembers(sarama.NewBalanceStrategyRange)},
		{Name: "group-roundrobin", Run: twoMembers(sarama.NewBalanceStrategyRoundRobin)},
		{Name: "group-sticky", Run: twoMembers(sarama.NewBalanceStrategySticky)},
		{Name: "group-cooperative", Run: twoMembers(sarama.NewBalanceStrategyCooperativeSticky)},
		{Name: "group-kip848", Not: "sarama has no KIP-848 members"}, {Name: "group-kip848-range", Not: "sarama has no KIP-848 members"},
		{Name: "group-kip848-regex", Not: "sarama has no KIP-848 members"}, {Name: "group-kip848-static", Not: "sarama has no KIP-848 members"},
		{Name: "group-static", Run: func(ctx context.Context, e *judge.Env) error {
			return groups(e, sarama.NewBalanceStrategySticky()).Static(ctx, e)
		}},
		{Name: "commit-resume", Run: commitResume}, {Name: "idempotent", Run: idempotent},
		{Name: "txn-read", Run: txnRead}, {Name: "txn-open", Run: txnOpen}, {Name: "txn-fenced", Run: txnFenced},
		{Name: "txn-offsets", Run: txnOffsets}, {Name: "txn-offsets-kip848", Not: "sarama has no KIP-848 members"},
		{Name: "admin-topics", Run: adminTopics}, {Name: "admin-partitions", Run: adminPartitions},
		{Name: "admin-configs", Run: adminConfigs}, {Name: "admin-delete-records", Run: adminDeleteRecords},
		{Name: "admin-groups", Run: adminGroups}, {Name: "admin-offsets", Run: adminOffsets},
		{Name: "admin-transactions", Not: "sarama's admin has no call for transactions"},
	})
}
