#pragma once

// Lists that the API hands out page by page.

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

#include "cli/client.h"
#include "common/base/status.h"

namespace forebay::cli {

inline constexpr int64_t kAllItems = std::numeric_limits<int64_t>::max();

// Calls `visit` with each item that `items` picks from the pages, `most` of them at most.
template <typename Response, typename Request, typename Items, typename Visit>
absl::Status ForEachItem(Client& client, Request request, int64_t most, Items items, Visit visit) {
  constexpr int64_t kPageSize = 200;
  while (most > 0) {
    request.set_page_size(static_cast<int32_t>(std::min(most, kPageSize)));
    ASSIGN_OR_RETURN(Response page, client.Call<Response>(request));
    for (const auto& item : items(page)) {
      if (most-- <= 0) return absl::OkStatus();
      visit(item);
    }
    if (page.next_page_token().empty()) return absl::OkStatus();
    request.set_page_token(page.next_page_token());
  }
  return absl::OkStatus();
}

}  // namespace forebay::cli
