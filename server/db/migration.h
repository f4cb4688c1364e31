#pragma once

namespace forebay::server {

// One file of server/db/migrations: forward only, applied once, never edited afterwards.
struct Migration {
  int version;
  const char* name;
  const char* sql;
};

}  // namespace forebay::server
