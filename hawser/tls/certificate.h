// Certificates as a hub needs them: makes a self-signed one at the first start, and names any by its fingerprint.
//
// Everything here works on files and blocks on the disk: call it through offload() in a fiber that shares its loop.
// Throws TlsError when OpenSSL refuses, SystemError for the files, std::invalid_argument for malformed arguments.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace hawser {

struct CertificateRequest {
  // What clients may call the server: DNS names and IP addresses. The first is the subject. At least one.
  std::vector<std::string> names;
  // From a day ago on, so that clocks a little behind accept it.
  std::chrono::days validity{3650};
};

// Makes an EC P-256 key and a certificate for it that is signed by itself, writes both as PEM and returns the
// fingerprint. The key gets mode 0600; each file appears whole and synced or not at all, the key first. Existing files
// are replaced.
std::string generate_certificate(const CertificateRequest& request, const std::string& certificate_file,
                                 const std::string& key_file);

// "sha256:" and 64 lower-case hex digits: the SHA-256 of the first certificate in the PEM file, in DER.
std::string certificate_fingerprint(const std::string& certificate_file);

// Brings a fingerprint as people type it into the form above: any case, with or without the prefix and colons between
// the bytes. Throws std::invalid_argument when it is none.
std::string normalise_fingerprint(std::string_view text);

}  // namespace hawser
