// Go's net package, a goroutine a connection.   go_echo PORT
package main

import (
	"net"
	"os"
)

func echo(peer net.Conn) {
	defer peer.Close()
	buffer := make([]byte, 64*1024)
	for {
		got, err := peer.Read(buffer)
		if err != nil {
			return
		}
		if _, err := peer.Write(buffer[:got]); err != nil {
			return
		}
	}
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Args[1])
	if err != nil {
		panic(err)
	}
	for {
		if peer, err := listener.Accept(); err == nil {
			go echo(peer)
		}
	}
}
