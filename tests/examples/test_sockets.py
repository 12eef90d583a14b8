"""The examples about sockets, with Python's standard library at the other end, and with each other."""
import os
import pathlib
import resource
import select
import signal
import socket
import struct
import tempfile
import threading

import examples


class Tcp(examples.TestCase):
    def test_server_greets_and_hears_a_receipt_one_client_after_another(self):
        with examples.Program("tcp_server", 0, 4) as server:
            port = server.port()
            self.assertEqual(examples.run("tcp_client", f"127.0.0.1:{port}").stdout, "welcome, you are number 1\n")
            server.wait_for(r"1: received 26 bytes")
            # The second and the third are both in line; the third waits until the second has finished.
            second, third = examples.client(port), examples.client(port)
            self.assertEqual(second.recv(100), b"welcome, you are number 2\n")
            second.sendall(b"rec")
            second.sendall(b"eived\n")
            second.shutdown(socket.SHUT_WR)
            self.assertEqual(second.recv(100), b"")
            server.wait_for("2: received\n")
            # The third vanishes by a reset, and the server goes on.
            self.assertEqual(third.recv(100), b"welcome, you are number 3\n")
            third.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            third.close()
            server.wait_for(r"3: vanished \(Connection reset by peer\)")
            with examples.client(port) as fourth:
                fourth.recv(100)
            server.wait_for("4: left without a receipt")
            self.assertEqual(server.end(), 0)
            second.close()

    def test_server_lets_nobody_hold_up_the_line(self):
        with examples.Program("tcp_server", 0, 3) as server:
            port = server.port()
            with examples.client(port) as endless:
                with self.assertRaises(OSError):
                    for _ in range(1000):
                        endless.sendall(bytes(1 << 20))
            server.wait_for("1: too much")
            gone = threading.Event()

            def drip(sock):
                while not gone.wait(0.1):  # always something, never the end
                    try:
                        sock.sendall(b".")
                    except OSError:
                        return

            with examples.client(port) as slow, examples.client(port) as next_one:
                thread = threading.Thread(target=drip, args=(slow,))
                thread.start()
                try:
                    server.wait_for("2: too slow")
                    self.assertEqual(next_one.recv(100), b"welcome, you are number 3\n")
                finally:
                    gone.set()
                    thread.join()

    def test_server_says_what_is_wrong_in_a_line(self):
        with examples.server() as listener:
            port = listener.getsockname()[1]
            for name in ("tcp_server", "selector_echo_server", "talk"):
                self.assert_fails(name, port, says=f"bind 127.0.0.1:{port}: Address already in use")
        with examples.server(socket.SOCK_DGRAM) as taken:
            port = taken.getsockname()[1]
            for name in ("udp_server", "time_server", "command_udp_server"):
                self.assert_fails(name, port, says=f"bind 127.0.0.1:{port}: Address already in use")

    def test_client_against_python(self):
        listener = examples.server()
        heard = []

        def serve():
            peer, _ = listener.accept()
            with peer:
                peer.sendall("你好\n".encode())
                heard.append(examples.receive_all(peer))
                peer.sendall(b"bye\n")

        thread = threading.Thread(target=serve)
        thread.start()
        done = examples.run("tcp_client", "localhost:%d" % listener.getsockname()[1])
        thread.join()
        listener.close()
        self.assertEqual(done.stdout, "你好\nbye\n")
        self.assertEqual(heard, [b"received 7 bytes\n"])

    def test_client_says_what_went_wrong(self):
        listener = examples.server()
        port = listener.getsockname()[1]
        listener.close()
        done = examples.run("tcp_client", f"127.0.0.1:{port}", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr, f"tcp_client: connect 127.0.0.1:{port}: Connection refused\n")
        done = examples.run("tcp_client", "127.0.0.1:65536", check=False)
        self.assertIn("the port must be 0 to 65535", done.stderr)

    def test_echo_client_until_q(self):
        listener = examples.server()
        heard = []

        def serve():
            peer, _ = listener.accept()
            with peer:
                while data := peer.recv(1024):
                    heard.append(data)
                    for byte in data:  # in as many pieces as can be
                        peer.sendall(bytes([byte]))

        thread = threading.Thread(target=serve)
        thread.start()
        done = examples.run("tcp_echo_client", "127.0.0.1:%d" % listener.getsockname()[1], text="one\n\ntwo 二\nq\nnever\n")
        thread.join()
        listener.close()
        self.assertEqual(done.stdout, "one\ntwo 二\n")
        self.assertEqual(b"".join(heard), "onetwo 二".encode())

    def test_talk_until_886(self):
        with examples.Program("talk", 0) as one:
            port = one.port()
            with examples.Program("talk", f"127.0.0.1:{port}") as other:
                other.type("hello\n")
                one.wait_for("peer: hello\n")
                one.type("how are you?\nwell?\n")
                other.wait_for("peer: how are you\\?\npeer: well\\?\n")
                other.type("886\n")
                self.assertEqual(other.end(), 0)
                one.wait_for("peer: 886\nthe peer has left\n")
                one.end_of_input()
                self.assertEqual(one.end(), 0)

    def test_talk_with_python(self):
        with examples.Program("talk", 0) as one, examples.client(one.port()) as peer:
            peer.sendall("早".encode()[:2])
            peer.sendall("早\n".encode()[2:])
            one.wait_for("peer: 早\n")
            one.type("886\n")
            self.assertEqual(examples.receive_all(peer), b"886\n")
            self.assertEqual(one.end(), 0)

    def test_talk_with_somebody_who_vanishes(self):
        with examples.Program("talk", 0) as one:
            with examples.client(one.port()) as peer:
                peer.sendall(b"hello\n")
                one.wait_for("peer: hello\n")
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            one.wait_for("the peer has vanished\n")
            one.type("still there?\n")
            self.assertEqual(one.end(), 1)
            self.assertRegex(one.output.decode(), r"\ntalk: recv \S+: Connection reset by peer\n$")


class Udp(examples.TestCase):
    def test_server_answers_each_client_where_it_is(self):
        with examples.Program("udp_server", 0) as server:
            port = server.port()
            clients = [examples.client(port, socket.SOCK_DGRAM) for _ in range(3)]
            for round in (1, 2):
                for client in clients:
                    client.send(b"hi")
                for client in clients:
                    self.assertEqual(client.recv(100), b"%d: hi" % round)
            clients[0].send(b"")
            self.assertEqual(clients[0].recv(100), b"3: you said nothing")
            clients[0].send(b"x" * 5000)
            self.assertEqual(clients[0].recv(100), b"4: too long, 1024 of 5000 bytes")
            server.wait_for("5000 bytes, 3 clients so far")
            for client in clients:
                client.close()
            self.assertEqual(examples.run("udp_client", f"127.0.0.1:{port}", "a", "b").stdout, "1: a\n2: b\n")

    def test_server_goes_on_after_who_cannot_be_answered(self):
        with examples.Program("udp_server", 0) as server:
            port = server.port()
            examples.send_from_port_0(port, b"hi")
            server.wait_for("send_to 127.0.0.1:0: Invalid argument")
            with examples.client(port, socket.SOCK_DGRAM) as client:
                client.send(b"after")
                self.assertEqual(client.recv(100), b"1: after")

    def test_client_against_python(self):
        sock = examples.server(socket.SOCK_DGRAM)

        def serve():
            for answer in (b"first", b"", None, b"late"):
                data, sender = sock.recvfrom(65536)
                if answer is not None:
                    sock.sendto(answer or data, sender)

        thread = threading.Thread(target=serve)
        thread.start()
        done = examples.run("udp_client", "127.0.0.1:%d" % sock.getsockname()[1], "一", "", "lost", "x" * 65508, "end")
        thread.join()
        sock.close()
        lines = done.stdout.splitlines()
        self.assertEqual(lines[:3], ["first", "", "no answer"])
        self.assertIn("65508 bytes; UDP over IPv4 carries at most 65507", lines[3])
        self.assertEqual(lines[4], "late")


class Multicast(examples.TestCase):
    def test_everybody_hears_what_is_said_to_the_group(self):
        free = examples.server(socket.SOCK_DGRAM)
        group, port = "239.255.17.4", free.getsockname()[1]
        free.close()
        place = f"{group}:{port}"
        with examples.Program("multicast", place, "lo") as one, examples.Program("multicast", place, "lo") as two, \
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as python:
            for program in (one, two):
                program.wait_for("listening on")
            python.settimeout(examples.SECONDS)
            python.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            python.bind((group, port))
            on_lo = socket.inet_aton(group) + socket.inet_aton("0.0.0.0") + struct.pack("i", socket.if_nametoindex("lo"))
            python.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, on_lo)
            examples.run("multicast", place, "lo", "大家好")
            self.assertEqual(python.recv(100).decode(), "大家好")
            python.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, on_lo)
            python.sendto(b"from Python", (group, port))
            for program in (one, two):
                program.wait_for(r"127.0.0.1: 大家好\n\S+: from Python\n")

    def test_wrong_group_or_interface_is_named(self):
        self.assertIn("127.0.0.1: not a group", examples.run("multicast", "127.0.0.1:0", "lo", check=False).stderr)
        self.assertIn("MCAST_JOIN_GROUP nowhere: No such device",
                      examples.run("multicast", "239.1.1.1:0", "nowhere", check=False).stderr)


class Broadcast(examples.TestCase):
    def test_everybody_on_the_network_hears_it(self):
        free = examples.server(socket.SOCK_DGRAM)
        everybody = "127.255.255.255", free.getsockname()[1]
        free.close()
        place = "%s:%d" % everybody
        with examples.Program("broadcast", place) as one, examples.Program("broadcast", place) as two, \
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as python:
            for program in (one, two):
                program.wait_for("listening on")
            python.settimeout(examples.SECONDS)
            python.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            python.bind(everybody)
            examples.run("broadcast", place, "大家好")
            self.assertEqual(python.recv(100).decode(), "大家好")
            with self.assertRaises(PermissionError):
                python.sendto(b"by mistake", everybody)
            python.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            python.sendto(b"from Python", everybody)
            for program in (one, two):
                program.wait_for(r"127.0.0.1: 大家好\n\S+: from Python\n")

    def test_what_went_wrong_is_one_line(self):
        done = examples.run("broadcast", "somewhere:1", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r'^broadcast: bad address "somewhere.*\n$')


class Urgent(examples.TestCase):
    def test_the_urgent_byte_is_read_in_its_place(self):
        with examples.Program("urgent", 0) as listener, examples.client(listener.port()) as sock:
            sock.sendall(b"before")
            sock.send(b"!", socket.MSG_OOB)
            sock.sendall(b"after")
            listener.wait_for("text: before\nurgent: !\ntext: after\n")
            sock.send(b"?", socket.MSG_OOB)
            listener.wait_for("urgent: \\?\n")
            sock.close()
            self.assertEqual(listener.end(), 0)

    def test_python_hears_it_out_of_line(self):
        with examples.server() as listener:
            with examples.Program("urgent", "127.0.0.1:%d" % listener.getsockname()[1]) as program:
                sock, _ = listener.accept()
                with sock:
                    self.assertTrue(select.select([], [], [sock], examples.SECONDS)[2])
                    self.assertEqual(sock.recv(1, socket.MSG_OOB), b"!")
                    self.assertEqual(examples.receive_all(sock), b"one thing after anotherand so on")
                self.assertEqual(program.end(), 0)

    def test_both_ends(self):
        with examples.Program("urgent", 0) as listener:
            examples.run("urgent", f"127.0.0.1:{listener.port()}")
            listener.wait_for("text: one thing after another\nurgent: !\ntext: and so on\n")
            self.assertEqual(listener.end(), 0)


class Families(examples.TestCase):
    KINDS = {
        "IPv4 stream": (socket.AF_INET, socket.SOCK_STREAM, 0),
        "IPv4 datagrams": (socket.AF_INET, socket.SOCK_DGRAM, 0),
        "IPv6 stream": (socket.AF_INET6, socket.SOCK_STREAM, 0),
        "UNIX stream": (socket.AF_UNIX, socket.SOCK_STREAM, 0),
        "UNIX datagrams": (socket.AF_UNIX, socket.SOCK_DGRAM, 0),
        "raw ICMP": (socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
        "raw CAN": (socket.AF_CAN, socket.SOCK_RAW, socket.CAN_RAW),
        "RDS": (socket.AF_RDS, socket.SOCK_SEQPACKET, 0),
    }

    def fault(self, name):
        """What the kernel has against it."""
        try:
            socket.socket(*self.KINDS[name]).close()
        except OSError as error:
            return os.strerror(error.errno)
        return None

    def test_what_there_is_and_what_not(self):
        lines = dict(line.split(": ", 1) for line in examples.run("families").stdout.splitlines())
        self.assertEqual(list(lines), list(self.KINDS))
        for name, said in lines.items():
            fault = self.fault(name)
            self.assertRegex(said, f"^socket AF_\\w+ SOCK_.*: {fault}$" if fault else "^here$")

    def test_dual_stack(self):
        if self.fault("IPv6 stream"):
            done = examples.run("dual_stack", 0, check=False)
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stderr, r"^dual_stack: .*\n$")
            return
        with examples.Program("dual_stack", 0) as server:
            port = server.port()
            with examples.client(port) as sock:
                self.assertEqual(sock.recv(100), b"you came over IPv4 from ::ffff:127.0.0.1\n")
                with socket.socket(socket.AF_INET6) as other:  # while the first is still there
                    other.settimeout(examples.SECONDS)
                    try:
                        other.connect(("::1", port))
                    except OSError:
                        self.skipTest("no IPv6 address on the loopback")
                    self.assertEqual(other.recv(100), b"you came over IPv6 from ::1\n")
            self.assertEqual(examples.run("tcp_client", f"[::1]:{port}").stdout, "you came over IPv6 from ::1\n")
            self.assert_fails("dual_stack", port, says=f"bind [::]:{port}: Address already in use")

    def test_can_frames(self):
        fault = self.fault("raw CAN") or "No such device"
        done = examples.run("can_frames", "no-such-bus", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, f"^can_frames: .*: {fault}\n$")
        if "vcan0" not in [name for _, name in socket.if_nameindex()]:
            return
        with examples.Program("can_frames", "vcan0") as program, \
                socket.socket(socket.AF_CAN, socket.SOCK_RAW, socket.CAN_RAW) as python:
            program.wait_for("listening on vcan0")
            python.settimeout(examples.SECONDS)
            python.bind(("vcan0",))
            examples.run("can_frames", "vcan0", "1a3", "hello")
            self.assertEqual(python.recv(100), struct.pack("<IB3x8s", 0x1a3, 5, b"hello"))
            python.send(struct.pack("<IB3x8s", 0x7ff, 2, b"\x01\xff"))
            program.wait_for("1a3: 68 65 6c 6c 6f\n7ff: 01 ff\n")


class Unix(examples.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "echo")

    def talk(self):
        with socket.socket(socket.AF_UNIX) as stream:
            stream.settimeout(examples.SECONDS)
            stream.connect(self.path)
            stream.sendall(b"stream")
            self.assertEqual(examples.receive_exactly(stream, 6), b"stream")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagrams:
            datagrams.settimeout(examples.SECONDS)
            datagrams.bind("")  # an abstract name of the kernel's choice
            for text in (b"datagram", b"", b"after"):
                datagrams.sendto(text, b"\0" + self.path.encode())
                self.assertEqual(datagrams.recv(100), text)

    def test_a_sender_that_has_gone_before_its_answer_ends_nobody_else(self):
        with examples.Program("unix_sockets", self.path) as server:
            server.wait_for("listening on")
            server.process.send_signal(signal.SIGSTOP)
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as gone:
                gone.bind("")
                gone.sendto(b"adieu", b"\0" + self.path.encode())
            server.process.send_signal(signal.SIGCONT)
            server.wait_for("unix_sockets: \\w+ \\S+: Connection refused")
            self.talk()

    def test_a_sender_that_does_not_read_holds_up_nobody_else(self):
        with examples.Program("unix_sockets", self.path) as server, \
                socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as lazy:
            server.wait_for("listening on")
            lazy.settimeout(examples.SECONDS)
            lazy.bind("")
            for _ in range(2000):
                lazy.sendto(b"x", b"\0" + self.path.encode())
            self.talk()

    def test_stale_path_is_taken_over_and_a_live_one_never(self):
        with examples.Program("unix_sockets", self.path) as server:
            server.wait_for("listening on")
            self.talk()
            second = examples.run("unix_sockets", self.path, check=False)
            self.assertEqual(second.returncode, 1)
            self.assertIn("Address already in use", second.stderr)
            self.talk()
            server.process.kill()
            server.process.wait()
        self.assertTrue(pathlib.Path(self.path).is_socket())  # left behind
        with examples.Program("unix_sockets", self.path) as server:
            server.wait_for("listening on")
            self.talk()

    def test_path_that_is_too_long_is_a_clear_error(self):
        done = examples.run("unix_sockets", "/tmp/" + "x" * 200, check=False)
        self.assertIn("longer than the 107 bytes of a UNIX address", done.stderr)


class Other(examples.TestCase):
    def test_socket_options(self):
        self.assertEqual(examples.run("socket_options").stdout, """\
keep-alive after 30, 3 probes
receive buffer 32768 bytes
setsockopt SO_BINDTODEVICE no-such-device: No such device
without SO_REUSEADDR: Address already in use
with SO_REUSEADDR: started again
""")

    def test_addresses(self):
        done = examples.run("addresses", "127.0.0.1:80", "[::1]:443", "172.20.1.1:0", "224.0.0.1:5000", "@name",
                            "10.0.0.1:70000", ":80", "[fe80::1%nowhere]:1", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stdout, """\
127.0.0.1:80: host 127.0.0.1 port 80, loopback
[::1]:443: host ::1 port 443, loopback
172.20.1.1:0: host 172.20.1.1 port 0, private, B
224.0.0.1:5000: host 224.0.0.1 port 5000, multicast
@name: UNIX @name, on this machine
bad address "10.0.0.1:70000": the port must be 0 to 65535 (at 9)
bad address ":80": the host is empty (at 0)
bad address "[fe80::1%nowhere]:1": no such interface (at 9)
""")
        names = examples.run("addresses").stdout
        for _, name in socket.if_nameindex():
            self.assertRegex(names, f"(?m)^{name}: ")
        self.assertRegex(names, r"(?m)^lo: up, loopback, mtu \d+\n(  .*\n)*  127\.0\.0\.1/8$")

    def test_ping(self):
        done = examples.run("ping", "127.0.0.1", 2, check=False)
        if "CAP_NET_RAW" in done.stderr:  # neither root nor in the group: that is what it says
            return
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"^echo 1 from 127.0.0.1: 14 bytes after .* ms\n"
                                      r"echo 2 from 127.0.0.1: 14 bytes after .* ms\n2 of 2 heard\n$")

    def test_selector_echo_server(self):
        for kind in ("select", "poll", "epoll"):
            with examples.Program("selector_echo_server", 0, kind) as server:
                port = server.port()
                clients = [examples.client(port) for _ in range(20)]
                for i, client in enumerate(clients):
                    client.sendall(b"%d" % i)
                for i, client in enumerate(clients):
                    self.assertEqual(client.recv(100), b"%d" % i)
                # One that writes much and reads late holds up nobody, and loses nothing.
                slow = clients[0]
                data = os.urandom(1 << 20) * 8
                sending = threading.Thread(target=slow.sendall, args=(data,))
                sending.start()
                clients[1].sendall(b"quick")
                self.assertEqual(clients[1].recv(100), b"quick")
                self.assertTrue(examples.receive_exactly(slow, len(data)) == data)
                sending.join()
                clients[2].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                for client in clients[2:]:
                    client.close()
                slow.sendall(b"still there")
                self.assertEqual(examples.receive_exactly(slow, 11), b"still there")
                slow.close()
                clients[1].close()

    def test_selector_echo_server_out_of_descriptors(self):
        for kind in ("select", "poll", "epoll"):
            with self.subTest(kind), \
                    examples.Program("selector_echo_server", 0, kind, preexec_fn=examples.few_descriptors) as server:
                examples.fill_with_clients(self, server)

    def test_selector_echo_server_lets_go_whom_select_cannot_hold(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard < 2300:
            self.skipTest("too few descriptors")
        resource.setrlimit(resource.RLIMIT_NOFILE, (2300, hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        with examples.Program("selector_echo_server", 0, "select") as server:
            port = server.port()
            clients = [examples.client(port) for _ in range(1100)]
            self.assertEqual(clients[-1].recv(1), b"")  # the end: it was one too many
            clients[0].sendall(b"still here")
            self.assertEqual(examples.receive_exactly(clients[0], 10), b"still here")
            for client in clients:
                client.close()


if __name__ == "__main__":
    examples.main()
