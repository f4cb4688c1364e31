#pragma once

#include <string_view>

namespace forebay::server {

// A named statement of server/db/queries/*.sql. The name is also the name under which a session
// prepares it.
struct Query {
  const char* name;
  const char* sql;
};

}  // namespace forebay::server
