// Globals: the options that every command takes, as they were given.
#pragma once

#include <string>

namespace hawser::cli {

struct Globals {
  std::string hub;    // HOST:PORT; empty: HAWSER_HUB, the latest session's, 127.0.0.1:7700
  std::string user;   // empty: HAWSER_USER, the session's
  std::string token;  // empty: HAWSER_TOKEN, the session's
  std::string ca;     // PEM file
  std::string pin;    // sha256:…
  bool plain = false;
  bool json = false;
  bool quiet = false;
  bool verbose = false;
};

}  // namespace hawser::cli
