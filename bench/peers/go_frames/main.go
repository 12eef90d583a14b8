// Framed messages with Go's net, bufio and encoding/json.   go_frames PORT
package main

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"io"
	"net"
	"os"
)

type header struct {
	Size int `json:"size"`
}

// receive returns the body of the next frame, in memory that it may take from `scratch`.
func receive(from *bufio.Reader, scratch []byte) ([]byte, error) {
	var length [4]byte
	if _, err := io.ReadFull(from, length[:]); err != nil {
		return nil, err
	}
	text := make([]byte, binary.LittleEndian.Uint32(length[:]))
	if _, err := io.ReadFull(from, text); err != nil {
		return nil, err
	}
	var head header
	if err := json.Unmarshal(text, &head); err != nil {
		return nil, err
	}
	if head.Size > cap(scratch) {
		scratch = make([]byte, head.Size)
	}
	body := scratch[:head.Size]
	_, err := io.ReadFull(from, body)
	return body, err
}

func serve(peer net.Conn) {
	defer peer.Close()
	from := bufio.NewReaderSize(peer, 16*1024)
	var body, answer []byte
	for {
		var err error
		if body, err = receive(from, body); err != nil {
			return
		}
		text, _ := json.Marshal(header{len(body)})
		answer = binary.LittleEndian.AppendUint32(answer[:0], uint32(len(text)))
		answer = append(append(answer, text...), body...)
		if _, err := peer.Write(answer); err != nil {
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
			go serve(peer)
		}
	}
}
