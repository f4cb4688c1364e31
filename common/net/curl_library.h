#pragma once

// libcurl, loaded when the first client of HTTP is made: it brings thirty other libraries with it,
// and most processes never speak HTTP to anybody. No program is linked against it; its headers give
// the types. Only for common/net, and for those who make clients.

#include <curl/curl.h>

#include <string>

#include "absl/status/statusor.h"

namespace forebay {

// Its functions, by their names without "curl_". Functions with "..." take exactly the types that
// libcurl's manual names: no header looks at them here.
struct CurlLibrary {
  // The process's own: loaded by the first call, and never unloaded. Thread-safe; all calls answer
  // what the first did.
  static absl::StatusOr<const CurlLibrary*> Loaded();
  // FAILED_PRECONDITION (HTTP_LIBRARY_MISSING) when there is no such file or it is too old.
  static absl::StatusOr<CurlLibrary> Load(const std::string& file);

  decltype(&curl_global_init) global_init;
  decltype(&curl_easy_init) easy_init;
  decltype(&curl_easy_setopt) easy_setopt;
  decltype(&curl_easy_getinfo) easy_getinfo;
  decltype(&curl_easy_reset) easy_reset;
  decltype(&curl_easy_cleanup) easy_cleanup;
  decltype(&curl_easy_strerror) easy_strerror;
  decltype(&curl_slist_append) slist_append;
  decltype(&curl_slist_free_all) slist_free_all;
  decltype(&curl_multi_init) multi_init;
  decltype(&curl_multi_setopt) multi_setopt;
  decltype(&curl_multi_cleanup) multi_cleanup;
  decltype(&curl_multi_add_handle) multi_add_handle;
  decltype(&curl_multi_remove_handle) multi_remove_handle;
  decltype(&curl_multi_assign) multi_assign;
  decltype(&curl_multi_socket_action) multi_socket_action;
  decltype(&curl_multi_info_read) multi_info_read;
  decltype(&curl_multi_perform) multi_perform;
  decltype(&curl_multi_poll) multi_poll;
  decltype(&curl_multi_wakeup) multi_wakeup;
};

}  // namespace forebay
