// whole: for the calls that can't tell that a datagram was cut: one that was is an error. Internal.
#pragma once

#include <cerrno>
#include <string>

#include <hawser/base/errors.h>
#include <hawser/net/datagram.h>

namespace hawser::detail {

[[noreturn]] inline void refuse_cut(std::size_t length, std::size_t kept, const std::string& name) {
  throw SystemError(
      EMSGSIZE, "recv",
      name + ": " + std::to_string(length) + " bytes came where at most " + std::to_string(kept) + " fit");
}

inline Bytes whole(Datagram datagram, const std::string& name) {
  if (datagram.truncated) refuse_cut(datagram.length, datagram.data.size(), name);
  return std::move(datagram.data);
}

inline std::size_t whole(const ReceivedDatagram& datagram, const std::string& name) {
  if (datagram.truncated) refuse_cut(datagram.length, datagram.size, name);
  return datagram.size;
}

}  // namespace hawser::detail
