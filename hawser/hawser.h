// Everything the library offers; each of these headers is also useful alone.
#pragma once

#include <hawser/base/bytes.h>
#include <hawser/base/clock.h>
#include <hawser/base/errors.h>
#include <hawser/base/faults.h>
#include <hawser/base/fd.h>
#include <hawser/base/log.h>

#include <hawser/fiber/as_completed.h>
#include <hawser/fiber/cancellation.h>
#include <hawser/fiber/counters.h>
#include <hawser/fiber/deadline.h>
#include <hawser/fiber/dump.h>
#include <hawser/fiber/fiber_local.h>
#include <hawser/fiber/fork.h>
#include <hawser/fiber/offload.h>
#include <hawser/fiber/pollable.h>
#include <hawser/fiber/run.h>
#include <hawser/fiber/spin_lock.h>
#include <hawser/fiber/task.h>
#include <hawser/fiber/task_group.h>
#include <hawser/fiber/task_state.h>
#include <hawser/fiber/waiter.h>
#include <hawser/fiber/watchdog.h>

#include <hawser/sync/async_result.h>
#include <hawser/sync/barrier.h>
#include <hawser/sync/channel.h>
#include <hawser/sync/condition.h>
#include <hawser/sync/deadlock.h>
#include <hawser/sync/event.h>
#include <hawser/sync/lifo_queue.h>
#include <hawser/sync/lock.h>
#include <hawser/sync/priority_queue.h>
#include <hawser/sync/queue.h>
#include <hawser/sync/queue_errors.h>
#include <hawser/sync/rlock.h>
#include <hawser/sync/semaphore.h>

#include <hawser/net/address.h>
#include <hawser/net/buffered_reader.h>
#include <hawser/net/buffered_writer.h>
#include <hawser/net/can.h>
#include <hawser/net/connect.h>
#include <hawser/net/datagram.h>
#include <hawser/net/interfaces.h>
#include <hawser/net/listener.h>
#include <hawser/net/ping.h>
#include <hawser/net/resolver.h>
#include <hawser/net/selector.h>
#include <hawser/net/socket.h>
#include <hawser/net/socket_options.h>
#include <hawser/net/stream.h>

#include <hawser/wire/fixed_bytes.h>
#include <hawser/wire/frame.h>
#include <hawser/wire/frame_stream.h>
#include <hawser/wire/half.h>
#include <hawser/wire/json.h>
#include <hawser/wire/pack.h>
#include <hawser/wire/struct.h>
#include <hawser/wire/struct_error.h>
#include <hawser/wire/struct_format.h>
#include <hawser/wire/struct_value.h>
#include <hawser/wire/text.h>
#include <hawser/wire/text_error.h>
#include <hawser/wire/time_text.h>
#include <hawser/wire/utf8.h>

#include <hawser/tls/certificate.h>
#include <hawser/tls/tls_context.h>
#include <hawser/tls/tls_error.h>
#include <hawser/tls/tls_stream.h>

#include <hawser/task/completion.h>
#include <hawser/task/future.h>
#include <hawser/task/when.h>

#include <hawser/process/child_start.h>
#include <hawser/process/command.h>
#include <hawser/process/output.h>
#include <hawser/process/pipe_stream.h>
#include <hawser/process/popen.h>
#include <hawser/process/pty.h>
#include <hawser/process/run_command.h>
#include <hawser/process/run_pipeline.h>
#include <hawser/process/terminal.h>

#include <hawser/serve/basic_server.h>
#include <hawser/serve/child_failed.h>
#include <hawser/serve/datagram_handler.h>
#include <hawser/serve/datagram_request.h>
#include <hawser/serve/datagram_server.h>
#include <hawser/serve/server.h>
#include <hawser/serve/server_options.h>
#include <hawser/serve/stop_signal.h>
#include <hawser/serve/stream_handler.h>
#include <hawser/serve/stream_server.h>
#include <hawser/serve/systemd.h>
#include <hawser/serve/tcp_servers.h>
#include <hawser/serve/udp_servers.h>
#include <hawser/serve/unix_servers.h>
