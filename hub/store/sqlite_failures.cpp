#include "hub/store/sqlite_store.h"

namespace hawser::hub {

std::optional<FailureRecord> SqliteStore::find_failures(std::string_view key) {
  const std::lock_guard hold(durable_mutex_);
  auto query = durable_.query("SELECT count, last FROM failures WHERE key = ?");
  query.bind(key);
  if (!query.step()) return std::nullopt;
  return FailureRecord{.count = query.integer(0), .last = query.integer(1)};
}

void SqliteStore::set_failures(std::string_view key, const FailureRecord& record) {
  const std::scoped_lock hold(writing_, durable_mutex_);
  auto upsert = durable_.query(
      "INSERT INTO failures (key, count, last) VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET count = "
      "excluded.count, last = excluded.last");
  upsert.bind(key).bind(record.count).bind(record.last).run();
}

void SqliteStore::clear_failures(std::string_view key) {
  const std::scoped_lock hold(writing_, durable_mutex_);
  durable_.query("DELETE FROM failures WHERE key = ?").bind(key).run();
}

}  // namespace hawser::hub
