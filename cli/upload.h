// Upload: sends a list of files to a hub, over several connections side by side, each with many small files under way.
//
// A large file is hashed first: the hash is what the hub knows an interrupted upload by, so that the same file goes on
// where it stopped and a changed one begins anew. The hub puts a file in its place only when all of it has that hash.
// Runs on one loop; waits for disk and hub. A file that fails is reported and the others go on; Failure is thrown when
// the hub is lost, and what was under way can be resumed.
#pragma once

#include <deque>
#include <memory>

#include "cli/hub_client.h"
#include "cli/local_tree.h"
#include "cli/transfer_connections.h"
#include "cli/transfer_report.h"

namespace hawser::cli {

class Upload {
 public:
  Upload(const TransferOptions& options, TransferReport& report, Connect connect);

  // Sends all files. first is the connection that is there already.
  void send(std::deque<UploadJob> jobs, std::unique_ptr<HubClient> first);

 private:
  friend class UploadWorker;
  const TransferOptions& options_;
  TransferReport& report_;
  Connect connect_;
  std::deque<UploadJob> jobs_;
};

}  // namespace hawser::cli
