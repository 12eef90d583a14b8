// hawser ls, stat, mkdir, rm, mv, sum, du: the hub's files, all but their content.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <unistd.h>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/connect_to_hub.h"
#include "cli/human.h"
#include "cli/operands.h"
#include "cli/path_errors.h"
#include "cli/remote_files.h"
#include "cli/terminal.h"

namespace hawser::cli {
namespace {

struct Arguments {
  std::vector<std::string> paths;
  std::string algorithm = "xxh3-128";
  bool long_form = false, recursive = false, parents = false, force = false, human = false;
};

constexpr std::int64_t kSecond = 1'000'000'000;

Json to_json(const std::string& path, const RemoteEntry& entry) {
  Json json = {{"path", path}, {"name", base_name(path)}, {"type", entry.type}, {"size", entry.size}};
  write_mtime_ns(json, entry.mtime_ns);
  json.set("mode", entry.mode);
  if (entry.hash) json.set("hash", *entry.hash);
  return json;
}

std::string painted_name(const std::string& name, const RemoteEntry& entry) {
  const bool colour = use_colour(STDOUT_FILENO);
  std::string safe = shown(name, STDOUT_FILENO);
  if (entry.is_dir()) return paint(Colour::blue, safe, colour) + "/";
  if (entry.type == "link") return paint(Colour::cyan, safe, colour) + (is_terminal(STDOUT_FILENO) ? "@" : "");
  if (entry.is_file() && (entry.mode & 0111U) != 0) return paint(Colour::green, safe, colour);
  return safe;
}

void print_entry(Report& report, const std::string& name, const RemoteEntry& entry, bool long_form) {
  const std::string painted = painted_name(name, entry);
  if (!long_form) return report.painted_line(painted);
  report.painted_line(fmt::format("{}  {:>12}  {}  {}", format_mode(entry.type, entry.mode), entry.size,
                                  format_time(entry.mtime_ns / kSecond), painted));
}

// The entries of a folder, or the one of a file, each with its path from the home.
std::vector<std::pair<std::string, RemoteEntry>> entries_of(HubClient& hub, const std::string& path, bool recursive) {
  std::vector<std::pair<std::string, RemoteEntry>> all;
  try {
    for (RemoteEntry& entry : list_folder(hub, path, recursive)) {
      std::string full = join_path(path, entry.name);
      all.emplace_back(std::move(full), std::move(entry));
    }
  } catch (const Failure& failure) {
    if (failure.code() != "conflict") throw;
    all.emplace_back(path, stat_path(hub, path));
  }
  std::ranges::sort(all, {}, [](const auto& each) -> const std::string& { return each.first; });
  return all;
}

int do_ls(const Arguments& args, Context& context) {
  const auto hub = connect_to_hub(context);
  Report& report = context.report;
  PathErrors errors(report);
  Json listed = Json::array();
  const auto paths = args.paths.empty() ? std::vector<std::string>{""} : args.paths;
  bool first = true;
  for (const std::string& text : paths) {
    errors.attempt(text, [&] {
      const auto matched = expand(*hub, text);
      for (const std::string& path : matched) {
        errors.attempt(shown_path(path), [&] {
          const auto entries = entries_of(*hub, path, args.recursive);
          const bool is_file = entries.size() == 1 && entries[0].first == path;
          const bool heading = !is_file && (paths.size() > 1 || matched.size() > 1);
          if (report.wants_json()) {
            for (const auto& [full, entry] : entries) listed.push_back(to_json(full, entry));
            return;
          }
          if (heading) report.line(fmt::format("{}{}:", first ? "" : "\n", shown_path(path)));
          first = false;
          for (const auto& [full, entry] : entries)
            print_entry(report, is_file ? full : entry.name, entry, args.long_form);
        });
      }
    });
  }
  if (report.wants_json()) {
    Json result = {{"entries", std::move(listed)}};
    errors.add_to(result);
    report.json(result);
  }
  return errors.exit_code();
}

int do_stat(const Arguments& args, Context& context) {
  const auto hub = connect_to_hub(context);
  Report& report = context.report;
  PathErrors errors(report);
  Json listed = Json::array();
  for (const std::string& text : args.paths) {
    errors.attempt(text, [&] {
      for (const std::string& path : expand(*hub, text)) {
        const RemoteEntry entry = stat_path(*hub, path);
        if (report.wants_json()) {
          listed.push_back(to_json(path, entry));
          continue;
        }
        report.line(fmt::format("path: {}", shown_path(path)));
        report.line(fmt::format("type: {}", entry.type));
        report.line(fmt::format("size: {} ({})", entry.size, format_size(entry.size)));
        report.line(fmt::format("mode: {} ({:04o})", format_mode(entry.type, entry.mode), entry.mode));
        report.line(fmt::format("time: {}", format_time(entry.mtime_ns / kSecond)));
        if (entry.hash)
          report.line(
              fmt::format("hash: {} {}", entry.hash->get_string("algorithm", "xxh3-128"), hash_value(*entry.hash)));
      }
    });
  }
  if (report.wants_json()) {
    Json result = {{"entries", std::move(listed)}};
    errors.add_to(result);
    report.json(result);
  }
  return errors.exit_code();
}

// For commands that answer nothing but that it is done.
int finish(Report& report, const PathErrors& errors, std::string_view key, Json done) {
  if (report.wants_json()) {
    Json result = Json::object();
    result.set(key, std::move(done));
    errors.add_to(result);
    report.json(result);
  }
  return errors.exit_code();
}

int do_mkdir(const Arguments& args, Context& context) {
  const auto hub = connect_to_hub(context);
  PathErrors errors(context.report);
  Json made = Json::array();
  for (const std::string& text : args.paths) {
    errors.attempt(text, [&] {
      const std::string path = normal_path(text);
      hub->request({{"cmd", "mkdir"}, {"path", path}, {"parents", args.parents}});
      made.push_back(path);
      context.report.detail(fmt::format("made {}", path));
    });
  }
  return finish(context.report, errors, "made", std::move(made));
}

int do_rm(const Arguments& args, Context& context) {
  const auto hub = connect_to_hub(context);
  PathErrors errors(context.report);
  Json removed = Json::array();
  const auto is_missing = [&](const Failure& failure) { return args.force && failure.code() == "not_found"; };
  for (const std::string& text : args.paths) {
    errors.attempt(text, [&] {
      std::vector<std::string> paths;
      try {
        paths = expand(*hub, text);
      } catch (const Failure& failure) {
        if (!is_missing(failure)) throw;
      }
      for (const std::string& path : paths) {
        errors.attempt(shown_path(path), [&] {
          try {
            hub->request({{"cmd", "remove"}, {"path", path}, {"recursive", args.recursive}});
          } catch (const Failure& failure) {
            if (is_missing(failure)) return;
            if (!args.recursive && failure.code() == "conflict")
              throw refusal(failure.code(), fmt::format("{} (a folder and all in it: rm -r)", failure.what()));
            throw;
          }
          removed.push_back(path);
          context.report.detail(fmt::format("removed {}", path));
        });
      }
    });
  }
  return finish(context.report, errors, "removed", std::move(removed));
}

int do_mv(const Arguments& args, Context& context) {
  if (args.paths.size() < 2) throw usage_error("from where to where? hawser mv FROM… TO");
  const auto hub = connect_to_hub(context);
  PathErrors errors(context.report);
  Json moved = Json::array();
  const std::string to = normal_path(args.paths.back());
  const auto there = to.empty() ? std::nullopt : find_entry(*hub, to);
  const bool into = to.empty() || (there && there->is_dir());
  const auto sources = expand(*hub, std::vector<std::string>(args.paths.begin(), args.paths.end() - 1));
  if (!into && (sources.size() > 1 || args.paths.back().ends_with('/')))
    throw refusal("not_found", fmt::format("no such folder: {}", to));
  for (const std::string& from : sources) {
    errors.attempt(from, [&] {
      const std::string target = into ? join_path(to, base_name(from)) : to;
      hub->request({{"cmd", "move"}, {"from", from}, {"to", target}});
      moved.push_back({{"from", from}, {"to", target}});
      context.report.detail(fmt::format("moved {} to {}", from, target));
    });
  }
  return finish(context.report, errors, "moved", std::move(moved));
}

int do_sum(const Arguments& args, Context& context) {
  const auto hub = connect_to_hub(context);
  Report& report = context.report;
  PathErrors errors(report);
  Json sums = Json::array();
  for (const std::string& text : args.paths) {
    errors.attempt(text, [&] {
      for (const std::string& path : expand(*hub, text)) {
        errors.attempt(shown_path(path), [&] {
          const Json answer = hub->request({{"cmd", "sum"}, {"path", path}, {"algorithm", args.algorithm}});
          const std::string value = hash_value(answer["hash"]);
          if (report.wants_json())
            sums.push_back({{"path", path}, {"algorithm", args.algorithm}, {"hash", value}});
          else
            report.line(fmt::format("{}  {}", value, path));
        });
      }
    });
  }
  return finish(report, errors, "sums", std::move(sums));
}

int do_du(const Arguments& args, Context& context) {
  const auto hub = connect_to_hub(context);
  Report& report = context.report;
  PathErrors errors(report);
  Json usage = Json::array();
  for (const std::string& text : args.paths.empty() ? std::vector<std::string>{""} : args.paths) {
    errors.attempt(text, [&] {
      for (const std::string& path : expand(*hub, text)) {
        errors.attempt(shown_path(path), [&] {
          const Json answer = hub->request({{"cmd", "du"}, {"path", path}});
          const auto bytes = answer["bytes"].as_uint64();
          if (report.wants_json()) {
            Json entry = {{"path", shown_path(path)}, {"bytes", bytes}};
            entry.set("files", answer["files"].value());
            entry.set("dirs", answer["dirs"].value());
            usage.push_back(std::move(entry));
          } else {
            const bool human = args.human || is_terminal(STDOUT_FILENO);
            report.line(fmt::format("{}\t{}", human ? format_size(bytes) : fmt::to_string(bytes), shown_path(path)));
          }
        });
      }
    });
  }
  return finish(report, errors, "usage", std::move(usage));
}

constexpr const char* kPathsHelp = "Paths below your home; * and ? are taken by the hub's names (quote them)";

}  // namespace

Action setup_ls(CLI::App& parser) {
  auto args = std::make_shared<Arguments>();
  add_words(parser, "paths", args->paths, kPathsHelp)->type_name("PATH…");
  parser.add_flag("-l,--long", args->long_form, "Permissions, size and time too");
  parser.add_flag("-R,-r,--recursive", args->recursive, "All below, too");
  parser.footer("Examples:\n  hawser ls\n  hawser ls -l photos\n  hawser ls 'logs/*.txt' --json");
  return [args](Context& context) { return do_ls(*args, context); };
}

Action setup_stat(CLI::App& parser) {
  auto args = std::make_shared<Arguments>();
  add_words(parser, "paths", args->paths, kPathsHelp)->required()->type_name("PATH…");
  parser.footer("Example:\n  hawser stat photos/sea.jpg");
  return [args](Context& context) { return do_stat(*args, context); };
}

Action setup_mkdir(CLI::App& parser) {
  auto args = std::make_shared<Arguments>();
  add_words(parser, "paths", args->paths, "Folders to make")->required()->type_name("PATH…");
  parser.add_flag("-p,--parents", args->parents, "Those above, too; no error when it is there");
  parser.footer("Example:\n  hawser mkdir -p photos/2026/sea");
  return [args](Context& context) { return do_mkdir(*args, context); };
}

Action setup_rm(CLI::App& parser) {
  auto args = std::make_shared<Arguments>();
  add_words(parser, "paths", args->paths, kPathsHelp)->required()->type_name("PATH…");
  parser.add_flag("-r,-R,--recursive", args->recursive, "Folders with all that is in them");
  parser.add_flag("-f,--force", args->force, "No error for what is not there");
  parser.footer("Examples:\n  hawser rm old.txt\n  hawser rm -r photos/2019\n  hawser rm 'tmp/*'");
  return [args](Context& context) { return do_rm(*args, context); };
}

Action setup_mv(CLI::App& parser) {
  auto args = std::make_shared<Arguments>();
  add_words(parser, "paths", args->paths, "What to move, and where: a new name, or a folder")
      ->required()
      ->type_name("FROM… TO");
  parser.footer(
      "What is there already is never replaced.\n\nExamples:\n  hawser mv a.txt b.txt\n  hawser mv 'photos/*.png' "
      "pictures/");
  return [args](Context& context) { return do_mv(*args, context); };
}

Action setup_sum(CLI::App& parser) {
  auto args = std::make_shared<Arguments>();
  add_words(parser, "paths", args->paths, kPathsHelp)->required()->type_name("PATH…");
  parser.add_option("--hash", args->algorithm, "Which checksum (xxh3-128)")
      ->check(CLI::IsMember({"xxh3-128", "sha256", "md5"}))
      ->type_name("xxh3-128|sha256|md5");
  parser.footer("Examples:\n  hawser sum backup.tar\n  hawser sum --hash sha256 '*.iso'");
  return [args](Context& context) { return do_sum(*args, context); };
}

Action setup_du(CLI::App& parser) {
  auto args = std::make_shared<Arguments>();
  add_words(parser, "paths", args->paths, kPathsHelp)->type_name("PATH…");
  parser.add_flag("--human", args->human, "Sizes with units, also where no terminal is");
  parser.footer("Examples:\n  hawser du\n  hawser du photos --json");
  return [args](Context& context) { return do_du(*args, context); };
}

}  // namespace hawser::cli
