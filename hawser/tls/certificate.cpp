#include <hawser/tls/certificate.h>

#include <fcntl.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <stdexcept>

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <hawser/base/errors.h>
#include <hawser/base/fd.h>
#include <hawser/base/system_calls.h>
#include <hawser/tls/openssl.h>
#include <hawser/tls/server_name.h>
#include <hawser/tls/tls_error.h>

namespace hawser {
namespace {

using detail::throw_openssl;

// Only what a name can be made of, since the extension is built from a text in which commas separate.
void check_name(const std::string& name) {
  if (detail::is_ip_address(name)) return;
  if (name.empty() || name.size() > 253) throw std::invalid_argument("certificate name: length must be 1 to 253");
  for (const char c : name)
    if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && c != '-' && c != '.' &&
        c != '_' && c != '*')
      throw std::invalid_argument("certificate name: not a DNS name or IP address: " + name);
}

void add_extension(X509& certificate, int id, const std::string& value) {
  X509V3_CTX context{};
  X509V3_set_ctx(&context, &certificate, &certificate, nullptr, nullptr, 0);
  detail::X509Extension extension(X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str()));
  if (!extension || X509_add_ext(&certificate, extension.get(), -1) != 1) throw_openssl("make certificate extension");
}

void set_serial(X509& certificate) {
  std::array<unsigned char, 16> random{};
  if (RAND_bytes(random.data(), random.size()) != 1) throw_openssl("random serial number");
  random[0] = static_cast<unsigned char>((random[0] & 0x3f) | 0x40);  // positive, and always sixteen bytes
  const std::unique_ptr<BIGNUM, detail::OpenSslFree<&BN_free>> number(BN_bin2bn(random.data(), random.size(), nullptr));
  if (!number || !BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(&certificate)))
    throw_openssl("certificate serial number");
}

void set_subject(X509& certificate, const std::string& name) {
  X509_NAME* subject = X509_get_subject_name(&certificate);
  const std::string text = name.substr(0, ub_common_name);
  if (X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8,
                                 reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()), -1,
                                 0) != 1 ||
      X509_set_issuer_name(&certificate, subject) != 1)
    throw_openssl("certificate subject");
}

void set_validity(X509& certificate, std::chrono::days validity) {
  const std::time_t now = std::time(nullptr);
  std::time_t at = now;
  if (!X509_time_adj_ex(X509_getm_notBefore(&certificate), -1, 0, &at)) throw_openssl("certificate validity");
  at = now;
  if (!X509_time_adj_ex(X509_getm_notAfter(&certificate), static_cast<int>(validity.count()), 0, &at))
    throw_openssl("certificate validity");
}

detail::X509Certificate self_signed(const CertificateRequest& request, EVP_PKEY& key) {
  detail::X509Certificate made(X509_new());
  if (!made || X509_set_version(made.get(), X509_VERSION_3) != 1 || X509_set_pubkey(made.get(), &key) != 1)
    throw_openssl("make certificate");
  set_serial(*made);
  set_subject(*made, request.names.front());
  set_validity(*made, request.validity);
  std::string names;
  for (const std::string& name : request.names) {
    if (!names.empty()) names += ',';
    names += (detail::is_ip_address(name) ? "IP:" : "DNS:") + name;
  }
  add_extension(*made, NID_basic_constraints, "critical,CA:FALSE");
  add_extension(*made, NID_key_usage, "critical,digitalSignature");
  add_extension(*made, NID_ext_key_usage, "serverAuth");
  add_extension(*made, NID_subject_key_identifier, "hash");
  add_extension(*made, NID_authority_key_identifier, "keyid");
  add_extension(*made, NID_subject_alt_name, names);
  if (X509_sign(made.get(), &key, EVP_sha256()) == 0) throw_openssl("sign certificate");
  return made;
}

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

void write_whole(int fd, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t wrote = detail::sys::write(fd, text.data(), text.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) throw_errno("write", path);
    text.remove_prefix(static_cast<std::size_t>(wrote));
  }
}

// Under its name only once it is whole on the disk.
void replace_file(const std::string& path, std::string_view text, mode_t mode) {
  std::string draft = path + ".XXXXXX";
  UniqueFd file(::mkostemp(draft.data(), O_CLOEXEC));  // mode 0600 from the start
  if (!file) throw_errno("create", draft);
  try {
    write_whole(file.get(), text, draft);
    if (::fchmod(file.get(), mode) != 0) throw_errno("set mode of", draft);
    if (::fsync(file.get()) != 0) throw_errno("sync", draft);
    if (::rename(draft.c_str(), path.c_str()) != 0) throw_errno("rename to", path);
  } catch (...) {
    ::unlink(draft.c_str());
    throw;
  }
  const std::string folder = folder_of(path);
  const UniqueFd directory(detail::sys::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory || ::fsync(directory.get()) != 0) throw_errno("sync", folder);
}

// What write() puts into a memory BIO; the memory is wiped afterwards because it may hold a key.
template <class Write>
void with_pem(const char* what, Write&& write, const auto& use) {
  const detail::Bio memory(BIO_new(BIO_s_secmem()));
  if (!memory || write(memory.get()) != 1) throw_openssl(what);
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &data);
  use(std::string_view(data, static_cast<std::size_t>(size)));
  OPENSSL_cleanse(data, static_cast<std::size_t>(size));
}

}  // namespace

std::string generate_certificate(const CertificateRequest& request, const std::string& certificate_file,
                                 const std::string& key_file) {
  if (request.names.empty()) throw std::invalid_argument("certificate: at least one name is needed");
  if (request.validity < std::chrono::days(1) || request.validity > std::chrono::days(36500))
    throw std::invalid_argument("certificate: validity must be 1 to 36500 days");
  for (const std::string& name : request.names) check_name(name);
  ERR_clear_error();
  const detail::Key key(EVP_EC_gen("P-256"));
  if (!key) throw_openssl("make key");
  const detail::X509Certificate certificate = self_signed(request, *key);
  with_pem(
      "write key",
      [&](BIO* to) { return PEM_write_bio_PrivateKey(to, key.get(), nullptr, nullptr, 0, nullptr, nullptr); },
      [&](std::string_view pem) { replace_file(key_file, pem, 0600); });
  with_pem(
      "write certificate", [&](BIO* to) { return PEM_write_bio_X509(to, certificate.get()); },
      [&](std::string_view pem) { replace_file(certificate_file, pem, 0644); });
  return detail::fingerprint_of(*certificate);
}

std::string certificate_fingerprint(const std::string& certificate_file) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(certificate_file.c_str(), "re"), &std::fclose);
  if (!file) throw_errno("open", certificate_file);
  ERR_clear_error();
  const detail::X509Certificate certificate(PEM_read_X509(file.get(), nullptr, nullptr, nullptr));
  if (!certificate) throw_openssl("certificate " + certificate_file);
  return detail::fingerprint_of(*certificate);
}

std::string normalise_fingerprint(std::string_view text) {
  constexpr std::string_view kPrefix = "sha256:";
  std::string whole = "sha256:";
  std::string_view digits = text;
  if (digits.size() >= kPrefix.size() && strncasecmp(digits.data(), kPrefix.data(), kPrefix.size()) == 0)
    digits.remove_prefix(kPrefix.size());
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const char c = digits[i];
    const std::size_t have = whole.size() - kPrefix.size();
    if (c == ':' && have > 0 && have < 64 && have % 2 == 0 && digits[i - 1] != ':') continue;
    if (c >= '0' && c <= '9')
      whole += c;
    else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))
      whole += static_cast<char>(c | 0x20);
    else
      throw std::invalid_argument("fingerprint: expected sha256: and 64 hex digits");
  }
  if (whole.size() != kPrefix.size() + 64)
    throw std::invalid_argument("fingerprint: expected sha256: and 64 hex digits");
  return whole;
}

}  // namespace hawser
