// The commands of the native door, by name. Each carries out one request and answers it; errors are thrown, and the
// conversation answers those.
#pragma once

#include <string_view>

#include <hawser/wire/frame.h>

namespace hawser::hub {

class NativeConversation;

using NativeCommand = void (*)(NativeConversation& talk, const Frame& request);

// Null when there is no such command.
[[nodiscard]] NativeCommand find_native_command(std::string_view name) noexcept;
// Whether it reads its request's body.
[[nodiscard]] bool takes_body(NativeCommand command) noexcept;

namespace native {

// native_session.cpp
void hello(NativeConversation& talk, const Frame& request);
void ping(NativeConversation& talk, const Frame& request);
void register_user(NativeConversation& talk, const Frame& request);
void login(NativeConversation& talk, const Frame& request);
void resume(NativeConversation& talk, const Frame& request);
void logout(NativeConversation& talk, const Frame& request);
void passwd(NativeConversation& talk, const Frame& request);
void whoami(NativeConversation& talk, const Frame& request);

// native_admin.cpp
void invite(NativeConversation& talk, const Frame& request);
void users(NativeConversation& talk, const Frame& request);
void role(NativeConversation& talk, const Frame& request);
void quota(NativeConversation& talk, const Frame& request);

// native_files.cpp
void list(NativeConversation& talk, const Frame& request);
void stat(NativeConversation& talk, const Frame& request);
void mkdir(NativeConversation& talk, const Frame& request);
void remove(NativeConversation& talk, const Frame& request);
void move(NativeConversation& talk, const Frame& request);
void sum(NativeConversation& talk, const Frame& request);
void du(NativeConversation& talk, const Frame& request);

// native_put.cpp
void offset(NativeConversation& talk, const Frame& request);
void put(NativeConversation& talk, const Frame& request);

// native_get.cpp
void get(NativeConversation& talk, const Frame& request);

// native_run.cpp
void run(NativeConversation& talk, const Frame& request);

}  // namespace native

}  // namespace hawser::hub
