// Opens libcurl.
#include "cloud/http/curl_api.hpp"

#include "kernels/base/dynamic_library.hpp"

namespace plume::cloud {
namespace {

CurlApi open_curl() {
  // First as the loader finds it, then where it was when plume was configured.
  const auto library = DynamicLibrary::open({PLUME_CURL_LIBRARY, PLUME_CURL_FOLDER "/" PLUME_CURL_LIBRARY});
  if (!library)
    throw environment_error("libcurl, which talks to the cloud, cannot be opened ({}); install the package libcurl4",
                            DynamicLibrary::last_failure());
  CurlApi api{};
  library->find(api.global_init, "curl_global_init");
  library->find(api.version_info, "curl_version_info");
  library->find(api.easy_init, "curl_easy_init");
  library->find(api.easy_cleanup, "curl_easy_cleanup");
  library->find(api.easy_reset, "curl_easy_reset");
  library->find(api.easy_setopt, "curl_easy_setopt");
  library->find(api.easy_getinfo, "curl_easy_getinfo");
  library->find(api.easy_strerror, "curl_easy_strerror");
  library->find(api.slist_append, "curl_slist_append");
  library->find(api.slist_free_all, "curl_slist_free_all");
  library->find(api.multi_init, "curl_multi_init");
  library->find(api.multi_cleanup, "curl_multi_cleanup");
  library->find(api.multi_setopt, "curl_multi_setopt");
  library->find(api.multi_add_handle, "curl_multi_add_handle");
  library->find(api.multi_remove_handle, "curl_multi_remove_handle");
  library->find(api.multi_perform, "curl_multi_perform");
  library->find(api.multi_poll, "curl_multi_poll");
  library->find(api.multi_wakeup, "curl_multi_wakeup");
  library->find(api.multi_info_read, "curl_multi_info_read");
  if (api.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) throw environment_error("libcurl cannot be initialised");
  return api;
}

}  // namespace

const CurlApi& curl() {
  static const CurlApi instance = open_curl();
  return instance;
}

}  // namespace plume::cloud
