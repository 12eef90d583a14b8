// The same TLS as the rest of the world's: Python's ssl module is the peer.
#include <gtest/gtest.h>

#include <hawser/fiber/run.h>

#include "tls/python_peer.h"
#include "tls/tls_ends.h"

using namespace hawser;
using namespace hawser::test;

namespace {

constexpr const char* kEchoingServer = R"(
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
context.set_alpn_protocols(['hawser/1'])
with context.wrap_socket(sock, server_side=True) as peer:
    assert peer.version() == 'TLSv1.3', peer.version()
    assert peer.selected_alpn_protocol() == 'hawser/1'
    total = 0
    while data := peer.recv(65536):
        total += len(data)
        peer.sendall(data)
    peer.unwrap()
)";

constexpr const char* kClient = R"(
context = ssl.create_default_context(cafile=sys.argv[1])
context.set_alpn_protocols(['hawser/1'])
with context.wrap_socket(sock, server_hostname='localhost') as hub:
    assert hub.version() == 'TLSv1.3', hub.version()
    assert hub.selected_alpn_protocol() == 'hawser/1'
    text = bytes(i * 7 % 256 for i in range(256)) * 4096
    hub.sendall(text)
    got = b''
    while len(got) < len(text):
        piece = hub.recv(65536)
        assert piece
        got += piece
    assert got == text
    hub.unwrap()
)";

std::vector<std::string> files() { return {identity().certificate, identity().key}; }

}  // namespace

TEST(python, server_echoes_a_megabyte_to_our_client) {
  run([] {
    PythonPeer python(kEchoingServer, files());
    Socket socket = python.connection();
    {
      TlsStream stream(socket, TlsContext::client({.ca_file = identity().certificate, .alpn = {"hawser/1"}}),
                       "localhost");
      const std::string text = some_text(1 << 20);
      std::string got;
      Aside reading([&] { got = read_to_end(stream); });
      stream.write_all(text);
      stream.shutdown_write();
      reading.join();
      EXPECT_EQ(got, text);
    }
    EXPECT_EQ(python.exit_code(), 0);
  });
}

TEST(python, client_gets_a_megabyte_back_from_our_server) {
  run([] {
    PythonPeer python(kClient, files());
    Socket socket = python.connection();
    {
      TlsStream stream(socket, server_context({"hawser/1"}));
      EXPECT_EQ(stream.server_name(), "localhost");
      const std::string got = read_exactly(stream, 1 << 20);  // Python reads only when it has sent all
      stream.write_all(got);
      EXPECT_EQ(read_to_end(stream), "");
    }
    EXPECT_EQ(python.exit_code(), 0);
  });
}

TEST(python, client_of_an_older_tls_is_refused) {
  run([] {
    PythonPeer python(R"(
context = ssl.create_default_context(cafile=sys.argv[1])
context.maximum_version = ssl.TLSVersion.TLSv1_2
try:
    context.wrap_socket(sock, server_hostname='localhost')
except ssl.SSLError as error:
    sys.exit(0 if 'version' in str(error).lower() else 2)
)",
                      files());
    Socket socket = python.connection();
    EXPECT_THROW(TlsStream(socket, server_context()), TlsError);
    socket.close();
    EXPECT_EQ(python.exit_code(), 0);
  });
}

TEST(python, client_sees_our_refusal_of_its_protocol) {
  run([] {
    PythonPeer python(R"(
context = ssl.create_default_context(cafile=sys.argv[1])
context.set_alpn_protocols(['http/1.1'])
try:
    context.wrap_socket(sock, server_hostname='localhost')
except ssl.SSLError as error:
    sys.exit(0 if 'no application protocol' in str(error) else 2)
)",
                      files());
    Socket socket = python.connection();
    EXPECT_THROW(TlsStream(socket, server_context({"hawser/1"})), TlsError);
    socket.close();
    EXPECT_EQ(python.exit_code(), 0);
  });
}

TEST(python, client_that_does_not_trust_us_says_so) {
  run([] {
    PythonPeer python(R"(
context = ssl.create_default_context(cafile=sys.argv[1])
try:
    context.wrap_socket(sock, server_hostname='other.example')
except ssl.SSLCertVerificationError as error:
    sys.exit(0)
)",
                      files());
    Socket socket = python.connection();
    try {
      const TlsStream stream(socket, server_context());
      ADD_FAILURE();
    } catch (const TlsError& error) {
      EXPECT_NE(std::string(error.what()).find("the peer refused"), std::string::npos) << error.what();
    }
    socket.close();
    EXPECT_EQ(python.exit_code(), 0);
  });
}

TEST(python, client_that_drops_the_connection_has_truncated_the_stream) {
  run([] {
    PythonPeer python(R"(
context = ssl.create_default_context(cafile=sys.argv[1])
hub = context.wrap_socket(sock, server_hostname='localhost')
hub.sendall(b'begun')
hub.close()
)",
                      files());
    Socket socket = python.connection();
    TlsStream stream(socket, server_context());
    EXPECT_EQ(read_exactly(stream, 5), "begun");
    std::byte one{};
    EXPECT_THROW(static_cast<void>(stream.read_some({&one, 1})), TlsTruncated);
    EXPECT_EQ(python.exit_code(), 0);
  });
}

TEST(python, sees_truncation_when_our_stream_below_is_cut) {
  run([] {
    PythonPeer python(R"(
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF  # which some versions set
peer = context.wrap_socket(sock, server_side=True, suppress_ragged_eofs=False)
assert peer.recv(5) == b'begun'
try:
    peer.recv(5)
except ssl.SSLError as error:
    sys.exit(0 if 'eof' in str(error).lower() else 3)
sys.exit(2)
)",
                      files());
    Socket socket = python.connection();
    TlsStream stream(socket, client_context());
    stream.write_all("begun");
    socket.close();
    EXPECT_EQ(python.exit_code(), 0);
  });
}
