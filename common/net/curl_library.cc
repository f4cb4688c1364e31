#include "common/net/curl_library.h"

#include <dlfcn.h>

#include "common/base/status.h"

namespace forebay {
namespace {

constexpr char kFile[] = "libcurl.so.4";

absl::Status Missing(const std::string& file, std::string_view why) {
  return Error(absl::StatusCode::kFailedPrecondition, "HTTP_LIBRARY_MISSING")
      .With("value", file)
      .With("why", why)
      .Next("apt-get install libcurl4")
      .Says("calls over HTTP need libcurl, which cannot be loaded: {}", why);
}

// Finds functions of a library that stays loaded.
class Finder {
 public:
  explicit Finder(const std::string& file) : library_(::dlopen(file.c_str(), RTLD_NOW)) {
    if (library_ == nullptr) trouble_ = ::dlerror();
  }
  template <typename Function>
  void Find(const char* name, Function& function) {
    if (!trouble_.empty()) return;
    function = reinterpret_cast<Function>(::dlsym(library_, name));
    if (function == nullptr) trouble_ = ::dlerror();
  }
  // What the loader says of the first thing that it did not find.
  const std::string& trouble() const { return trouble_; }

 private:
  void* const library_;
  std::string trouble_;
};

}  // namespace

absl::StatusOr<CurlLibrary> CurlLibrary::Load(const std::string& file) {
  Finder library(file);
  CurlLibrary curl{};
  library.Find("curl_global_init", curl.global_init);
  library.Find("curl_easy_init", curl.easy_init);
  library.Find("curl_easy_setopt", curl.easy_setopt);
  library.Find("curl_easy_getinfo", curl.easy_getinfo);
  library.Find("curl_easy_reset", curl.easy_reset);
  library.Find("curl_easy_cleanup", curl.easy_cleanup);
  library.Find("curl_easy_strerror", curl.easy_strerror);
  library.Find("curl_slist_append", curl.slist_append);
  library.Find("curl_slist_free_all", curl.slist_free_all);
  library.Find("curl_multi_init", curl.multi_init);
  library.Find("curl_multi_setopt", curl.multi_setopt);
  library.Find("curl_multi_cleanup", curl.multi_cleanup);
  library.Find("curl_multi_add_handle", curl.multi_add_handle);
  library.Find("curl_multi_remove_handle", curl.multi_remove_handle);
  library.Find("curl_multi_assign", curl.multi_assign);
  library.Find("curl_multi_socket_action", curl.multi_socket_action);
  library.Find("curl_multi_info_read", curl.multi_info_read);
  library.Find("curl_multi_perform", curl.multi_perform);
  library.Find("curl_multi_poll", curl.multi_poll);
  library.Find("curl_multi_wakeup", curl.multi_wakeup);
  if (!library.trouble().empty()) return Missing(file, library.trouble());
  return curl;
}

absl::StatusOr<const CurlLibrary*> CurlLibrary::Loaded() {
  static const auto* const loaded = [] {
    auto* curl = new absl::StatusOr<CurlLibrary>(Load(kFile));
    if (curl->ok()) (*curl)->global_init(CURL_GLOBAL_DEFAULT);
    return curl;
  }();
  RETURN_IF_ERROR(loaded->status());
  return &**loaded;
}

}  // namespace forebay
