// From words to commands, and from errors to exit codes.
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <hawser/base/errors.h>
#include <hawser/tls/tls_error.h>

#include "cli/command.h"
#include "cli/command_line.h"
#include "cli/completion_scripts.h"
#include "cli/failure.h"
#include "cli/hub_client.h"
#include "cli/listing_limit.h"
#include "cli/operands.h"
#include "cli/path_errors.h"
#include "cli/remote_command.h"
#include "cli/transfer_connections.h"
#include "scratch_home.h"

namespace hawser::cli {
namespace {

using Words = std::vector<std::string>;

template <class Error>
Exit exit_of(const Error& error) {
  return to_failure(std::make_exception_ptr(error)).exit();
}

TEST(command_line, the_command_is_found_behind_options_of_every_command) {
  EXPECT_EQ(find_command_word({"ls"}), 0U);
  EXPECT_EQ(find_command_word({"--hub", "put", "ls"}), 2U);
  EXPECT_EQ(find_command_word({"--hub=h:1", "--json", "-q", "ls"}), 3U);
  EXPECT_EQ(find_command_word({"--json"}), 1U);
  EXPECT_EQ(find_command_word({}), 0U);
}

TEST(command_line, wrong_usage_is_2) {
  const ScratchHome scratch;
  for (const Words& words :
       {Words{"frobnicate"}, Words{"ls", "--no-such-option"}, Words{"put"}, Words{"mkdir"}, Words{},
        Words{"sum", "--hash", "crc32", "x"}, Words{"--hub"}, Words{"run", "--timeout", "-1", "x"},
        Words{"put", "-j", "0", "x"}, Words{"completion", "fish"}, Words{"mv", "one"},
        Words{"ls", "--plain", "--pin", "x"}, Words{"up", "--drain-seconds", "-5"}})
    EXPECT_EQ(run_command_line(words), 2) << (words.empty() ? "nothing" : words[0]);
}

// A parser with one option of each kind, and words where there is none.
struct Parsed {
  explicit Parsed(Words args, bool apart_after_dashes = false) {
    CLI::App app;
    CLI::App* command = app.add_subcommand("go")->fallthrough();
    app.add_option("--hub", hub);
    command->add_flag("-r,--recursive", recursive);
    command->add_option("-j,--streams", streams);
    add_words(*command, "--env", env, "");
    add_words(*command, "paths", paths, "")->required();
    operands = take_operands(args, find_command_word(args), *command, apart_after_dashes);
    surplus = give_operands(*command, operands.words);
    std::ranges::reverse(args);
    app.parse(args);
  }
  std::string hub, streams;
  bool recursive = false;
  Words env, paths, surplus;
  Operands operands;
};

TEST(operands, arrive_as_they_were_typed) {
  for (const std::string word : {"[x]", "[a,b]", "[]", "++", "{}", "%%", "", "-", "-5", "go", "a=b"}) {
    EXPECT_EQ(Parsed({"go", word}).paths, Words{word});
    EXPECT_EQ(Parsed({"go", "--", word}).paths, Words{word});
    EXPECT_EQ(Parsed({"go", "a", "--env", word, "--env", "b"}).env, (Words{word, "b"}));
  }
  EXPECT_EQ(Parsed({"go", "[a,b]", "-r", "c"}).paths, (Words{"[a,b]", "c"}));
  EXPECT_EQ(Parsed({"go", "a", "--", "-r", "--hub"}).paths, (Words{"a", "-r", "--hub"}));
}

TEST(operands, are_not_what_belongs_to_options) {
  for (const Words& words : {Words{"--hub", "h", "go", "a", "-rj", "4"}, Words{"--hub=h", "go", "-r", "-j4", "a"},
                             Words{"go", "-j", "4", "a", "--hub", "h", "-r"},
                             Words{"go", "--recursive", "--streams", "4", "--hub=h", "a"}}) {
    const Parsed parsed(words);
    EXPECT_EQ(parsed.paths, Words{"a"});
    EXPECT_EQ(parsed.hub, "h");
    EXPECT_EQ(parsed.streams, "4");
    EXPECT_TRUE(parsed.recursive);
  }
}

TEST(operands, behind_dashes_may_be_kept_apart) {
  const Parsed parsed({"go", "a", "--env", "--", "--", "-r", "--"}, true);
  EXPECT_EQ(parsed.paths, Words{"a"});
  EXPECT_EQ(parsed.env, Words{"--"});
  EXPECT_EQ(parsed.operands.after_dashes, (Words{"-r", "--"}));
  EXPECT_FALSE(parsed.recursive);
}

TEST(operands, that_a_command_does_not_take_are_wrong_usage) {
  const ScratchHome scratch;
  for (const std::string word : {"more", "++", "[]", "%%"}) {
    EXPECT_EQ(run_command_line({"completion", "bash", word}), 2) << word;
    EXPECT_EQ(run_command_line({"whoami", word}), 2) << word;
  }
}

TEST(command_line, help_is_no_error) {
  const ScratchHome scratch;
  EXPECT_EQ(run_command_line({"--help"}), 0);
  EXPECT_EQ(run_command_line({"--version"}), 0);
  EXPECT_EQ(run_command_line({"help", "put"}), 0);
  for (const Command& command : commands())
    EXPECT_EQ(run_command_line({std::string(command.name), "--help"}), 0) << command.name;
}

TEST(command_line, nobody_there_is_3) {
  const ScratchHome scratch;
  EXPECT_EQ(run_command_line({"ls", "--hub", "127.0.0.1:1", "--token", "x"}), 3);
}

TEST(failure, every_error_has_its_exit_code) {
  EXPECT_EQ(exit_of(refusal("not_found", "x")), Exit::failed);
  EXPECT_EQ(exit_of(refusal("unauthenticated", "x")), Exit::not_signed_in);
  EXPECT_EQ(exit_of(TlsUntrusted("x", "sha256:00")), Exit::unreachable);
  EXPECT_EQ(exit_of(TlsTruncated("x")), Exit::unreachable);
  EXPECT_EQ(exit_of(FrameError(FrameFault::not_json, "x")), Exit::unreachable);
  EXPECT_EQ(exit_of(JsonError("x")), Exit::unreachable);
  EXPECT_EQ(exit_of(SystemError(ENOENT, "open", "x")), Exit::failed);
  EXPECT_EQ(exit_of(Cancelled("x")), Exit::interrupted);
  EXPECT_EQ(exit_of(std::runtime_error("x")), Exit::failed);
}

TEST(failure, a_refusal_is_read_from_the_answer) {
  EXPECT_NO_THROW(throw_when_refused({{"ok", true}}));
  try {
    throw_when_refused({{"ok", false}, {"error", {{"code", "no_space"}, {"message", "the disk is full"}}}});
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.code(), "no_space");
    EXPECT_STREQ(failure.what(), "the disk is full");
  }
  EXPECT_THROW(throw_when_refused({{"ok", false}}), Failure);
}

TEST(failure, a_final_one_is_not_only_of_its_path) {
  const Globals globals;
  Report report(globals, "");
  PathErrors errors(report);
  EXPECT_FALSE(errors.attempt("a", [] { throw local_failure(""); }));
  EXPECT_THROW(errors.attempt("b", [] { throw FinalFailure("x"); }), FinalFailure);
  EXPECT_EQ(exit_of(FinalFailure("x")), Exit::failed);
  EXPECT_EQ(errors.count(), 1U);
}

TEST(listing_limit, all_that_is_listed_counts_together) {
  ListingLimit entries, bytes;
  entries.count(ListingLimit::kMostEntries - 1, 0);
  EXPECT_NO_THROW(entries.count(1, 0));
  EXPECT_THROW(entries.count(1, 0), FinalFailure);
  bytes.count(1, ListingLimit::kMostBytes / 2);
  EXPECT_NO_THROW(bytes.count(1, ListingLimit::kMostBytes / 3));
  EXPECT_THROW(bytes.count(1, ListingLimit::kMostBytes / 3), FinalFailure);
}

TEST(listing_limit, frames_without_entries_count_too) {
  ListingLimit limit;
  const auto many = [&limit] {
    for (std::uint64_t frames = 0; frames < ListingLimit::kMostBytes; ++frames) limit.count(0, 0);
  };
  EXPECT_THROW(many(), FinalFailure);
}

TEST(signals, names_are_those_of_the_protocol) {
  EXPECT_EQ(signal_number("SIGKILL"), SIGKILL);
  EXPECT_EQ(signal_number("SIGINT"), SIGINT);
  EXPECT_EQ(signal_number("SIGRTMIN+0"), SIGRTMIN);
  EXPECT_EQ(signal_number("SIGRTMIN+2"), SIGRTMIN + 2);
  EXPECT_EQ(signal_number(fmt::format("SIGRTMIN+{}", SIGRTMAX - SIGRTMIN)), SIGRTMAX);
  EXPECT_EQ(signal_number("SIGRTMIN+-1"), SIGRTMIN - 1);  // the C library keeps a few for itself
  for (const char* none :
       {"SIGRTMIN+", "SIGRTMIN+x", "SIGRTMIN+2x", "SIGRTMIN+ 2", "SIGRTMIN", "SIGRTMIN+1000000000000",
        "SIGRTMIN+2147483647", "SIGRTMIN+-2147483648", "SIGRTMIN+-64", "SIGRTMIN+64"})
    EXPECT_EQ(signal_number(none), 0) << none;
  EXPECT_EQ(signal_number("KILL"), 0);
  EXPECT_EQ(signal_number("SIGNONSENSE"), 0);
  EXPECT_EQ(signal_name(SIGTERM), "SIGTERM");
}

TEST(connections, as_many_as_the_files_are_worth) {
  TransferOptions options;
  EXPECT_EQ(connections_for(options, 1), 1U);
  EXPECT_EQ(connections_for(options, 1000), 4U);
  options.connections = 8;
  EXPECT_EQ(connections_for(options, 1000), 8U);
  EXPECT_EQ(connections_for(options, 3), 3U);
  EXPECT_EQ(connections_for(options, 0), 1U);
}

TEST(completion, both_scripts_know_every_command_and_no_hidden_one) {
  for (const std::string& script : {bash_completion(), zsh_completion()}) {
    for (const Command& command : commands()) {
      if (command.group.empty()) continue;
      EXPECT_NE(script.find("    " + std::string(command.name) + ") "), std::string::npos) << command.name;
    }
    EXPECT_NE(script.find("--recursive"), std::string::npos);
    EXPECT_EQ(script.find("    __complete)"), std::string::npos);
  }
}

}  // namespace
}  // namespace hawser::cli
