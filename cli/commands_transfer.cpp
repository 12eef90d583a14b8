// hawser put, get: what goes where. The sending and fetching itself is in upload.h and download.h.
#include <algorithm>
#include <cerrno>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sys/stat.h>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <hawser/base/errors.h>
#include <hawser/fiber/offload.h>

#include "cli/command.h"
#include "cli/connect_to_hub.h"
#include "cli/download.h"
#include "cli/local_tree.h"
#include "cli/operands.h"
#include "cli/pipeline.h"
#include "cli/remote_files.h"
#include "cli/transfer_report.h"
#include "cli/upload.h"

namespace hawser::cli {
namespace {

struct Arguments {
  std::vector<std::string> paths;
  std::string into;
  std::string algorithm = "xxh3-128";
  bool recursive = false, resume = true;
  std::size_t connections = 0;

  [[nodiscard]] TransferOptions options() const {
    return {recursive, resume, connections, hub::parse_hash_algorithm(algorithm)};
  }
};

// What was typed, taken apart: where from, and where to. As cp(1) has it, the last of several is the destination.
struct Places {
  std::vector<std::string> sources;
  std::string destination;  // empty: the folder that we are in, or the home
  bool is_folder = false;   // it says so itself
};

Places places_of(const Arguments& args) {
  Places places{args.paths, args.into, !args.into.empty()};
  if (args.into.empty() && places.sources.size() > 1) {
    places.destination = places.sources.back();
    places.sources.pop_back();
    places.is_folder = places.destination.ends_with('/');
  }
  return places;
}

// What cuts a transfer short leaves something to go on with; people should know.
template <class Transfer>
int tell_how_to_go_on(Context& context, Transfer&& transfer) {
  try {
    return transfer();
  } catch (const Cancelled&) {
    context.report.say("Stopped. The same command again goes on from here.");
    throw;
  } catch (const std::exception&) {
    const Failure failure = to_failure(std::current_exception());
    if (failure.exit() != Exit::unreachable || failure.code() == "untrusted") throw;
    throw Failure(failure.exit(), failure.code(),
                  fmt::format("{}; the same command again goes on from where it stopped", failure.what()));
  }
}

Connect connector(Context& context, const HubClient& first) {
  // The user and the trust are settled by now; further connections must not ask again.
  return [&context, target = first.target()] {
    auto hub = std::make_unique<HubClient>(target, context.home, context.report);
    hub->sign_in();
    return hub;
  };
}

// put ------------------------------------------------------------------------------------------------------------

class Put {
 public:
  Put(const Arguments& args, Context& context)
      : options_(args.options()), places_(places_of(args)), context_(context), report_(context.report) {}

  int run() {
    auto hub = connect_to_hub(context_);
    const bool into = find_destination(*hub);
    for (const std::string& source : places_.sources) {
      // A folder that was not there is the tree's new name, and its parent the place.
      report_.errors().attempt(source, [&] { plan(source, into); });
    }
    check_names();
    for (const auto& skipped : list_.skipped) report_.skipped(skipped.local, skipped.why);
    if (options_.recursive) leave_out_what_is_there(*hub);
    make_folders(*hub);
    std::uint64_t bytes = 0;
    for (const UploadJob& job : list_.files) bytes += job.size;
    report_.progress().expect(list_.files.size(), bytes);
    if (!list_.files.empty()) {
      Upload upload(options_, report_, connector(context_, *hub));
      upload.send(std::deque<UploadJob>(std::make_move_iterator(list_.files.begin()),
                                        std::make_move_iterator(list_.files.end())),
                  std::move(hub));
    }
    return report_.finish("Sent");
  }

 private:
  // True when the sources go into it, false when it is the one source's new name.
  bool find_destination(HubClient& hub) {
    const std::string path = normal_path(places_.destination);
    const bool said_so = places_.is_folder;
    places_.destination = path;
    if (path.empty()) return true;
    const auto there = find_entry(hub, path);
    if (there && there->is_dir()) return true;
    if (there && said_so) throw refusal("conflict", fmt::format("not a folder on the hub: {}", path));
    if (!there && said_so && !options_.recursive)
      throw refusal("not_found",
                    fmt::format("no such folder on the hub: {} (make it: hawser mkdir -p {})", path, path));
    if (said_so) {
      list_.folders.push_back(path);
      return true;
    }
    if (places_.sources.size() > 1)
      throw refusal(there ? "conflict" : "not_found",
                    fmt::format("not a folder on the hub: {} (several files need one: hawser mkdir {})", path, path));
    return false;
  }

  void plan(const std::string& source, bool into) {
    const LocalKind kind = offload([&] { return local_kind(source); });
    if (kind == LocalKind::nothing) throw local_failure("no such file or folder");
    if (kind == LocalKind::folder && !options_.recursive)
      throw local_failure("a folder (to send it with all that is in it: -r)");
    const std::string remote =
        normal_path(into ? join_path(places_.destination, local_name(source)) : places_.destination);
    if (kind == LocalKind::file) return offload([&] { add_file(source, remote, list_); });
    trees_.push_back(remote);
    offload([&] { add_tree(source, remote, list_); });
  }

  // Names that no hub takes must not be changed on the way: they fail here.
  void check_names() {
    const auto is_wrong = [this](const std::string& local, const std::string& remote) {
      return !report_.errors().attempt(local, [&] { static_cast<void>(normal_path(remote)); });
    };
    std::erase_if(list_.files, [&](const UploadJob& job) { return is_wrong(job.local, job.remote); });
    std::erase_if(list_.folders, [&](const std::string& folder) { return is_wrong(folder, folder); });
  }

  // A tree that was sent in part is gone on with: files of the same size and time are there already.
  void leave_out_what_is_there(HubClient& hub) {
    std::map<std::string, RemoteEntry> there;
    for (const std::string& tree : trees_) {
      try {
        for (RemoteEntry& entry : list_folder(hub, tree, true)) {
          std::string path = join_path(tree, entry.name);
          there.insert_or_assign(std::move(path), std::move(entry));
        }
        if (!tree.empty()) there.insert_or_assign(tree, RemoteEntry{tree, "dir", 0, 0, 0, {}});
      } catch (const Failure& failure) {
        if (failure.code() != "not_found" && failure.code() != "conflict") throw;
      }
    }
    if (there.empty()) return;
    std::erase_if(list_.folders, [&](const std::string& folder) {
      const auto found = there.find(folder);
      return found != there.end() && found->second.is_dir();
    });
    if (!options_.resume) return;
    std::erase_if(list_.files, [&](const UploadJob& job) {
      const auto found = there.find(job.remote);
      const bool same = found != there.end() && found->second.is_file() && found->second.size == job.size &&
                        found->second.mtime_ns == job.mtime_ns;
      if (same) report_.unchanged(job.local, job.remote, job.size);
      return same;
    });
  }

  void make_folders(HubClient& hub) {
    Pipeline pipeline(hub);
    for (const std::string& folder : list_.folders) {
      pipeline.post({{"cmd", "mkdir"}, {"path", folder}, {"parents", true}}, {},
                    [this, &folder](const Frame& answer, FrameStream&) {
                      report_.errors().attempt(folder, [&] { throw_when_refused(answer.header()); });
                    });
    }
    pipeline.finish();
  }

  TransferOptions options_;
  Places places_;
  Context& context_;
  TransferReport report_{context_.report};
  UploadList list_;
  std::vector<std::string> trees_;  // remote
};

// get ------------------------------------------------------------------------------------------------------------

class Get {
 public:
  Get(const Arguments& args, Context& context)
      : options_(args.options()), places_(places_of(args)), context_(context), report_(context.report) {}

  int run() {
    auto hub = connect_to_hub(context_);
    std::vector<std::string> remotes;
    for (const std::string& source : places_.sources)
      report_.errors().attempt(source, [&] { std::ranges::move(expand(*hub, source), std::back_inserter(remotes)); });
    const bool into = find_destination(remotes.size());
    for (const std::string& remote : remotes)
      report_.errors().attempt(shown_path(remote), [&] { plan(*hub, remote, into); });
    std::uint64_t bytes = 0;
    for (const DownloadJob& job : jobs_) bytes += job.size;
    report_.progress().expect(jobs_.size(), bytes);
    if (!jobs_.empty()) {
      Download download(options_, report_, connector(context_, *hub));
      download.fetch(std::move(jobs_), std::move(hub));
    }
    return report_.finish("Fetched");
  }

 private:
  bool find_destination(std::size_t sources) {
    std::string& path = places_.destination;
    if (path.empty()) return true;
    const LocalKind kind = offload([&] { return local_kind(path); });
    if (kind == LocalKind::folder) return true;
    if (kind == LocalKind::file && places_.is_folder) throw local_failure(fmt::format("not a folder: {}", path));
    if (places_.is_folder) {
      offload([&] { make_folder(path); });
      return true;
    }
    if (sources > 1) throw local_failure(fmt::format("not a folder: {} (several files need one)", path));
    return false;
  }

  static void make_folder(const std::string& path) {
    if (::mkdir(path.c_str(), 0777) != 0 && errno != EEXIST) throw_errno("mkdir", path);
  }

  void plan(HubClient& hub, const std::string& remote, bool into) {
    const RemoteEntry entry = stat_path(hub, remote);
    const std::string name = base_name(remote);
    const std::string local =
        into ? (places_.destination.empty() ? name : join_local(places_.destination, name)) : places_.destination;
    if (entry.is_dir()) {
      if (!options_.recursive) throw local_failure("a folder (to fetch it with all that is in it: -r)");
      return plan_tree(hub, remote, local.empty() ? "." : local);
    }
    if (!entry.is_file()) throw refusal("forbidden", fmt::format("not a regular file: {}", remote));
    const auto slash = local.rfind('/');
    const std::string above = slash == std::string::npos ? "." : slash == 0 ? "/" : local.substr(0, slash);
    jobs_.push_back({remote, landing_at(above), base_name(local), local, entry.size, entry.mtime_ns});
  }

  void plan_tree(HubClient& hub, const std::string& remote, const std::string& local) {
    const auto entries = list_folder(hub, remote, true);
    offload([&] { make_folder(local); });
    const auto landing = landing_at(local);
    std::vector<std::string> folders;
    std::vector<const RemoteEntry*> files;
    for (const RemoteEntry& entry : entries) {
      const std::string path = join_path(remote, entry.name);
      report_.errors().attempt(path, [&] {
        check_landing_path(entry.name);
        if (entry.is_dir())
          folders.push_back(entry.name);
        else if (entry.is_file())
          files.push_back(&entry);
        else
          report_.skipped(path, entry.type == "link" ? "a symbolic link" : "not a regular file");
      });
    }
    for (const std::string& folder : folders)
      report_.errors().attempt(join_local(local, folder),
                               [&] { offload([&] { static_cast<void>(landing->open_folder(folder)); }); });
    for (const RemoteEntry* entry : files) {
      DownloadJob job{join_path(remote, entry->name), landing,     entry->name,
                      join_local(local, entry->name), entry->size, entry->mtime_ns};
      if (options_.resume && is_there(job))
        report_.unchanged(job.remote, job.shown, job.size);
      else
        jobs_.push_back(std::move(job));
    }
  }

  // A tree that was fetched in part is gone on with: files of the same size and time are there already.
  static bool is_there(const DownloadJob& job) {
    const auto found = job.landing->look(job.path);
    return found && found->is_file && found->size == job.size && found->mtime_ns == job.mtime_ns;
  }

  static std::string join_local(const std::string& folder, const std::string& name) {
    if (name.empty()) return folder;
    return folder.ends_with('/') ? folder + name : fmt::format("{}/{}", folder, name);
  }

  std::shared_ptr<const Landing> landing_at(const std::string& folder) {
    auto& landing = landings_[folder];
    if (!landing) landing = offload([&] { return std::make_shared<const Landing>(folder); });
    return landing;
  }

  TransferOptions options_;
  Places places_;
  Context& context_;
  TransferReport report_{context_.report};
  std::deque<DownloadJob> jobs_;
  std::map<std::string, std::shared_ptr<const Landing>> landings_;
};

void add_options(CLI::App& parser, Arguments& args) {
  parser.add_flag("-r,-R,--recursive", args.recursive, "Folders with all that is in them");
  parser.add_flag("--resume,!--no-resume", args.resume, "Go on where an earlier attempt stopped (the default)");
  parser.add_option("--hash", args.algorithm, "By which checksum files are verified (xxh3-128)")
      ->check(CLI::IsMember({"xxh3-128", "sha256", "md5"}))
      ->type_name("xxh3-128|sha256|md5");
  parser.add_option("-j,--streams", args.connections, "How many connections to use side by side (up to 4, by need)")
      ->check(CLI::Range(1, 64))
      ->type_name("N");
  parser.add_option("--into", args.into, "Into that folder; all paths are sources then")->type_name("DIR");
}

}  // namespace

Action setup_put(CLI::App& parser) {
  auto args = std::make_shared<Arguments>();
  add_words(parser, "paths", args->paths, "What to send, and where to: a new name, or a folder in your home")
      ->required()
      ->type_name("SRC… [DST]");
  add_options(parser, *args);
  parser.footer(
      "Every file is verified as a whole before it appears under its name. What was interrupted goes on where it "
      "stopped:\ntype the same again. With -r, files that are there already with the same size and time are left "
      "out.\n\n"
      "Examples:\n"
      "  hawser put report.pdf\n"
      "  hawser put report.pdf papers/2026.pdf\n"
      "  hawser put *.jpg --into photos\n"
      "  hawser put -r project backup/");
  return [args](Context& context) { return tell_how_to_go_on(context, [&] { return Put(*args, context).run(); }); };
}

Action setup_get(CLI::App& parser) {
  auto args = std::make_shared<Arguments>();
  add_words(parser, "paths", args->paths, "What to fetch (* and ? match names on the hub), and where to")
      ->required()
      ->type_name("SRC… [DST]");
  add_options(parser, *args);
  parser.footer(
      "Every file is verified as a whole before it appears under its name. What was interrupted goes on where it "
      "stopped:\ntype the same again. With -r, files that are here already with the same size and time are left "
      "out.\n\n"
      "Examples:\n"
      "  hawser get report.pdf\n"
      "  hawser get papers/2026.pdf here.pdf\n"
      "  hawser get 'photos/*.jpg' pictures/\n"
      "  hawser get -r project");
  return [args](Context& context) { return tell_how_to_go_on(context, [&] { return Get(*args, context).run(); }); };
}

}  // namespace hawser::cli
