// Goroutines that wait: how long to start them, how much memory each, how long to end them.   go_park COUNT
package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

func resident() float64 {
	text, _ := os.ReadFile("/proc/self/statm")
	pages, _ := strconv.ParseFloat(strings.Fields(string(text))[1], 64)
	return pages * float64(os.Getpagesize())
}

func main() {
	count, _ := strconv.Atoi(os.Args[1])
	before := resident()
	gate := make(chan struct{})
	var parked, ended sync.WaitGroup
	begin := time.Now()
	for i := 0; i < count; i++ {
		parked.Add(1)
		ended.Add(1)
		go func() {
			parked.Done()
			<-gate
			ended.Done()
		}()
	}
	parked.Wait()
	start := time.Since(begin).Seconds()
	each := (resident() - before) / float64(count)
	begin = time.Now()
	close(gate)
	ended.Wait()
	fmt.Printf("{\"start_s\": %.2f, \"bytes_each\": %.0f, \"end_s\": %.2f}\n", start, each, time.Since(begin).Seconds())
}
