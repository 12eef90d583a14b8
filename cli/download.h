// Download: fetches a list of files from a hub, over several connections side by side, each with many small files under
// way.
//
// Every file is verified by the hash that the hub sends behind it, synced, and only then put under its name. A large
// one is gathered in a part file beside it, which a later call goes on with as long as the file on the hub is the same.
// Runs on one loop; waits for disk and hub. A file that fails is reported and the others go on; Failure is thrown when
// the hub is lost.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "cli/hub_client.h"
#include "cli/landing.h"
#include "cli/transfer_connections.h"
#include "cli/transfer_report.h"

namespace hawser::cli {

struct DownloadJob {
  std::string remote;
  std::shared_ptr<const Landing> landing;
  std::string path;   // below the landing; checked
  std::string shown;  // as the user would call it
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;
};

class Download {
 public:
  Download(const TransferOptions& options, TransferReport& report, Connect connect);

  // Fetches all files. first is the connection that is there already.
  void fetch(std::deque<DownloadJob> jobs, std::unique_ptr<HubClient> first);

 private:
  friend class DownloadWorker;
  const TransferOptions& options_;
  TransferReport& report_;
  Connect connect_;
  std::deque<DownloadJob> jobs_;
};

}  // namespace hawser::cli
