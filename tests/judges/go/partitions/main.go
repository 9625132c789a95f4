// Partitions of keys as sarama and kafka-go choose them. Keys come in as hexadecimal lines; out go lines of the form described in
// tests/data/partitions/README.md.
package main

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"os"

	"github.com/IBM/sarama"
	"github.com/segmentio/kafka-go"
)

var counts = []int{1, 3, 7, 12, 100, 1000}

func bySarama(p sarama.Partitioner, key []byte, n int) int {
	got, err := p.Partition(&sarama.ProducerMessage{Key: sarama.ByteEncoder(key)}, int32(n))
	if err != nil {
		panic(err)
	}
	return int(got)
}

func byKafkaGo(b kafka.Balancer, key []byte, n int) int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return b.Balance(kafka.Message{Key: key}, all...)
}

func main() {
	choices := []struct {
		name   string
		choose func(key []byte, n int) int
	}{
		{"sarama.hash", func(k []byte, n int) int { return bySarama(sarama.NewHashPartitioner("t"), k, n) }},
		{"sarama.crc", func(k []byte, n int) int { return bySarama(sarama.NewConsistentCRCHashPartitioner("t"), k, n) }},
		{"kafka-go.hash", func(k []byte, n int) int { return byKafkaGo(&kafka.Hash{}, k, n) }},
	}
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		key, err := hex.DecodeString(in.Text())
		if err != nil {
			panic(err)
		}
		for _, c := range choices {
			fmt.Printf("%s %x", c.name, key)
			for _, n := range counts {
				fmt.Printf(" %d", c.choose(key, n))
			}
			fmt.Println()
		}
	}
}
