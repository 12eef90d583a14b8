// hawser completion: the script that makes a shell complete our commands, options and paths; and __complete, which the
// script asks for paths on the hub.
#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <hawser/fiber/deadline.h>

#include "cli/command.h"
#include "cli/completion_scripts.h"
#include "cli/connect_to_hub.h"
#include "cli/remote_files.h"

namespace hawser::cli {
namespace {

// A shell must not hang because a hub does.
constexpr std::chrono::seconds kPatience{2};

int do_complete(Context& context) {
  const std::string word = context.after_dashes.empty() ? "" : context.after_dashes.front();
  const auto slash = word.rfind('/');
  const std::string folder = slash == std::string::npos ? "" : word.substr(0, slash + 1);
  try {
    const Deadline patience(kPatience, "completion");
    const auto hub = connect_to_hub(context);
    for (const RemoteEntry& entry : list_folder(*hub, normal_path(folder), false)) {
      const std::string path = folder + entry.name;
      if (path.starts_with(word)) context.report.line(path + (entry.is_dir() ? "/" : ""));
    }
    return 0;
  } catch (const Cancelled&) {
    throw;
  } catch (const std::exception&) {
    return 1;
  }
}

}  // namespace

Action setup_completion(CLI::App& parser) {
  auto shell = std::make_shared<std::string>();
  parser.add_option("shell", *shell, "bash or zsh")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh"}))
      ->type_name("bash|zsh");
  parser.footer(
      "Examples:\n"
      "  source <(hawser completion bash)                                   in ~/.bashrc\n"
      "  hawser completion zsh > \"${fpath[1]}/_hawser\"                      once, for zsh");
  return [shell](Context&) {
    const std::string script = *shell == "bash" ? bash_completion() : zsh_completion();
    return std::fputs(script.c_str(), stdout) < 0 ? 1 : 0;
  };
}

Action setup_complete(CLI::App&) {
  return [](Context& context) { return do_complete(context); };
}

}  // namespace hawser::cli
