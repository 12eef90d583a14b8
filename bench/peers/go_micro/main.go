// The same steps in Go. GOMAXPROCS=1 for what stays in one thread, 2 for what crosses.
package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"sync"
	"time"
)

func report(group, what string, begin time.Time, steps int) {
	ns := float64(time.Since(begin).Nanoseconds()) / float64(steps)
	fmt.Printf("%s\tGo %s\t%.2f\n", group, what, ns)
}

func yields(count int, what string) {
	each := 5000000 / count
	var all sync.WaitGroup
	begin := time.Now()
	for i := 0; i < count; i++ {
		all.Add(1)
		go func() {
			for n := 0; n < each; n++ {
				runtime.Gosched()
			}
			all.Done()
		}()
	}
	all.Wait()
	report("switch", what, begin, each*count)
}

func spawns() {
	const count = 500000
	done := make(chan struct{})
	begin := time.Now()
	for i := 0; i < count; i++ {
		go func() { done <- struct{}{} }()
		<-done
	}
	report("spawn+join", "goroutine", begin, count)
	var all sync.WaitGroup
	begin = time.Now()
	for i := 0; i < count/1000; i++ {
		all.Add(1000)
		for n := 0; n < 1000; n++ {
			go all.Done()
		}
		all.Wait()
	}
	report("spawn+join", "goroutine, 1000 at once", begin, count)
}

func locks() {
	const count = 20000000
	var mutex sync.Mutex
	begin := time.Now()
	for i := 0; i < count; i++ {
		mutex.Lock()
		mutex.Unlock()
	}
	report("lock+unlock", "sync.Mutex, uncontended", begin, count)
}

func oneWay(group, what string, room, count int) {
	channel := make(chan int, room)
	begin := time.Now()
	go func() {
		for i := 0; i < count; i++ {
			channel <- i
		}
	}()
	for i := 0; i < count; i++ {
		<-channel
	}
	report(group, what, begin, count)
}

func wakes() {
	const count = 20000
	there, back := make(chan int), make(chan int)
	ready := make(chan struct{})
	go func() {
		runtime.LockOSThread()
		close(ready)
		for value := range there {
			back <- value
		}
	}()
	runtime.LockOSThread()
	<-ready
	begin := time.Now()
	for i := 0; i < count; i++ {
		there <- i
		<-back
	}
	report("wake across threads, one way", "chan between two locked threads", begin, 2*count)
	close(there)
	runtime.UnlockOSThread()
}

func headers() {
	const count = 300000
	text := []byte(`{"size":1024}`)
	begin := time.Now()
	for i := 0; i < count; i++ {
		var header struct {
			Size int `json:"size"`
		}
		if json.Unmarshal(text, &header) != nil || header.Size != 1024 {
			panic("not parsed")
		}
	}
	report("frame header {\"size\":1024}, parsed", "encoding/json", begin, count)
}

func main() {
	if runtime.GOMAXPROCS(0) == 1 {
		yields(2, "Gosched, 2 goroutines")
		yields(1000, "Gosched, 1000 goroutines")
		spawns()
		locks()
		oneWay("queue, both ends in one thread", "chan, room for 1024, two goroutines", 1024, 5000000)
		oneWay("channel without room, both ends in one thread", "chan", 0, 2000000)
		headers()
	} else {
		oneWay("queue, 1 producer 1 consumer, 2 cores", "chan, room for 1024", 1024, 5000000)
		wakes()
	}
}
