// Go's net package: a UDP server that sends back what it gets.   go_datagrams PORT
package main

import (
	"net"
	"os"
	"strconv"
)

func main() {
	port, _ := strconv.Atoi(os.Args[1])
	socket, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
	if err != nil {
		panic(err)
	}
	buffer := make([]byte, 2048)
	for {
		if got, from, err := socket.ReadFromUDPAddrPort(buffer); err == nil {
			socket.WriteToUDPAddrPort(buffer[:got], from)
		}
	}
}
