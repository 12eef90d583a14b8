// Whom a client lets in, and what each side is told when it does not.
#include <gtest/gtest.h>

#include <stdexcept>

#include <hawser/fiber/run.h>

#include "tls/tls_ends.h"

using namespace hawser;
using namespace hawser::test;

namespace {

bool says(const std::string& text, std::string_view words) { return text.find(words) != std::string::npos; }

class Trust : public OnBoth {};
INSTANTIATE_TEST_SUITE_P(, Trust, testing::Values(On::fibers, On::threads), name_of);

}  // namespace

TEST_P(Trust, the_pinned_certificate_is_trusted_by_any_name) {
  run_here([] {
    const Outcome outcome = shake_hands(client_context(), server_context(), "whatever.example");
    EXPECT_EQ(outcome.client, "");
    EXPECT_EQ(outcome.server, "");
  });
}

TEST_P(Trust, another_certificate_than_the_pinned_is_refused_and_named) {
  run_here([] {
    auto [a, b] = socketpair();
    const std::string wrong = "sha256:" + std::string(64, '0');
    std::string server_error;
    Aside accepting([&, &peer = b] {
      try {
        const TlsStream stream(peer, server_context());
      } catch (const TlsError& error) {
        server_error = error.what();
      }
    });
    try {
      const TlsStream stream(a, TlsContext::client({.pin = wrong}), "localhost");
      ADD_FAILURE() << "trusted";
    } catch (const TlsUntrusted& error) {
      EXPECT_EQ(error.fingerprint(), identity().fingerprint);
      EXPECT_TRUE(says(error.what(), wrong)) << error.what();
      EXPECT_TRUE(says(error.what(), identity().fingerprint)) << error.what();
    }
    accepting.join();
    EXPECT_TRUE(says(server_error, "the peer refused: bad certificate")) << server_error;
  });
}

TEST_P(Trust, the_accept_callback_decides_by_the_fingerprint) {
  run_here([] {
    std::string seen;
    const auto asking = [&](bool answer) {
      return TlsContext::client({.accept = [&seen, answer](const std::string& fingerprint) {
        seen = fingerprint;
        return answer;
      }});
    };
    EXPECT_EQ(shake_hands(asking(true), server_context()).client, "");
    EXPECT_EQ(seen, identity().fingerprint);
    const Outcome refused = shake_hands(asking(false), server_context());
    EXPECT_TRUE(says(refused.client, "not accepted")) << refused.client;
    EXPECT_TRUE(says(refused.server, "the peer refused")) << refused.server;
  });
}

TEST_P(Trust, the_accept_callback_may_wait) {
  run_here([] {
    const TlsContext patient = TlsContext::client({.accept = [](const std::string&) {
      for (int i = 0; i < 10; ++i) yield();
      return true;
    }});
    EXPECT_EQ(shake_hands(patient, server_context()).client, "");
  });
}

TEST_P(Trust, what_the_accept_callback_throws_comes_out) {
  run_here([] {
    auto [a, b] = socketpair();
    const TlsContext throwing =
        TlsContext::client({.accept = [](const std::string&) -> bool { throw std::domain_error("no terminal"); }});
    Aside accepting([&peer = b] { EXPECT_THROW(TlsStream(peer, server_context()), TlsError); });
    EXPECT_THROW(TlsStream(a, throwing, "localhost"), std::domain_error);
    a.close();
    accepting.join();
  });
}

TEST_P(Trust, an_authority_file_vouches_for_the_names_in_the_certificate) {
  run_here([] {
    const TlsContext client = TlsContext::client({.ca_file = identity().certificate});
    EXPECT_EQ(shake_hands(client, server_context(), "localhost").client, "");
    EXPECT_EQ(shake_hands(client, server_context(), "127.0.0.1").client, "");
    EXPECT_TRUE(says(shake_hands(client, server_context(), "other.example").client, "hostname mismatch"));
    EXPECT_TRUE(says(shake_hands(client, server_context(), "127.0.0.2").client, "IP address mismatch"));
    const TlsContext any_name = TlsContext::client({.ca_file = identity().certificate, .check_name = false});
    EXPECT_EQ(shake_hands(any_name, server_context(), "other.example").client, "");
  });
}

TEST_P(Trust, a_name_with_a_dot_before_it_does_not_stand_for_all_below_it) {
  run_here([] {
    const TemporaryFolder folder;
    generate_certificate({.names = {"www.example.org"}}, folder / "c", folder / "k");
    const TlsContext server = TlsContext::server({.certificate_file = folder / "c", .key_file = folder / "k"});
    const TlsContext client = TlsContext::client({.ca_file = folder / "c"});
    EXPECT_EQ(shake_hands(client, server, "www.example.org").client, "");
    auto [a, b] = socketpair();
    Aside accepting([&server, &peer = b] { EXPECT_THROW(TlsStream(peer, server), TlsError); });
    EXPECT_THROW(TlsStream(a, client, ".example.org"), std::invalid_argument);
    a.close();
    accepting.join();
  });
}

TEST_P(Trust, the_systems_authorities_do_not_vouch_for_a_self_signed_certificate) {
  run_here([] {
    const Outcome outcome = shake_hands(TlsContext::client({}), server_context());
    EXPECT_TRUE(says(outcome.client, "self-signed certificate")) << outcome.client;
    EXPECT_TRUE(says(outcome.server, "the peer refused: unknown CA")) << outcome.server;
  });
}

TEST_P(Trust, application_protocols_are_agreed_on) {
  run_here([] {
    const Ends ends = tls_ends(plain_ends(), client_context({"other", "hawser/1"}), server_context({"hawser/1"}));
    EXPECT_EQ(ends.client->alpn(), "hawser/1");
    EXPECT_EQ(ends.server->alpn(), "hawser/1");
    EXPECT_EQ(ends.server->server_name(), "localhost");
    EXPECT_EQ(ends.client->peer_fingerprint(), identity().fingerprint);
  });
}

TEST_P(Trust, no_common_application_protocol_is_an_error_on_both_sides) {
  run_here([] {
    const Outcome outcome = shake_hands(client_context({"http/1.1"}), server_context({"hawser/1"}));
    EXPECT_TRUE(says(outcome.client, "the peer refused: no application protocol")) << outcome.client;
    EXPECT_TRUE(says(outcome.server, "no application protocol")) << outcome.server;
  });
}

TEST_P(Trust, a_server_must_choose_one_of_the_protocols_offered) {
  run_here([] {
    const Outcome outcome = shake_hands(client_context({"hawser/1"}), server_context());
    EXPECT_TRUE(says(outcome.client, "none of the application protocols")) << outcome.client;
  });
}

TEST_P(Trust, a_client_that_offers_no_protocol_is_let_in) {
  run_here([] {
    const Ends ends = tls_ends(plain_ends(), client_context(), server_context({"hawser/1"}));
    EXPECT_EQ(ends.server->alpn(), "");
  });
}
