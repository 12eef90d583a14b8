// TlsStream: TLS 1.3 over any Stream, as client or server.
//
//   TlsStream secure(socket, TlsContext::client({.pin = pin, .alpn = {"hawser/1"}}), "example.org");
//   secure.write_all("hello");
//
// The constructor does the handshake: a TlsStream that exists talks to a peer that was let in. It waits for the peer
// within the Deadline around it and throws TlsError, TlsUntrusted, TlsTruncated, or what the stream below throws.
//
// Waiting happens only in the stream below and never while the TLS state is held, so one fiber or thread may read while
// another writes, at full speed both ways. A read that was cancelled or ran into a Deadline loses nothing. A write that
// was may have sent a part, as with any stream, but whole records: later writes, and close(), still make sense to the
// peer.
//
// Ends of the stream: after the peer's close_notify read_some() gives 0; when the connection ends without one it throws
// TlsTruncated, for an attacker may have cut it. Any other error in reading is thrown again by every later read.
//
// An idle TlsStream keeps no record buffers; one that waits for bytes holds 4 KiB for them.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <hawser/net/stream.h>
#include <hawser/tls/tls_context.h>
#include <hawser/tls/tls_error.h>

namespace hawser {

class TlsStream final : public Stream {
 public:
  // Uses lower, which must outlive this. The side is the context's. A client sends server_name (SNI, unless it is an IP
  // address) and checks the certificate against it where the context says so; a server takes none. Throws
  // std::invalid_argument for a name that is none: with NUL in it, or a dot before it.
  TlsStream(Stream& lower, const TlsContext& context, std::string_view server_name = {});
  // Owns lower. When the handshake fails, lower is destroyed.
  TlsStream(std::unique_ptr<Stream> lower, const TlsContext& context, std::string_view server_name = {});
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;
  // Closes. Nobody may be using it.
  ~TlsStream() override;

  [[nodiscard]] std::size_t read_some(std::span<std::byte> into) override;
  [[nodiscard]] std::size_t read_late(LateBuffer& into) override;
  std::size_t write_some(BytesView data) override;
  void write_all(BytesView data) override;
  // Fills records across the borders of parts.
  void write_all(std::span<const BytesView> parts) override;
  // Reads what the page cache has on the spot and the rest on an offload thread, while the kernel reads ahead.
  std::uint64_t send_file(int file, std::uint64_t offset, std::uint64_t count) override;
  [[nodiscard]] bool has_buffered() const noexcept override;
  // Sends close_notify and shuts down the stream below for writing. Again: nothing. Writing afterwards throws TlsError.
  void shutdown_write() override;
  // Tries to send close_notify, for half a second at most and not while another fiber writes, then closes the stream
  // below, whoever owns it.
  void close() noexcept override;
  [[nodiscard]] std::string peer() const override;

  // The application protocol agreed on; empty when none.
  [[nodiscard]] const std::string& alpn() const noexcept;
  // On the server: the name the client asked for; empty when none.
  [[nodiscard]] const std::string& server_name() const noexcept;
  // Of the peer's certificate; empty on the server.
  [[nodiscard]] const std::string& peer_fingerprint() const noexcept;
  // "TLS_AES_128_GCM_SHA256"
  [[nodiscard]] std::string cipher() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace hawser
