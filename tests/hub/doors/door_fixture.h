// A native door with real services in a folder of its own, and clients that talk to it over real sockets.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include <gtest/gtest.h>

#include <hawser/fiber/cancellation.h>
#include <hawser/fiber/run.h>
#include <hawser/fiber/task.h>
#include <hawser/net/connect.h>
#include <hawser/wire/frame_stream.h>

#include "hub/doors/native_door.h"
#include "hub/store/store.h"

namespace hawser::hub {

inline constexpr const char* kPassword = "correct horse battery";

// A client that sends requests and expects answers.
class Client {
 public:
  explicit Client(const Address& address) : socket(connect(address)), frames(socket) {}

  Frame call(const Json& request, BytesView body = {}) {
    frames.send(request, body);
    return frames.receive();
  }
  Socket socket;
  FrameStream frames;
};

inline std::string error_code(const Frame& frame) {
  if (!frame || frame["ok"].as_bool()) return "none: " + (frame ? frame.header().dump() : std::string("end"));
  return frame["error"]["code"].as_string();
}

class DoorTest : public ::testing::Test {
 protected:
  DoorTest() {
    std::string name = std::filesystem::temp_directory_path() / "hawser-door-XXXXXX";
    root_ = ::mkdtemp(name.data());
  }
  ~DoorTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }

  // Runs test inside a fiber while the door is open; drains the door afterwards.
  void with_door(const std::function<void()>& test, RunPolicy policy = RunPolicy::members) {
    run([&] {
      auto store = open_store(root_ / "hub.db");
      Audit audit(*store);
      AccountOptions account_options;
      account_options.open_registration = true;
      account_options.hash_memory_bytes = 64 * 1024;
      account_options.hash_passes = 1;
      Accounts accounts(*store, audit, account_options);
      Files files(root_, *store, audit);
      CommandOptions command_options;
      command_options.policy = policy;
      Commands commands(files, audit, command_options);
      const NativeServices services{accounts, files, commands, {}};
      NativeDoorOptions options;
      options.drain = std::chrono::seconds(5);
      NativeDoor door(Endpoint("127.0.0.1", 0), services, std::move(options));
      door_ = &door;
      const auto serving = spawn([&] { door.serve(); });
      std::exception_ptr error;
      try {
        test();
      } catch (...) {
        error = std::current_exception();
      }
      door.drain();
      serving.get();
      if (error) std::rethrow_exception(error);
    });
  }

  [[nodiscard]] NativeDoor& door() { return *door_; }
  [[nodiscard]] std::unique_ptr<Client> connected() { return std::make_unique<Client>(door_->address()); }
  // A client of a user of that name, who is registered when need be.
  [[nodiscard]] std::unique_ptr<Client> signed_in(const std::string& user = "anna") {
    auto client = connected();
    (void)client->call({{"cmd", "register"}, {"user", user}, {"password", kPassword}});
    EXPECT_TRUE(client->call({{"cmd", "login"}, {"user", user}, {"password", kPassword}})["ok"].as_bool());
    return client;
  }

  std::filesystem::path root_;
  NativeDoor* door_ = nullptr;
};

}  // namespace hawser::hub
