// franz-go at the job that ../README.md describes: words as KEY=VALUE, one line of JSON out.
//
// How it is tuned: a million records may be buffered, batches up to 1 MB, records come from a pool and go back to it in their promise
// (measured to cost less than a new record each time).
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

func die(err error) {
	fmt.Fprintln(os.Stderr, "peer_franz:", err)
	os.Exit(1)
}

func number(words map[string]string, name string, otherwise float64) float64 {
	text, ok := words[name]
	if !ok {
		return otherwise
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		die(err)
	}
	return n
}

func usage() (cpu float64, peakMB float64) {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return float64(u.Utime.Sec+u.Stime.Sec) + float64(u.Utime.Usec+u.Stime.Usec)/1e6, float64(u.Maxrss) / 1024
}

func version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, d := range info.Deps {
			if d.Path == "github.com/twmb/franz-go" {
				return d.Version
			}
		}
	}
	return "?"
}

type bench struct {
	client       *kgo.Client
	values, keys [][]byte
	next, key    int
	pool         sync.Pool
	done, failed atomic.Int64
	promise      func(*kgo.Record, error)
}

// The next value and key in turn.
func (b *bench) record() kgo.Record {
	r := kgo.Record{Value: b.values[b.next]}
	if b.next++; b.next == len(b.values) {
		b.next = 0
	}
	if len(b.keys) > 0 {
		r.Key = b.keys[b.key]
		if b.key++; b.key == len(b.keys) {
			b.key = 0
		}
	}
	return r
}

func (b *bench) send() {
	r := b.pool.Get().(*kgo.Record)
	*r = b.record()
	b.client.Produce(context.Background(), r, b.promise)
}

func (b *bench) oneAtATime(n int, times []time.Duration) {
	came := make(chan time.Time, 1)
	promise := func(_ *kgo.Record, err error) {
		if err != nil {
			b.failed.Add(1)
		}
		came <- time.Now()
	}
	for i := range n {
		begin := time.Now()
		r := b.record()
		b.client.Produce(context.Background(), &r, promise)
		at := <-came
		if times != nil {
			times[i] = at.Sub(begin)
		}
	}
}

// Timed from when each record should have gone, so that a stall is charged to all that wait behind it.
func (b *bench) atRate(n int, rate float64, times []time.Duration) {
	var left sync.WaitGroup
	left.Add(n)
	begin := time.Now()
	for i := range n {
		due := begin.Add(time.Duration(float64(i) * 1e9 / rate))
		if wait := time.Until(due); wait > 0 {
			time.Sleep(wait)
		}
		r := b.record()
		b.client.Produce(context.Background(), &r, func(_ *kgo.Record, err error) {
			if err != nil {
				b.failed.Add(1)
			}
			times[i] = time.Since(due)
			left.Done()
		})
	}
	left.Wait()
}

// Reads so many records of all partitions from the start: assigned by hand, checksums compared.
func consume(words map[string]string) {
	n := int64(number(words, "records", 1e6))
	begin := time.Now()
	cpuBegin, _ := usage()
	partitions := map[int32]kgo.Offset{}
	for p := range int32(number(words, "partitions", 6)) {
		partitions[p] = kgo.NewOffset().AtStart()
	}
	client, err := kgo.NewClient(
		kgo.SeedBrokers(strings.Split(words["brokers"], ",")...),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{words["topic"]: partitions}),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
	)
	if err != nil {
		die(err)
	}
	var count, size int64
	for count < n {
		fetches := client.PollFetches(context.Background())
		if errs := fetches.Errors(); len(errs) > 0 {
			die(errs[0].Err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			size += int64(len(r.Value))
			count++
		})
	}
	wall := time.Since(begin).Seconds()
	cpuEnd, peak := usage()
	cpu := cpuEnd - cpuBegin
	fmt.Printf(`{"client":"franz-go","version":%q,"op":"consume","n":%d,"size":%d,"wall":%.3f,"msgs_s":%.0f,"cpu":%.3f,"cpu_us_per_msg":%.4f,"rss_mb":%.1f,"failed":0}`+"\n",
		version(), count, size/count, wall, float64(count)/wall, cpu, cpu*1e6/float64(count), peak)
}

func main() {
	words := map[string]string{"op": "produce", "brokers": "localhost:9092", "codec": "none"}
	for _, w := range os.Args[1:] {
		k, v, ok := strings.Cut(w, "=")
		if !ok {
			die(fmt.Errorf("write KEY=VALUE, not %q", w))
		}
		words[k] = v
	}
	if words["op"] == "consume" {
		consume(words)
		return
	}
	text, err := os.ReadFile(words["values"])
	if err != nil {
		die(err)
	}
	b := &bench{values: bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n"))}
	for i := range int(number(words, "keys", 0)) {
		b.keys = append(b.keys, []byte("key-"+strconv.Itoa(i)))
	}
	b.pool.New = func() any { return new(kgo.Record) }
	b.promise = func(r *kgo.Record, err error) {
		if err != nil {
			b.failed.Add(1)
		}
		b.done.Add(1)
		b.pool.Put(r)
	}
	op, n := words["op"], int(number(words, "records", 1e6))
	linger := time.Duration(number(words, "linger", 5)) * time.Millisecond
	if op != "produce" {
		linger = 0
	}
	codecs := map[string]kgo.CompressionCodec{"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
		"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression()}
	codec, ok := codecs[words["codec"]]
	if !ok {
		die(fmt.Errorf("no codec %q", words["codec"]))
	}
	b.client, err = kgo.NewClient(
		kgo.SeedBrokers(strings.Split(words["brokers"], ",")...),
		kgo.DefaultProduceTopic(words["topic"]),
		kgo.RequiredAcks(kgo.AllISRAcks()), // idempotence is on unless switched off
		kgo.ProducerLinger(linger),
		kgo.ProducerBatchMaxBytes(1_000_000),
		kgo.MaxBufferedRecords(1_000_000),
		kgo.ProducerBatchCompression(codec),
	)
	if err != nil {
		die(err)
	}
	warmUntil := time.Now().Add(time.Duration(number(words, "warmup", 0) * 1e9))
	for first := true; first || time.Now().Before(warmUntil); first = false {
		if op == "produce" {
			for range 1000 {
				b.send()
			}
		} else {
			b.oneAtATime(1, nil)
		}
	}
	if err := b.client.Flush(context.Background()); err != nil {
		die(err)
	}
	b.done.Store(0)
	b.failed.Store(0)
	times := make([]time.Duration, n)
	begin := time.Now()
	cpuBegin, _ := usage()
	switch op {
	case "produce":
		for range n {
			b.send()
		}
		if err := b.client.Flush(context.Background()); err != nil {
			die(err)
		}
		if b.done.Load() != int64(n) {
			die(fmt.Errorf("%d of %d delivery reports came", b.done.Load(), n))
		}
	case "latency":
		b.oneAtATime(n, times)
	case "rate":
		b.atRate(n, number(words, "rate", 1000), times)
	default:
		die(fmt.Errorf("op is produce, consume, latency or rate, not %q", op))
	}
	wall := time.Since(begin).Seconds()
	cpuEnd, peak := usage()
	cpu := cpuEnd - cpuBegin
	round := func(x float64, places float64) float64 { return math.Round(x*places) / places }
	out := struct {
		Client  string   `json:"client"`
		Version string   `json:"version"`
		Op      string   `json:"op"`
		Codec   string   `json:"codec"`
		N       int      `json:"n"`
		Size    int      `json:"size"`
		Wall    float64  `json:"wall"`
		PerS    float64  `json:"msgs_s"`
		CPU     float64  `json:"cpu"`
		PerMsg  float64  `json:"cpu_us_per_msg"`
		RSS     float64  `json:"rss_mb"`
		Failed  int64    `json:"failed"`
		P50     *float64 `json:"p50_us,omitempty"`
		P99     *float64 `json:"p99_us,omitempty"`
		P999    *float64 `json:"p999_us,omitempty"`
	}{Client: "franz-go", Version: version(), Op: op, Codec: words["codec"], N: n, Size: len(b.values[0]), Wall: round(wall, 1e3), PerS: math.Round(float64(n) / wall),
		CPU: round(cpu, 1e3), PerMsg: round(cpu*1e6/float64(n), 1e4), RSS: round(peak, 10), Failed: b.failed.Load()}
	if op != "produce" {
		slices.Sort(times)
		at := func(q float64) *float64 {
			us := round(float64(times[int(q*float64(n-1))])/1e3, 10)
			return &us
		}
		out.P50, out.P99, out.P999 = at(0.5), at(0.99), at(0.999)
	}
	line, _ := json.Marshal(out)
	fmt.Println(string(line))
	b.client.Close()
	if out.Failed > 0 {
		os.Exit(1)
	}
}
