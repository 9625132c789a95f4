// kafka-go as a judge. Its transactions are written by franz-go: kafka-go can only read them.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kgo"

	"kafkawire.test/judges/judge"
)

func client(e *judge.Env) *kafka.Client {
	return &kafka.Client{Addr: kafka.TCP(e.Brokers...), Timeout: 20 * time.Second}
}

func create(ctx context.Context, e *judge.Env, topic string, partitions int) error {
	r, err := client(e).CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{{Topic: topic, NumPartitions: partitions, ReplicationFactor: 1}}})
	if err != nil {
		return err
	}
	return r.Errors[topic]
}

func produce(ctx context.Context, e *judge.Env, c kafka.Compression, topic string, partition int, records []judge.Record) error {
	// A transport of the writer's own: the shared one may still hold metadata from before the topic.
	transport := &kafka.Transport{MetadataTTL: 200 * time.Millisecond}
	defer transport.CloseIdleConnections()
	w := &kafka.Writer{Addr: kafka.TCP(e.Brokers...), Topic: topic, RequiredAcks: kafka.RequireAll, Compression: c, BatchTimeout: 10 * time.Millisecond,
		BatchBytes: 900_000, Transport: transport, Balancer: kafka.BalancerFunc(func(kafka.Message, ...int) int { return partition })}
	defer w.Close()
	out := []kafka.Message{}
	for _, r := range records {
		m := kafka.Message{Key: r.Key, Value: r.Value, Time: time.UnixMilli(r.Millis)}
		for _, h := range r.Headers {
			m.Headers = append(m.Headers, kafka.Header{Key: h.Key, Value: h.Value})
		}
		out = append(out, m)
	}
	return w.WriteMessages(ctx, out...)
}

func toRecord(m kafka.Message) judge.Record {
	r := judge.Record{Key: m.Key, Value: m.Value, Millis: m.Time.UnixMilli()}
	for _, h := range m.Headers {
		r.Headers = append(r.Headers, judge.Header{Key: h.Key, Value: h.Value})
	}
	return r
}

func reader(e *judge.Env, topic string, change func(*kafka.ReaderConfig)) *kafka.Reader {
	c := kafka.ReaderConfig{Brokers: e.Brokers, Topic: topic, MaxWait: 300 * time.Millisecond, ReadLagInterval: -1, MaxBytes: 4 << 20}
	if change != nil {
		change(&c)
	}
	return kafka.NewReader(c)
}

func take(ctx context.Context, e *judge.Env, r *kafka.Reader, n int) ([]judge.Record, error) {
	out := []judge.Record{}
	for len(out) < n {
		m, err := r.ReadMessage(ctx)
		if err != nil {
			return out, err
		}
		out = append(out, toRecord(m))
		e.Say("%d records read", len(out))
	}
	return out, nil
}

func codec(c kafka.Compression) func(context.Context, *judge.Env) error {
	return func(ctx context.Context, e *judge.Env) error {
		topic, want := e.Name("t"), judge.Records(300)
		if err := create(ctx, e, topic, 1); err != nil {
			return err
		}
		if err := produce(ctx, e, c, topic, 0, want); err != nil {
			return err
		}
		r := reader(e, topic, nil)
		defer r.Close()
		got, err := take(ctx, e, r, len(want))
		if err != nil {
			return err
		}
		return judge.Compare(want, got, false)
	}
}

func filled(ctx context.Context, e *judge.Env, n int) (string, error) {
	topic := e.Name("t")
	if err := create(ctx, e, topic, 1); err != nil {
		return topic, err
	}
	return topic, produce(ctx, e, 0, topic, 0, judge.Records(n))
}

// from reads all records from a place on, which set finds.
func from(first int, set func(context.Context, *kafka.Reader) error) func(context.Context, *judge.Env) error {
	return func(ctx context.Context, e *judge.Env) error {
		topic, err := filled(ctx, e, 50)
		if err != nil {
			return err
		}
		r := reader(e, topic, nil)
		defer r.Close()
		if err := set(ctx, r); err != nil {
			return err
		}
		got, err := take(ctx, e, r, 50-first)
		if err != nil {
			return err
		}
		return judge.Compare(judge.Records(50)[first:], got, false)
	}
}

func fromEnd(ctx context.Context, e *judge.Env) error {
	topic, err := filled(ctx, e, 50)
	if err != nil {
		return err
	}
	r := reader(e, topic, nil)
	defer r.Close()
	if err := r.SetOffset(kafka.LastOffset); err != nil {
		return err
	}
	made := make(chan error, 1)
	go func() {
		time.Sleep(time.Second) // the reader has asked for the end by then
		made <- produce(ctx, e, 0, topic, 0, judge.Records(1))
	}()
	got, err := take(ctx, e, r, 1)
	if err != nil {
		return err
	}
	if err := <-made; err != nil {
		return err
	}
	return judge.Compare(judge.Records(1), got, false)
}

func outOfRange(ctx context.Context, e *judge.Env) error {
	topic, err := filled(ctx, e, 5)
	if err != nil {
		return err
	}
	r := reader(e, topic, func(c *kafka.ReaderConfig) { c.OffsetOutOfRangeError = true })
	defer r.Close()
	if err := r.SetOffset(999); err != nil {
		return err
	}
	if _, err = take(ctx, e, r, 1); !errors.Is(err, kafka.OffsetOutOfRange) {
		return fmt.Errorf("%v instead of OFFSET_OUT_OF_RANGE", err)
	}
	return nil
}

func tooLarge(ctx context.Context, e *judge.Env) error {
	topic := e.Name("t")
	if err := create(ctx, e, topic, 1); err != nil {
		return err
	}
	w := &kafka.Writer{Addr: kafka.TCP(e.Brokers...), Topic: topic, RequiredAcks: kafka.RequireAll, BatchBytes: 8 << 20, BatchTimeout: time.Millisecond, MaxAttempts: 1}
	defer w.Close()
	err := w.WriteMessages(ctx, kafka.Message{Value: make([]byte, 2<<20)})
	if err == nil || !strings.Contains(err.Error(), kafka.MessageSizeTooLarge.Title()) {
		return fmt.Errorf("%v instead of MESSAGE_TOO_LARGE", err)
	}
	return nil
}

// generation reads what the member has in one generation, and commits.
func generation(ctx context.Context, e *judge.Env, g *kafka.Generation, topic string, m *judge.Member) {
	have := []int32{}
	for _, a := range g.Assignments[topic] {
		have = append(have, int32(a.ID))
	}
	m.Only(have)
	for _, a := range g.Assignments[topic] {
		g.Start(func(inner context.Context) {
			r := reader(e, topic, func(c *kafka.ReaderConfig) { c.Partition = a.ID })
			defer r.Close()
			_ = r.SetOffset(a.Offset)
			for {
				got, err := r.ReadMessage(inner)
				if err != nil {
					if inner.Err() == nil && !errors.Is(err, io.EOF) {
						e.Say("partition %d: %v", a.ID, err)
					}
					return
				}
				m.Saw(string(got.Value))
				_ = g.CommitOffsets(map[string]map[int]int64{topic: {a.ID: got.Offset + 1}})
			}
		})
	}
}

func groups(e *judge.Env, b kafka.GroupBalancer) judge.GroupClient {
	return judge.GroupClient{
		Create: func(topic string, n int) error { return create(context.Background(), e, topic, n) },
		Produce: func(topic string, p int, values []string) error {
			records := []judge.Record{}
			for _, v := range values {
				records = append(records, judge.Record{Value: []byte(v), Millis: judge.FirstMillis})
			}
			return produce(context.Background(), e, 0, topic, p, records)
		},
		Start: func(ctx context.Context, group, topic, instance string, m *judge.Member) (func(), error) {
			g, err := kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{
				ID: group, Brokers: e.Brokers, Topics: []string{topic}, GroupBalancers: []kafka.GroupBalancer{b}, StartOffset: kafka.FirstOffset,
				HeartbeatInterval: 300 * time.Millisecond, SessionTimeout: 10 * time.Second, RebalanceTimeout: 10 * time.Second,
				JoinGroupBackoff: 200 * time.Millisecond})
			if err != nil {
				return nil, err
			}
			inner, cancel := context.WithCancel(ctx)
			var wait sync.WaitGroup
			wait.Add(1)
			go func() {
				defer wait.Done()
				for {
					gen, err := g.Next(inner)
					if errors.Is(err, kafka.ErrGroupClosed) || inner.Err() != nil {
						return
					}
					if err != nil {
						e.Say("group: %v", err)
						continue
					}
					generation(inner, e, gen, topic, m)
				}
			}()
			return func() { cancel(); g.Close(); wait.Wait() }, nil
		},
	}
}

func twoMembers(b kafka.GroupBalancer) func(context.Context, *judge.Env) error {
	return func(ctx context.Context, e *judge.Env) error { return groups(e, b).TwoMembers(ctx, e) }
}

func commitResume(ctx context.Context, e *judge.Env) error {
	topic, err := filled(ctx, e, 50)
	if err != nil {
		return err
	}
	all := []judge.Record{}
	for _, n := range []int{20, 30} {
		r := reader(e, topic, func(c *kafka.ReaderConfig) { c.GroupID = e.Name("g"); c.StartOffset = kafka.FirstOffset })
		got, err := take(ctx, e, r, n) // ReadMessage commits
		r.Close()
		if err != nil {
			return err
		}
		all = append(all, got...)
	}
	if err := judge.Compare(judge.Records(50), all, false); err != nil {
		return err
	}
	return committed(ctx, e, e.Name("g"), topic, 50)
}

func committed(ctx context.Context, e *judge.Env, group, topic string, want int64) error {
	r, err := client(e).OffsetFetch(ctx, &kafka.OffsetFetchRequest{GroupID: group, Topics: map[string][]int{topic: {0}}})
	if err != nil {
		return err
	}
	if len(r.Topics[topic]) != 1 {
		return fmt.Errorf("committed offsets %+v", r.Topics)
	}
	return judge.Equal("committed offset", want, r.Topics[topic][0].CommittedOffset)
}

// until reads values until "end", without the markers of transactions, which kafka-go hands out as if they were messages.
func until(ctx context.Context, e *judge.Env, topic string, level kafka.IsolationLevel) (string, error) {
	r := reader(e, topic, func(c *kafka.ReaderConfig) { c.IsolationLevel = level })
	defer r.Close()
	out := []string{}
	for {
		m, err := r.ReadMessage(ctx)
		if err != nil {
			return "", err
		}
		if string(m.Value) == "end" {
			return strings.Join(out, " "), nil
		}
		if len(m.Key) != 4 {
			out = append(out, string(m.Value))
		}
		e.Say("read %v", out)
	}
}

func transactional(ctx context.Context, e *judge.Env, do func(topic string, cl *kgo.Client) error) error {
	topic := e.Name("t")
	if err := create(ctx, e, topic, 1); err != nil {
		return err
	}
	cl, err := kgo.NewClient(kgo.SeedBrokers(e.Brokers...), kgo.TransactionalID(e.Name("x")), kgo.DefaultProduceTopic(topic), kgo.MetadataMinAge(100*time.Millisecond))
	if err != nil {
		return err
	}
	defer cl.Close()
	return do(topic, cl)
}

func txnRead(ctx context.Context, e *judge.Env) error {
	return transactional(ctx, e, func(topic string, cl *kgo.Client) error {
		for i, values := range [][]string{{"a", "b"}, {"c", "d"}, {"f"}, {"g"}, {"h", "end"}} {
			if err := cl.BeginTransaction(); err != nil {
				return err
			}
			for _, v := range values {
				if err := cl.ProduceSync(ctx, kgo.StringRecord(v)).FirstErr(); err != nil {
					return err
				}
			}
			if err := cl.EndTransaction(ctx, i%2 == 0); err != nil {
				return err
			}
		}
		for _, level := range []kafka.IsolationLevel{kafka.ReadUncommitted, kafka.ReadCommitted} {
			got, err := until(ctx, e, topic, level)
			if err != nil {
				return err
			}
			// The client has to leave out what was aborted, and kafka-go does not: from Apache Kafka it reads the same.
			if err := judge.Equal("isolation level "+fmt.Sprint(level), "a b c d f g h", got); err != nil {
				return err
			}
		}
		e.Say("(kafka-go leaves no aborted record out, from no broker)")
		return nil
	})
}

func txnOpen(ctx context.Context, e *judge.Env) error {
	return transactional(ctx, e, func(topic string, cl *kgo.Client) error {
		if err := cl.BeginTransaction(); err != nil {
			return err
		}
		if err := cl.ProduceSync(ctx, kgo.StringRecord("a"), kgo.StringRecord("end")).FirstErr(); err != nil {
			return err
		}
		short, cancel := context.WithTimeout(ctx, 1500*time.Millisecond)
		defer cancel()
		if got, err := until(short, e, topic, kafka.ReadCommitted); err == nil {
			return fmt.Errorf("an open transaction let %q be read", got)
		}
		if err := cl.EndTransaction(ctx, kgo.TryCommit); err != nil {
			return err
		}
		got, err := until(ctx, e, topic, kafka.ReadCommitted)
		if err != nil {
			return err
		}
		return judge.Equal("read committed", "a", got)
	})
}

func main() {
	const noIdempotence, no848 = "kafka-go has no idempotent or transactional producer", "kafka-go has no KIP-848 members"
	judge.Main("kafka-go", []judge.Case{
		{Name: "metadata", Run: metadata},
		{Name: "codec-none", Run: codec(0)}, {Name: "codec-gzip", Run: codec(kafka.Gzip)}, {Name: "codec-snappy", Run: codec(kafka.Snappy)},
		{Name: "codec-lz4", Run: codec(kafka.Lz4)}, {Name: "codec-zstd", Run: codec(kafka.Zstd)},
		{Name: "from-start", Run: from(0, func(_ context.Context, r *kafka.Reader) error { return r.SetOffset(kafka.FirstOffset) })},
		{Name: "from-timestamp", Run: from(20, func(ctx context.Context, r *kafka.Reader) error {
			return r.SetOffsetAt(ctx, time.UnixMilli(judge.FirstMillis+19*judge.StepMillis+1))
		})},
		{Name: "from-end", Run: fromEnd}, {Name: "out-of-range", Run: outOfRange}, {Name: "too-large", Run: tooLarge},
		{Name: "group-range", Run: twoMembers(kafka.RangeGroupBalancer{})},
		{Name: "group-roundrobin", Run: twoMembers(kafka.RoundRobinGroupBalancer{})},
		{Name: "group-sticky", Not: "kafka-go has no sticky assignor"}, {Name: "group-cooperative", Not: "kafka-go has no cooperative assignor"},
		{Name: "group-kip848", Not: no848}, {Name: "group-kip848-range", Not: no848}, {Name: "group-kip848-regex", Not: no848},
		{Name: "group-kip848-static", Not: no848},
		{Name: "group-static", Not: "kafka-go has no static members"},
		{Name: "commit-resume", Run: commitResume}, {Name: "idempotent", Not: noIdempotence},
		{Name: "txn-read", Run: txnRead}, {Name: "txn-open", Run: txnOpen}, {Name: "txn-fenced", Not: noIdempotence},
		{Name: "txn-offsets", Not: noIdempotence}, {Name: "txn-offsets-kip848", Not: no848},
		{Name: "admin-topics", Run: adminTopics}, {Name: "admin-partitions", Run: adminPartitions},
		{Name: "admin-configs", Run: adminConfigs}, {Name: "admin-delete-records", Not: "kafka-go has no DeleteRecords"},
		{Name: "admin-groups", Run: adminGroups}, {Name: "admin-offsets", Run: adminOffsets},
		{Name: "admin-transactions", Not: "kafka-go has no DescribeTransactions"},
	})
}
