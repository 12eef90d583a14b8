#include <array>

#include "cli/command.h"

namespace hawser::cli {

std::span<const Command> commands() {
  using enum Command::Runs;
  static constexpr std::string_view kHub = "The hub", kAccount = "Accounts", kFiles = "Files", kOther = "Commands";
  static constexpr std::array kCommands{
      Command{"up", kHub, "Start a hub in the foreground", setup_up, outside},
      Command{"invite", kHub, "Make a one-time invite for a new user (admins)", setup_invite},
      Command{"register", kAccount, "Make an account and sign in", setup_register},
      Command{"login", kAccount, "Sign in, and stay signed in", setup_login},
      Command{"logout", kAccount, "Sign out: the saved session ends", setup_logout},
      Command{"whoami", kAccount, "Show who is signed in, and where", setup_whoami},
      Command{"passwd", kAccount, "Change the password; all other sessions end", setup_passwd},
      Command{"ls", kFiles, "List files", setup_ls},
      Command{"stat", kFiles, "Show all that is known of files", setup_stat},
      Command{"mkdir", kFiles, "Make folders", setup_mkdir},
      Command{"rm", kFiles, "Remove files and folders", setup_rm},
      Command{"mv", kFiles, "Move or rename", setup_mv},
      Command{"sum", kFiles, "Show checksums of files", setup_sum},
      Command{"du", kFiles, "Show how much space files take", setup_du},
      Command{"put", kFiles, "Send files and trees to the hub", setup_put},
      Command{"get", kFiles, "Fetch files and trees from the hub", setup_get},
      Command{"run", kOther, "Run a command on the hub", setup_run, on_a_fiber_with_signals, true},
      Command{"completion", kOther, "Print the completion script for bash or zsh", setup_completion, outside},
      Command{"__complete", "", "", setup_complete, on_a_fiber, true},
  };
  return kCommands;
}

}  // namespace hawser::cli
